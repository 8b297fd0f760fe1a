import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { linkSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { hostname, userInfo } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { clientsOn, type ClientOnProfile } from '../../../../src/tox/profile/clients.ts'
import { directoriesOf, placeOf } from '../../../../src/tox/profile/default-profile.ts'
import { thisMachine } from '../../../../src/tox/profile/lock-file.ts'
import { encodeSave } from '../../../../src/tox/save/savefile.ts'
import { nine } from '../../../support/tox-people.ts'
import { BOOT_ID, MACHINE_ID, fakeLocks, fakeMachine, type FakeProcess } from '../../../support/fake-machine.ts'
import { tempDir } from '../../../support/temp-dir.ts'

interface Scene {
  readonly directory: string
  readonly profile: string
}

/** A home with ~/.config/tox/FILE in it. */
function scene(file = 'alice.tox'): Scene {
  const directory = tempDir()
  const tox = join(directory, '.config/tox')
  mkdirSync(tox, { recursive: true })
  const profile = join(tox, file)
  writeFileSync(profile, 'profile')
  return { directory, profile }
}

async function found({ directory, profile }: Scene, ...processes: FakeProcess[]): Promise<ClientOnProfile[]> {
  return await clientsOn(profile, fakeMachine(directory, processes))
}

const qtox: FakeProcess = { pid: 4711, args: ['/usr/bin/qtox'], exe: '/usr/bin/qtox' }

describe('the lock file of a client', () => {
  const lines = ['4711', 'qtox', 'laptop', MACHINE_ID, BOOT_ID]
  const changed = (line: number, text: string): string => lines.with(line, text).join('\n')
  const held: ClientOnProfile = { program: 'qtox', pid: 4711, evidence: 'lock' }
  const LOCKS: readonly [string, string, readonly FakeProcess[], ClientOnProfile | null][] = [
    ['holds while its process runs', lines.join('\n'), [qtox], held],
    ['with three lines, from an older Qt, holds', lines.slice(0, 3).join('\n'), [qtox], held],
    ['holds when the program cannot be inspected', lines.join('\n'), [{ pid: 4711, args: ['qtox'] }], held],
    [
      'holds after the program was updated under it',
      lines.join('\n'),
      [{ ...qtox, exe: '/usr/bin/qtox (deleted)' }],
      held,
    ],
    ['left by a killed process is stale', lines.join('\n'), [], null],
    [
      'whose number went to another program is void',
      lines.join('\n'),
      [{ ...qtox, args: ['sh'], exe: '/bin/sh' }],
      null,
    ],
    ['from before a reboot is stale', changed(4, 'another boot'), [qtox], null],
    ['of another machine holds, with an unknown process', changed(3, 'f'.repeat(32)), [], { ...held, pid: null }],
    ['of another host without a machine id holds', ['4711', 'qtox', 'desktop'].join('\n'), [], { ...held, pid: null }],
    ['of this machine under another host name is stale', changed(2, 'desktop'), [], null],
    ["with only a number, toxygen's form, holds", '4711', [qtox], { ...held, program: 'an unknown program' }],
    ['with only a number is stale after its process ends', '4711', [], null],
    ['that is empty holds', '', [], { program: 'an unknown program', pid: null, evidence: 'lock' }],
    [
      'with a path for a number holds',
      changed(0, '../../1'),
      [],
      { program: 'an unknown program', pid: null, evidence: 'lock' },
    ],
    [
      'that is far too long holds',
      'x\n'.repeat(5000),
      [],
      { program: 'an unknown program', pid: null, evidence: 'lock' },
    ],
  ]
  test.each(LOCKS)('%s', async (_, lock, processes, expected) => {
    const place = scene()
    writeFileSync(join(place.profile, '../alice.lock'), lock)
    expect(await found(place, ...processes)).toEqual(expected === null ? [] : [expected])
  })

  test('of another profile is ignored', async () => {
    const place = scene()
    writeFileSync(join(place.profile, '../bob.lock'), lines.join('\n'))
    expect(await found(place, qtox)).toEqual([])
  })

  test('held open reveals a process that the lock numbers in another namespace', async () => {
    const place = scene()
    const lock = join(place.profile, '../alice.lock')
    writeFileSync(lock, changed(0, '2'))
    expect(await found(place, { ...qtox, open: [{ path: lock, flags: '0100002' }] })).toEqual([
      { program: 'qtox', pid: 4711, evidence: 'open-file' },
    ])
  })
})

describe('the lock file of a client in a sandbox, whose number is of its own namespace', () => {
  const lines = ['2', 'qtox', 'laptop', MACHINE_ID, BOOT_ID].join('\n')
  // On the machine itself, 2 is a thread of the kernel, which nobody can look into.
  const kernelThread = { pid: 2, args: [] }

  async function withLocks(processes: readonly FakeProcess[], holder: number | null): Promise<ClientOnProfile[]> {
    const place = scene()
    const lock = join(place.profile, '../alice.lock')
    writeFileSync(lock, lines)
    const machine = fakeMachine(place.directory, processes)
    fakeLocks(machine, holder === null ? [{ path: place.profile, pid: 9 }] : [{ path: lock, pid: holder }])
    return await clientsOn(place.profile, machine)
  }

  test('holds while the kernel shows the lock', async () => {
    expect(await withLocks([kernelThread], 8000)).toEqual([{ program: 'qtox', pid: 8000, evidence: 'lock' }])
  })

  test('is void when no process holds it any more', async () => {
    expect(await withLocks([kernelThread], null)).toEqual([])
    expect(await withLocks([], null)).toEqual([])
  })

  test('holds where the kernel does not show all locks', async () => {
    const place = scene()
    writeFileSync(join(place.profile, '../alice.lock'), lines)
    const machine = fakeMachine(place.directory, [kernelThread])
    writeFileSync(join(machine.procDir, 'locks'), '')
    expect(await clientsOn(place.profile, machine)).toEqual([{ program: 'qtox', pid: 2, evidence: 'lock' }])
  })

  test('holds without a lock of the kernel while a program of that name has the number', async () => {
    expect(await withLocks([{ ...qtox, pid: 2 }], null)).toEqual([{ program: 'qtox', pid: 2, evidence: 'lock' }])
  })
})

test('a real lock of the kernel is found', async () => {
  const place = scene()
  const lock = join(place.profile, '../alice.lock')
  writeFileSync(lock, ['2', 'qtox', hostname()].join('\n'))
  const holder = spawn('flock', [lock, 'sh', '-c', 'echo up; sleep 60'], { stdio: ['ignore', 'pipe', 'ignore'] })
  onTestFinished(() => void holder.kill('SIGKILL'))
  await once(holder.stdout, 'data')
  expect(await clientsOn(place.profile)).toMatchObject([{ program: 'qtox', pid: holder.pid, evidence: 'lock' }])
})

describe('a client without a lock file', () => {
  test.each([
    ['-f', 'alice.tox'],
    ['-falice.tox'],
    ['--file=alice.tox'],
    ['--file', './alice.tox'],
    ['-o', '-L', '-f', '../tox/alice.tox'],
  ])('is found by its command line %j', async (...args) => {
    const place = scene()
    const toxic = { pid: 7, args: ['toxic', ...args], cwd: join(place.profile, '..') }
    expect(await found(place, toxic)).toEqual([{ program: 'toxic', pid: 7, evidence: 'command-line' }])
  })

  test('is found when it opened the profile under another name', async () => {
    const place = scene()
    symlinkSync(place.profile, join(place.directory, 'soft.tox'))
    linkSync(place.profile, join(place.directory, 'hard.tox'))
    for (const name of ['soft.tox', 'hard.tox']) {
      const toxic = { pid: 7, args: ['toxic', '-f', name], cwd: place.directory }
      expect(
        await clientsOn(place.profile, fakeMachine(join(place.directory, name.slice(0, 4)), [toxic])),
      ).toHaveLength(1)
    }
  })

  test('on another profile is ignored', async () => {
    const place = scene('toxic_profile.tox')
    writeFileSync(join(place.directory, 'other.tox'), '')
    const HOME = place.directory
    expect(await found(place, { pid: 7, args: ['toxic', '-f', 'other.tox'], cwd: HOME, environ: { HOME } })).toEqual([])
  })

  const DEFAULTS = [
    ['toxic', 'toxic_profile.tox'],
    ['utox', 'tox_save.tox'],
  ] as const
  test.each(DEFAULTS)('%s is found by the profile it opens by default', async (program, file) => {
    const place = scene(file)
    const client = { pid: 7, args: [program], cwd: '/' }
    const expected = [{ program, pid: 7, evidence: 'default-profile' }]
    const at = (name: string): string => join(place.directory, name)
    const on = async (name: string, environ?: Record<string, string>): Promise<ClientOnProfile[]> =>
      await clientsOn(place.profile, fakeMachine(at(name), [environ === undefined ? client : { ...client, environ }]))
    expect(await on('home', { HOME: place.directory })).toEqual(expected)
    expect(await on('xdg', { HOME: '/nowhere', XDG_CONFIG_HOME: at('.config') })).toEqual(expected)
    expect(await on('hidden')).toEqual(expected)
    expect(await on('somebody-else', { HOME: '/nowhere' })).toEqual([])
  })

  test('is found with another HOME, with an empty XDG_CONFIG_HOME, and in its working directory', async () => {
    const place = scene('toxic_profile.tox')
    const toxic = { pid: 7, args: ['toxic'] }
    const config = join(place.directory, '.config')
    for (const [name, cwd, environ] of [
      ['empty', config, { HOME: '/nowhere', XDG_CONFIG_HOME: '' }],
      ['relative', place.directory, { HOME: '/nowhere', XDG_CONFIG_HOME: '.config' }],
      ['inside', join(config, 'tox'), { HOME: '/nowhere' }],
    ] as const) {
      const machine = fakeMachine(join(place.directory, name), [{ ...toxic, cwd, environ }])
      expect(await clientsOn(place.profile, machine), name).toMatchObject([{ evidence: 'default-profile' }])
    }
    // toxic asks the password file for the home directory.
    const other = { cwd: '/', environ: new Map([['HOME', '/nowhere']]), home: place.directory }
    expect(directoriesOf(other)).toContain(join(config, 'tox'))
    expect((await placeOf(thisMachine, process.pid)).home).toBe(userInfo().homedir)
  })

  test('in portable mode is found by the file name', async () => {
    const place = scene('tox_save.tox')
    expect(await found(place, { pid: 7, args: ['utox', '-p'], cwd: '/', environ: { HOME: '/nowhere' } })).toHaveLength(
      1,
    )
  })

  test('written in Python is found by its script', async () => {
    const place = scene()
    const args = ['/usr/bin/python3.11', '/opt/toxygen/main.py', place.profile]
    expect(await found(place, { pid: 7, args, cwd: '/' })).toEqual([
      { program: 'toxygen', pid: 7, evidence: 'command-line' },
    ])
  })
})

describe('a client that is not in our list, with libtoxcore in its memory', () => {
  const maps = ['/usr/lib/x86_64-linux-gnu/libc.so.6', '/usr/lib/x86_64-linux-gnu/libtoxcore.so.2.18.0']
  const bot = { pid: 7, args: ['/opt/newtox'], maps, cwd: '/' }

  test('counts where it looks for profiles', async () => {
    const place = scene()
    const HOME = place.directory
    const expected = [{ program: 'newtox', pid: 7, evidence: 'library' }]
    expect(await found(place, { ...bot, environ: { HOME } })).toEqual(expected)
    const on = async (name: string, process: FakeProcess): Promise<ClientOnProfile[]> =>
      await clientsOn(place.profile, fakeMachine(join(place.directory, name), [process]))
    expect(await on('cwd', { ...bot, cwd: join(place.profile, '..'), environ: { HOME: '/nowhere' } })).toEqual(expected)
    expect(await on('hidden', bot)).toEqual(expected)
    expect(await on('else', { ...bot, environ: { HOME: '/nowhere' } })).toEqual([])
    expect(await on('without', { ...bot, maps: maps.slice(0, 1), environ: { HOME } })).toEqual([])
  })

  test('does not when its command line names another profile, and the companion never does', async () => {
    const place = scene()
    const HOME = place.directory
    writeFileSync(join(HOME, 'bot.tox'), encodeSave(nine()))
    writeFileSync(join(HOME, 'bot.conf'), 'not a profile')
    const on = async (name: string, args: string[]): Promise<number> =>
      (await clientsOn(place.profile, fakeMachine(join(HOME, name), [{ ...bot, args, cwd: HOME, environ: { HOME } }])))
        .length
    expect(await on('other', ['newtox', '--save=bot.tox'])).toBe(0)
    expect(await on('settings', ['newtox', '-c', 'bot.conf'])).toBe(1)
    expect(await on('companion', ['/usr/bin/node', '/opt/personad/dist/toxnode/main.js'])).toBe(0)
  })
})

describe('other programs', () => {
  test('may name the profile, as an editor or persona does', async () => {
    const place = scene()
    expect(await found(place, { pid: 7, args: ['persona', 'tox', 'publish', place.profile], cwd: '/' })).toEqual([])
  })

  test.each([
    ['may read it', '0100000', 0],
    ['may not write it', '0100001', 1],
    ['may not read and write it', '0100002', 1],
  ])('%s', async (_, flags, count) => {
    const place = scene()
    expect(await found(place, { pid: 7, args: ['/bin/other'], open: [{ path: place.profile, flags }] })).toHaveLength(
      count,
    )
  })
})

test('a missing profile and a machine without /proc have no clients', async () => {
  const directory = tempDir()
  const machine = { ...fakeMachine(directory), procDir: join(directory, 'nowhere') }
  expect(await clientsOn(join(directory, 'x.tox'), machine)).toEqual([])
})

test('real processes are found, one by its command line and one by the file it writes', async () => {
  const { profile } = scene()
  const stay = 'process.stdout.write("up"); setInterval(() => {}, 1e6)'
  const writer = `require("node:fs").openSync(${JSON.stringify(profile)}, "r+"); ${stay}`
  const toxic = spawn(process.execPath, ['-e', stay, '--', profile], { argv0: 'toxic' })
  const other = spawn(process.execPath, ['-e', writer])
  onTestFinished(() => void [toxic.kill('SIGKILL'), other.kill('SIGKILL')])
  await Promise.all([once(toxic.stdout, 'data'), once(other.stdout, 'data')])
  const clients = await clientsOn(profile)
  expect(clients.toSorted((a, b) => a.evidence.localeCompare(b.evidence))).toEqual([
    { program: 'toxic', pid: toxic.pid, evidence: 'command-line' },
    { program: expect.any(String), pid: other.pid, evidence: 'open-file' },
  ])
})
