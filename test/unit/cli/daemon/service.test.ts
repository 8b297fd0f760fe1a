import { lstatSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import {
  renderConfinedUnit,
  renderRepairUnit,
  renderUnit,
  ServiceError,
  UNIT_MARKER,
  type ConfinedUnitInput,
  type UnitInput,
} from '../../../../src/cli/daemon/service-unit.ts'
import { serviceUnits, type Programs } from '../../../../src/cli/daemon/service-files.ts'
import { serviceStatus } from '../../../../src/cli/daemon/service-status.ts'
import { installService, LINGER_HINT, uninstallService } from '../../../../src/cli/daemon/service.ts'
import type { RunProgram } from '../../../../src/cli/daemon/systemctl.ts'
import { resolvePaths } from '../../../../src/ipc/paths.ts'
import { tempDir } from '../../../support/temp-dir.ts'

// The unit hides /tmp from the service, so a checkout there cannot be installed.
const IS_BELOW_TMP = /^(\/var)?\/tmp\//.test(resolve('.'))
const TEMPLATE = readFileSync(resolve('systemd/personad.service'), 'utf8')

function unitOf(given: { home?: string; env?: Record<string, string>; node?: string; template?: string } = {}): string {
  const env = { HOME: '/home/alice', XDG_RUNTIME_DIR: '/run/user/7', ...given.env }
  const input: UnitInput = {
    template: given.template ?? TEMPLATE,
    nodePath: given.node ?? '/opt/node/bin/node',
    launcherPath: '/opt/personad/src/launch/personad.js',
    paths: resolvePaths({ home: given.home, env }),
    home: given.home,
    env,
  }
  return renderUnit(input)
}

function linesOf(unit: string, ...starts: string[]): string[] {
  return unit.split('\n').filter((line) => starts.some((start) => line.startsWith(start)))
}

function codeOf(work: () => unknown): string {
  try {
    work()
  } catch (error) {
    if (error instanceof ServiceError) return error.code
    throw error
  }
  return 'none'
}

describe('the rendered unit', () => {
  test('begins with the marker, has absolute paths, and otherwise equals the shipped unit', () => {
    const unit = unitOf()
    expect(unit.startsWith(`${UNIT_MARKER}\n\n[Unit]\n`)).toBe(true)
    expect(linesOf(unit, 'ExecStart=', 'ExecStartPre=', 'ReadWritePaths=', 'Environment=')).toEqual([
      'ExecStart="/opt/node/bin/node" "/opt/personad/src/launch/personad.js"',
      'Environment=NODE_OPTIONS=--disable-sigusr1',
      'Environment=PERSONAD_NET_SOCKET=%t/personad-net.sock',
      'Environment=PERSONAD_RTC_SOCKET=%t/personad-rtc.sock',
      'ExecStartPre=+/bin/mkdir -p -m 0700 "/home/alice/.local/state/personad"',
      'ReadWritePaths="/home/alice/.local/state/personad"',
    ])
    const changed = new Set(linesOf(TEMPLATE, 'ExecStart', 'ReadWritePaths'))
    const kept = TEMPLATE.slice(TEMPLATE.indexOf('[Unit]'))
      .split('\n')
      .filter((line) => !changed.has(line))
    expect(kept.filter((line) => !unit.split('\n').includes(line))).toEqual([])
    expect(changed.size).toBe(3)
  })

  test('passes --home on, and opens the run directory below it', () => {
    const unit = unitOf({ home: '/srv/p' })
    expect(linesOf(unit, 'Environment="', 'ReadWritePaths=')).toEqual([
      'Environment="PERSONAD_HOME=/srv/p"',
      'ReadWritePaths="/srv/p/state" "/srv/p/run"',
    ])
    expect(linesOf(unit, 'ExecStartPre=')[0]).toContain('"/srv/p/state" "/srv/p/run"')
  })

  test('passes on the XDG directories of the shell, which the service manager does not know', () => {
    const env = { XDG_STATE_HOME: '/data/state', XDG_CONFIG_HOME: 'relative' }
    expect(linesOf(unitOf({ env }), 'Environment="')).toEqual(['Environment="XDG_STATE_HOME=/data/state"'])
  })

  test('escapes the characters that systemd interprets', () => {
    const unit = unitOf({ home: '/srv/a b%h$HOME"c\\d', node: '/opt/no de%$/node' })
    expect(linesOf(unit, 'ExecStart=', 'ExecStartPre=', 'ReadWritePaths=', 'Environment="')).toEqual([
      'ExecStart="/opt/no de%%$/node" "/opt/personad/src/launch/personad.js"',
      String.raw`Environment="PERSONAD_HOME=/srv/a b%%h$HOME\"c\\d"`,
      String.raw`ExecStartPre=+/bin/mkdir -p -m 0700 "/srv/a b%%h$$HOME\"c\\d/state" "/srv/a b%%h$$HOME\"c\\d/run"`,
      String.raw`ReadWritePaths="/srv/a b%%h$HOME\"c\\d/state" "/srv/a b%%h$HOME\"c\\d/run"`,
    ])
  })

  test.each([
    ['a line end, which would begin a line of its own', { home: '/srv/a\nExecStartPre=/bin/evil' }],
    ['a control character', { home: '/srv/a\u007f' }],
    ['bytes that are no UTF-8', { home: '/srv/a\u{fffd}' }],
    ['a quote in the path of node', { node: '/opt/"/node' }],
    ['a backslash in the path of node', { node: '/opt/\\/node' }],
    ['a home below /tmp', { home: '/tmp/demo' }],
    ['node below /var/tmp', { node: '/var/tmp/node' }],
  ])('is refused for %s', (_title, given) => {
    expect(codeOf(() => unitOf(given))).toBe('SERVICE_PATH_UNUSABLE')
  })

  test('fails if the template lacks a line that must change', () => {
    const template = TEMPLATE.replace('ReadWritePaths=', 'ReadOnlyPaths=')
    expect(codeOf(() => unitOf({ template }))).toBe('SERVICE_UNREADABLE')
  })

  test.skipIf(IS_BELOW_TMP)(
    'names this node and the launcher of this checkout (which must not be below /tmp)',
    async () => {
      const { daemon, repair } = await serviceUnits({ env: { HOME: '/home/alice' } })
      expect(linesOf(daemon, 'ExecStart=')).toEqual([
        `ExecStart="${process.execPath}" "${resolve('src/launch/personad.js')}"`,
      ])
      expect(linesOf(repair, 'ExecStart=')).toEqual([
        `ExecStart="${process.execPath}" "${resolve('src/launch/persona.js')}" tox repair`,
      ])
      expect(statSync(resolve('src/launch/persona.js')).isFile()).toBe(true)
      expect(statSync(resolve('src/launch/personad.js')).isFile()).toBe(true)
    },
  )
})

/** A system whose programs answer as told, and which keeps what they were asked. */
function system(answers: Record<string, { status: number | null; output: string }> = {}): {
  run: RunProgram
  asked: string[]
} {
  const asked: string[] = []
  const run: RunProgram = (program, args) => {
    const line = [program, ...args].join(' ')
    asked.push(line)
    const answer = Object.entries(answers).find(([part]) => line.includes(part))?.[1]
    return Promise.resolve(answer ?? { status: 0, output: '' })
  }
  return { run, asked }
}

// Not those of this checkout: one below /tmp is refused, since the service could not see it.
const PROGRAMS = {
  nodePath: '/opt/node/bin/node',
  launcherPath: '/opt/personad/src/launch/personad.js',
  commandPath: '/opt/personad/src/launch/persona.js',
  net: {
    launcherPath: '/opt/personad/src/launch/personad-net.js',
    flags: ['--permission', '--allow-fs-read=/opt/personad/src'],
    readable: ['/opt/personad/src'],
  },
  rtc: {
    launcherPath: '/opt/personad/src/launch/personad-rtc.js',
    flags: ['--permission', '--allow-addons', '--allow-fs-read=/opt/personad/src'],
    readable: ['/opt/personad/src', '/opt/node_modules/node-datachannel'],
  },
}

function place(): { env: Record<string, string>; unitPath: string; programs: Programs } {
  const config = tempDir()
  return {
    programs: PROGRAMS,
    env: { HOME: '/home/alice', XDG_CONFIG_HOME: config, XDG_RUNTIME_DIR: '/run/user/7', PERSONAD_HOME: '/srv/p' },
    unitPath: join(config, 'systemd', 'user', 'personad.service'),
  }
}

describe('persona service install', () => {
  test('writes the unit, then loads, enables and starts it', async () => {
    const { env, unitPath, programs } = place()
    const { run, asked } = system({ Linger: { status: 0, output: 'yes\n' } })
    const report = await installService({ env, programs, run })
    expect(report).toEqual({
      unitPath,
      done: [
        `wrote ${unitPath}`,
        'systemctl --user daemon-reload',
        'systemctl --user enable personad.service',
        'systemctl --user restart personad.service',
      ],
      todo: [],
    })
    expect(asked.slice(0, 3)).toEqual(report.done.slice(1))
    expect(readFileSync(unitPath, 'utf8')).toBe((await serviceUnits({ env, programs })).daemon)
    expect(statSync(unitPath).mode & 0o777).toBe(0o644)
  })

  test.each(['no\n', ''])('explains lingering if it is off (%j)', async (output) => {
    const report = await installService({ ...place(), run: system({ Linger: { status: 0, output } }).run })
    expect(report.todo).toEqual([LINGER_HINT])
  })

  test('writes the unit without systemctl too, and says what to run', async () => {
    const { env, unitPath, programs } = place()
    const report = await installService({ env, programs, run: system({ ctl: { status: null, output: '' } }).run })
    expect(report.done).toEqual([`wrote ${unitPath}`])
    expect(report.todo).toEqual([
      'systemd failed: systemctl is missing or does not answer',
      'run: systemctl --user daemon-reload',
      'run: systemctl --user enable personad.service',
      'run: systemctl --user restart personad.service',
      LINGER_HINT,
    ])
  })

  test('leaves a failed step and the rest to the user, with the reason', async () => {
    const { run } = system({ restart: { status: 1, output: 'Job for personad.service failed.\nSee ...\n' } })
    const report = await installService({ ...place(), run })
    expect(report.todo.slice(0, 2)).toEqual([
      'systemd failed: Job for personad.service failed.',
      'run: systemctl --user restart personad.service',
    ])
  })

  test('replaces its own unit, and any other one only with --force', async () => {
    const { env, unitPath, programs } = place()
    const { run } = system()
    await installService({ env, programs, run })
    await installService({ env, programs, run })
    writeFileSync(unitPath, '[Service]\nExecStart=/bin/mine\n')
    await expect(installService({ env, programs, run })).rejects.toMatchObject({ code: 'SERVICE_NOT_OURS' })
    expect(readFileSync(unitPath, 'utf8')).toContain('/bin/mine')
    await installService({ env, programs, run, force: true })
    expect(readFileSync(unitPath, 'utf8').startsWith(UNIT_MARKER)).toBe(true)
  })

  test('refuses a link; --force replaces the link but not its target', async () => {
    const { env, unitPath, programs } = place()
    const { run } = system()
    const target = join(tempDir(), 'elsewhere')
    writeFileSync(target, `${UNIT_MARKER}\nmine`)
    mkdirSync(dirname(unitPath), { recursive: true })
    symlinkSync(target, unitPath)
    await expect(installService({ env, programs, run })).rejects.toMatchObject({ code: 'SERVICE_NOT_OURS' })
    await installService({ env, programs, run, force: true })
    expect(lstatSync(unitPath).isFile()).toBe(true)
    expect(readFileSync(target, 'utf8')).toBe(`${UNIT_MARKER}\nmine`)
  })

  test('reports that it cannot create the directory of units', async () => {
    const { env, programs } = place()
    writeFileSync(join(env.XDG_CONFIG_HOME!, 'systemd'), '')
    await expect(installService({ env, programs, run: system().run })).rejects.toMatchObject({
      code: expect.stringMatching(/^SERVICE_(UNREADABLE|UNWRITABLE)$/),
    })
  })
})

describe('persona service uninstall', () => {
  test('stops the service before it removes the unit', async () => {
    const { env, unitPath, programs } = place()
    const { run, asked } = system()
    await installService({ env, programs, run })
    asked.length = 0
    const report = await uninstallService({ env, programs, run })
    expect(report.done).toEqual([
      'systemctl --user disable --now personad.service',
      `removed ${unitPath}`,
      'systemctl --user daemon-reload',
    ])
    expect(asked).toHaveLength(2)
    expect(() => lstatSync(unitPath)).toThrow('ENOENT')
  })

  test('does nothing without a unit, and refuses a unit of somebody else', async () => {
    const { env, unitPath, programs } = place()
    const { run, asked } = system()
    expect(await uninstallService({ env, programs, run })).toEqual({ unitPath, done: [], todo: [] })
    mkdirSync(dirname(unitPath), { recursive: true })
    writeFileSync(unitPath, `# ${UNIT_MARKER}\n`)
    await expect(uninstallService({ env, programs, run })).rejects.toMatchObject({ code: 'SERVICE_NOT_OURS' })
    expect(asked).toEqual([])
  })
})

describe('the repair unit', () => {
  test('begins with the marker, has absolute paths and the same home, and otherwise equals the shipped unit', () => {
    const template = readFileSync(resolve('systemd/personad-repair.service'), 'utf8')
    const env = { HOME: '/home/alice' }
    const unit = renderRepairUnit({
      template,
      nodePath: '/opt/node/bin/node',
      launcherPath: PROGRAMS.commandPath,
      paths: resolvePaths({ home: '/srv/a b%h', env }),
      home: '/srv/a b%h',
      env,
    })
    expect(unit.startsWith(`${UNIT_MARKER}\n\n[Unit]\n`)).toBe(true)
    expect(linesOf(unit, 'ExecStart=', 'Environment="')).toEqual([
      'ExecStart="/opt/node/bin/node" "/opt/personad/src/launch/persona.js" tox repair',
      'Environment="PERSONAD_HOME=/srv/a b%%h"',
    ])
    const kept = template.slice(template.indexOf('[Unit]')).split('\n')
    const missing = kept.filter((line) => !unit.split('\n').includes(line))
    expect(missing).toEqual(['ExecStart=/usr/bin/env persona tox repair'])
  })

  test('is installed on request, and the daemon keeps running if its own unit is unchanged', async () => {
    const { env, unitPath, programs } = place()
    const repairPath = join(dirname(unitPath), 'personad-repair.service')
    const { run } = system({ Linger: { status: 0, output: 'yes\n' } })
    const first = await installService({ env, programs, run, repair: true })
    const commands = ['daemon-reload', 'enable personad.service', 'restart personad.service']
    const more = ['enable personad-repair.service', 'restart personad-repair.service']
    const wrote = [`wrote ${unitPath}`, `wrote ${repairPath}`]
    expect(first.done).toEqual([...wrote, ...[...commands, ...more].map((words) => `systemctl --user ${words}`)])
    const again = await installService({ env, programs, run, repair: true })
    expect(again.done).toContain('systemctl --user start personad.service')
    expect(again.done).not.toContain('systemctl --user restart personad.service')
    expect((await serviceStatus({ env, programs, run })).repair).toMatchObject({ unit: 'ours', unitPath: repairPath })
  })

  test('is removed by an uninstall, before the daemon', async () => {
    const { env, unitPath, programs } = place()
    const repairPath = join(dirname(unitPath), 'personad-repair.service')
    const { run } = system()
    await installService({ env, programs, run, repair: true })
    expect((await uninstallService({ env, programs, run })).done).toEqual([
      'systemctl --user disable --now personad-repair.service',
      'systemctl --user disable --now personad.service',
      `removed ${repairPath}`,
      `removed ${unitPath}`,
      'systemctl --user daemon-reload',
    ])
    expect(() => lstatSync(repairPath)).toThrow('ENOENT')
  })

  test('of somebody else is replaced or removed only with --force', async () => {
    const { env, unitPath, programs } = place()
    const repairPath = join(dirname(unitPath), 'personad-repair.service')
    const { run } = system()
    mkdirSync(dirname(unitPath), { recursive: true })
    writeFileSync(repairPath, '[Service]\nExecStart=/bin/mine\n')
    const refusal = { code: 'SERVICE_NOT_OURS' }
    await expect(installService({ env, programs, run, repair: true })).rejects.toMatchObject(refusal)
    expect(() => lstatSync(unitPath)).toThrow('ENOENT')
    await installService({ env, programs, run })
    await expect(uninstallService({ env, programs, run })).rejects.toMatchObject(refusal)
    expect(readFileSync(repairPath, 'utf8')).toContain('/bin/mine')
    await installService({ env, programs, run, repair: true, force: true })
    expect(readFileSync(repairPath, 'utf8')).toContain('tox repair')
  })
})

describe.each(['net', 'rtc'] as const)('the units of personad-%s', (program) => {
  const name = `personad-${program}`
  const template = readFileSync(resolve(`systemd/${name}.service`), 'utf8')

  function confinedUnit(changes: Partial<ConfinedUnitInput> = {}): string {
    const env = { HOME: '/home/alice' }
    return renderConfinedUnit({
      template,
      nodePath: '/home/alice/node/bin/node',
      paths: resolvePaths({ home: '/srv/a b%h', env }),
      env,
      ...PROGRAMS[program],
      ...changes,
    })
  }

  test('show the program Node and its own code, and hide the state and the sockets of the daemon wherever they are', () => {
    const unit = confinedUnit()
    const { launcherPath, flags, readable } = PROGRAMS[program]
    expect(unit.startsWith(`${UNIT_MARKER}\n\n[Unit]\n`)).toBe(true)
    expect(linesOf(unit, 'ExecStart=', 'ProtectHome=', 'BindReadOnlyPaths=', 'InaccessiblePaths=')).toEqual([
      `ExecStart=${['/home/alice/node/bin/node', ...flags, launcherPath].map((word) => `"${word}"`).join(' ')}`,
      'ProtectHome=tmpfs',
      'BindReadOnlyPaths="/home/alice/node/bin/node"',
      ...readable.map((path) => `BindReadOnlyPaths="${path}"`),
      'InaccessiblePaths="-/srv/a b%%h/state"',
      'InaccessiblePaths="-/srv/a b%%h/run"',
    ])
    const kept = template.slice(template.indexOf('[Unit]')).split('\n')
    const missing = kept.filter((line) => !unit.split('\n').includes(line))
    expect(missing.map((line) => line.split('=')[0])).toEqual(['ExecStart'])
  })

  test.each([
    ['a colon in a path that the program reads', { readable: ['/opt/a:b'] }],
    ['code below /tmp', { readable: ['/tmp/personad/src'] }],
    ['a quote in the path of node', { nodePath: '/opt/"/node' }],
    ['a line end in a path', { readable: ['/opt/a\nExecStart=/bin/evil'] }],
  ])('are refused for %s', (_title, changes) => {
    expect(codeOf(() => confinedUnit(changes))).toBe('SERVICE_PATH_UNUSABLE')
  })

  test('are removed by an uninstall, and of somebody else only with --force', async () => {
    const { env, unitPath, programs } = place()
    const socketPath = join(dirname(unitPath), `${name}.socket`)
    const { run } = system()
    await installService({ env, programs, run, net: true })
    const { done } = await uninstallService({ env, programs, run })
    expect(done).toContain(`systemctl --user disable --now ${name}.socket`)
    expect(done).toContain(`removed ${socketPath}`)
    expect(() => lstatSync(socketPath)).toThrow('ENOENT')
    writeFileSync(socketPath, '[Socket]\nListenStream=/mine\n')
    const refusal = { code: 'SERVICE_NOT_OURS' }
    await expect(installService({ env, programs, run, net: true })).rejects.toMatchObject(refusal)
    await expect(uninstallService({ env, programs, run })).rejects.toMatchObject(refusal)
    await installService({ env, programs, run, net: true, force: true })
    expect(readFileSync(socketPath, 'utf8').startsWith(UNIT_MARKER)).toBe(true)
  })

  test('agree with the daemon on the path of the socket', () => {
    const daemon = readFileSync(resolve('systemd/personad.service'), 'utf8')
    const socket = readFileSync(resolve(`systemd/${name}.socket`), 'utf8')
    const [, path] = /^ListenStream=(.+)$/m.exec(socket)!
    const variable = `Environment=PERSONAD_${program.toUpperCase()}_SOCKET=`
    expect(linesOf(daemon, variable)).toEqual([`${variable}${path}`])
  })
})

describe('the units of the network', () => {
  test('are installed on request, each socket first, and the daemon keeps running if its own unit is unchanged', async () => {
    const { env, unitPath, programs } = place()
    const paths = ['personad-net.socket', 'personad-net.service', 'personad-rtc.socket', 'personad-rtc.service'].map(
      (name) => join(dirname(unitPath), name),
    )
    const { run } = system({ Linger: { status: 0, output: 'yes\n' } })
    expect((await installService({ env, programs, run })).done).not.toContain(`wrote ${paths[1]}`)
    const { done } = await installService({ env, programs, run, net: true })
    expect(done).toEqual([
      `wrote ${unitPath}`,
      ...paths.map((path) => `wrote ${path}`),
      'systemctl --user daemon-reload',
      'systemctl --user stop personad-net.service',
      'systemctl --user enable personad-net.socket',
      'systemctl --user restart personad-net.socket',
      'systemctl --user stop personad-rtc.service',
      'systemctl --user enable personad-rtc.socket',
      'systemctl --user restart personad-rtc.socket',
      'systemctl --user enable personad.service',
      'systemctl --user start personad.service',
    ])
    expect(readFileSync(paths[0]!, 'utf8')).toContain('ListenStream=%t/personad-net.sock')
    expect(readFileSync(paths[2]!, 'utf8')).toContain('ListenStream=%t/personad-rtc.sock')
    expect(await serviceStatus({ env, programs, run })).toMatchObject({
      net: { unit: 'ours', unitPath: paths[1] },
      rtc: { unit: 'ours', unitPath: paths[3] },
    })
  })

  test('leave personad-rtc out where node-datachannel is not installed', async () => {
    const { env, unitPath, programs } = place()
    const options = { env, programs: { ...programs, rtc: null }, run: system().run }
    const { done } = await installService({ ...options, net: true })
    expect(done).toContain(`wrote ${join(dirname(unitPath), 'personad-net.service')}`)
    expect(done.filter((line) => line.includes('personad-rtc'))).toEqual([])
    expect((await serviceStatus(options)).rtc.unit).toBe('absent')
  })
})

describe('folders of channels', () => {
  test('are opened on request in a drop-in of the daemon, which starts again for it, and removed by an uninstall', async () => {
    const { env, unitPath, programs } = place()
    const path = join(`${unitPath}.d`, 'folders.conf')
    const { run } = system({ Linger: { status: 0, output: 'yes\n' } })
    await installService({ env, programs, run })
    expect(() => lstatSync(path)).toThrow('ENOENT')
    const { done } = await installService({ env, programs, run, net: true, folders: ['/srv/a b', '/media/50%"'] })
    expect(done).toContain(`wrote ${path}`)
    expect(done.at(-1)).toBe('systemctl --user restart personad.service')
    expect(linesOf(readFileSync(path, 'utf8'), '[', 'Read')).toEqual([
      '[Service]',
      'ReadWritePaths="-/srv/a b"',
      'ReadWritePaths="-/media/50%%\\""',
    ])
    await installService({ env, programs, run, folders: ['/srv/c'] })
    expect(linesOf(readFileSync(path, 'utf8'), 'Read')).toEqual(['ReadWritePaths="-/srv/c"'])
    await installService({ env, programs, run })
    expect(linesOf(readFileSync(path, 'utf8'), 'Read')).toEqual(['ReadWritePaths="-/srv/c"'])
    expect((await uninstallService({ env, programs, run })).done).toContain(`removed ${path}`)
  })

  test.each([
    ['a folder below /tmp, which the service cannot see', '/tmp/share'],
    ['a path with a line end', '/srv/a\nPrivateNetwork=no'],
  ])('are refused for %s', async (_title, folder) => {
    const { env, unitPath, programs } = place()
    await expect(installService({ env, programs, run: system().run, folders: [folder] })).rejects.toMatchObject({
      code: 'SERVICE_PATH_UNUSABLE',
    })
    expect(() => lstatSync(unitPath)).toThrow('ENOENT')
  })

  test('of somebody else in a drop-in of that name are replaced with --force only', async () => {
    const { env, unitPath, programs } = place()
    const path = join(`${unitPath}.d`, 'folders.conf')
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, '[Service]\nReadWritePaths=/mine\n')
    const wish = { env, programs, run: system().run, folders: ['/srv/a'] }
    await expect(installService(wish)).rejects.toMatchObject({ code: 'SERVICE_NOT_OURS' })
    await uninstallService({ env, programs, run: wish.run })
    expect(readFileSync(path, 'utf8')).toContain('/mine')
    await installService({ ...wish, force: true })
    expect(readFileSync(path, 'utf8').startsWith(UNIT_MARKER)).toBe(true)
  })
})

describe('persona service status', () => {
  const answer = 'ActiveState=active\nUnitFileState=enabled\nMainPID=4242\nStatusText=serving a=b\n'

  test('shows the unit, the process and the status text of the daemon', async () => {
    const { env, unitPath, programs } = place()
    const { run } = system({ show: { status: 0, output: answer }, Linger: { status: 0, output: 'no\n' } })
    expect(await serviceStatus({ env, programs, run })).toMatchObject({ unit: 'absent', activeState: 'active' })
    await installService({ env, programs, run })
    const linger = system({ 'show-user': { status: 0, output: 'no\n' }, show: { status: 0, output: answer } })
    expect(await serviceStatus({ env, programs, run: linger.run })).toEqual({
      unitPath,
      unit: 'ours',
      activeState: 'active',
      unitFileState: 'enabled',
      mainPid: 4242,
      statusText: 'serving a=b',
      repair: {
        unitPath: join(dirname(unitPath), 'personad-repair.service'),
        unit: 'absent',
        activeState: 'active',
        unitFileState: 'enabled',
        mainPid: 4242,
      },
      net: {
        unitPath: join(dirname(unitPath), 'personad-net.service'),
        unit: 'absent',
        activeState: 'active',
        unitFileState: 'enabled',
        mainPid: 4242,
      },
      rtc: {
        unitPath: join(dirname(unitPath), 'personad-rtc.service'),
        unit: 'absent',
        activeState: 'active',
        unitFileState: 'enabled',
        mainPid: 4242,
      },
      isLingering: false,
    })
  })

  test('has no process if no service manager answers', async () => {
    const { env, unitPath, programs } = place()
    const { run } = system({ ctl: { status: 1, output: 'Failed to connect to bus\n' } })
    const nothing = { unit: 'absent', activeState: null, unitFileState: null, mainPid: null }
    expect(await serviceStatus({ env, programs, run })).toEqual({
      ...nothing,
      unitPath,
      statusText: null,
      repair: { ...nothing, unitPath: join(dirname(unitPath), 'personad-repair.service') },
      net: { ...nothing, unitPath: join(dirname(unitPath), 'personad-net.service') },
      rtc: { ...nothing, unitPath: join(dirname(unitPath), 'personad-rtc.service') },
      isLingering: null,
    })
  })

  test('has no process if the service does not run', async () => {
    const output = 'ActiveState=inactive\nUnitFileState=\nMainPID=0\nStatusText=\n'
    const status = await serviceStatus({ ...place(), run: system({ show: { status: 0, output } }).run })
    expect(status).toMatchObject({ activeState: 'inactive', unitFileState: null, mainPid: null, statusText: null })
  })
})

describe('the network of the companion', () => {
  test('is a drop-in, written on request and removed by an uninstall', async () => {
    const { env, unitPath, programs } = place()
    const toxPath = `${unitPath}.d/tox.conf`
    const { run } = system()
    const plain = await installService({ env, programs, run })
    expect(plain.done).not.toContain(`wrote ${toxPath}`)
    const { done } = await installService({ env, programs, run, tox: true, repair: true })
    expect(done).toContain(`wrote ${toxPath}`)
    // Only a new start is in another network.
    expect(done).toContain('systemctl --user restart personad.service')
    const text = readFileSync(toxPath, 'utf8')
    expect(text.startsWith(`${UNIT_MARKER}\n`)).toBe(true)
    expect(text.split('\n').filter((line) => /^[A-Z]/.test(line))).toEqual([
      'PrivateNetwork=no',
      'RestrictAddressFamilies=',
      'RestrictAddressFamilies=AF_UNIX AF_NETLINK AF_INET AF_INET6',
    ])
    expect((await uninstallService({ env, programs, run })).done).toContain(`removed ${toxPath}`)
    expect(() => lstatSync(toxPath)).toThrow('ENOENT')
  })

  test('does not replace a drop-in of somebody else', async () => {
    const { env, unitPath, programs } = place()
    const { run } = system()
    mkdirSync(`${unitPath}.d`, { recursive: true })
    writeFileSync(`${unitPath}.d/tox.conf`, '[Service]\nPrivateNetwork=yes\n')
    await expect(installService({ env, programs, run, tox: true })).rejects.toMatchObject({ code: 'SERVICE_NOT_OURS' })
    await installService({ env, programs, run })
    await uninstallService({ env, programs, run })
    expect(readFileSync(`${unitPath}.d/tox.conf`, 'utf8')).toContain('PrivateNetwork=yes')
  })
})
