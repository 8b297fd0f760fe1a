import { spawn, spawnSync } from 'node:child_process'
import { EventEmitter } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, watch, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, describe, expect, test } from 'vitest'
import { ConfigError } from '../../../src/process/config-file.ts'
import { superviseProcess, type Service, type Supervisor } from '../../../src/process/supervise.ts'
import { CustodyError } from '../../../src/daemon/custody/errors.ts'
import type { Log, LogFields } from '../../../src/process/log.ts'

const directory = mkdtempSync(join(tmpdir(), 'personad-lifecycle-'))
afterAll(() => rmSync(directory, { recursive: true }))

const settled = (): Promise<void> => new Promise((done) => setImmediate(done))

interface Stage {
  supervisor: Supervisor
  service: Service
  send: (event: string, value?: unknown) => Promise<void>
  /** Everything that happened, in order: reports to the service manager, log records, and the exit. */
  story: string[]
  fields: LogFields[]
  clock: { ms: number }
  terminal: { isGone: boolean }
}

function makeStage(work: Partial<Pick<Service, 'stop' | 'reload' | 'lock'>> = {}): Stage {
  const story: string[] = []
  const fields: LogFields[] = []
  const clock = { ms: 1_000 }
  const terminal = { isGone: false }
  const write = (event: string, given: LogFields = {}): void => {
    story.push(event)
    fields.push(given)
  }
  const log: Log = { error: write, warn: write, info: write, debug: write, setLevel: () => undefined }
  const stand = Object.assign(new EventEmitter(), { exit: (status: number) => void story.push(`exit ${status}`) })
  const service: Service = {
    notifier: {
      ready: (status) => story.push(`READY ${status}`),
      status: (status) => story.push(`STATUS ${status}`),
      reloading: () => story.push('RELOADING'),
      stopping: () => story.push('STOPPING'),
      startWatchdog: () => undefined,
      close: () => undefined,
    },
    lock: () => {
      story.push('lock')
      work.lock?.()
    },
    stop: work.stop ?? ((): Promise<void> => Promise.resolve()),
    reload: work.reload ?? ((): Promise<string> => Promise.resolve('reloaded')),
  }
  stand.on('warning', () => story.push('printed by node'))
  const isTerminalGone = (): boolean => terminal.isGone
  const supervisor = superviseProcess({ log, process: stand, nowMs: () => clock.ms, isTerminalGone })
  const send = (event: string, value?: unknown): Promise<void> => {
    stand.emit(event, value)
    return settled()
  }
  return { supervisor, service, send, story, fields, clock, terminal }
}

function serving(work?: Partial<Pick<Service, 'stop' | 'reload' | 'lock'>>): Stage {
  const stage = makeStage(work)
  stage.supervisor.serve(stage.service, 'serving')
  stage.story.length = 0
  stage.fields.length = 0
  return stage
}

describe('a stop', () => {
  test.each(['SIGTERM', 'SIGINT'])(
    'by %s is reported, finishes the work in progress, and exits with 0',
    async (signal) => {
      const { send, story } = serving({
        stop: () => {
          story.push('stop')
          return Promise.resolve()
        },
      })
      await send(signal)
      expect(story).toEqual([`daemon.${signal.toLowerCase()}`, 'STOPPING', 'stop', 'daemon.stopped', 'exit 0'])
    },
  )

  test('requested again after half a second ends at once with 1', async () => {
    const { send, story, clock } = serving({ stop: () => new Promise(() => undefined) })
    await send('SIGTERM')
    clock.ms += 499
    await send('SIGINT')
    expect(story).toEqual(['daemon.sigterm', 'STOPPING'])
    clock.ms += 1
    await send('SIGINT')
    expect(story.slice(2)).toEqual(['daemon.cut-short', 'exit 1'])
  })

  test('by one Ctrl-C under npm, which sends it twice, is still orderly', async () => {
    const { send, story, clock } = serving({ stop: settled })
    const first = send('SIGINT')
    clock.ms += 3
    const second = send('SIGINT')
    await Promise.all([first, second])
    await settled()
    expect(story).toEqual(['daemon.sigint', 'STOPPING', 'daemon.stopped', 'exit 0'])
  })

  test('that fails is reported and exits with 1', async () => {
    const { send, story } = serving({ stop: () => Promise.reject(new Error('disk')) })
    await send('SIGTERM')
    expect(story).toEqual(['daemon.sigterm', 'STOPPING', 'daemon.failed', 'exit 1'])
  })

  test('during the start ends at once with 0, and nothing reports ready afterwards', async () => {
    const { send, story, supervisor, service } = makeStage()
    await send('SIGTERM')
    supervisor.serve(service, 'late')
    expect(story).toEqual(['daemon.sigterm', 'exit 0'])
  })

  test('by the daemon itself logs its reason, exits with its status, and happens once', async () => {
    const { supervisor, story } = serving()
    supervisor.stop('socket.replaced', 1)
    supervisor.stop('socket.replaced', 1)
    await settled()
    expect(story).toEqual(['socket.replaced', 'STOPPING', 'daemon.stopped', 'exit 1'])
  })
})

describe('a reload', () => {
  test('is reported from start to end', async () => {
    const { send, story } = serving()
    await send('SIGHUP')
    expect(story).toEqual(['RELOADING', 'READY reloaded'])
  })

  test('of a broken configuration keeps the old one, logs why, and can be retried', async () => {
    const answers = [Promise.reject(new ConfigError('CONFIG_VALUE', 'line 3', null)), Promise.resolve('good')]
    const { send, story, fields } = serving({ reload: () => answers.shift()! })
    await send('SIGHUP')
    expect(story).toEqual(['RELOADING', 'config.kept', 'READY serving'])
    expect(fields[0]).toMatchObject({ message: 'line 3', error: 'ConfigError CONFIG_VALUE' })
    await send('SIGHUP')
    expect(story.slice(3)).toEqual(['RELOADING', 'READY good'])
  })

  test('that fails unexpectedly ends the daemon', async () => {
    const { send, story } = serving({ reload: () => Promise.reject(new TypeError('x')) })
    await send('SIGHUP')
    expect(story).toEqual(['RELOADING', 'daemon.failed', 'exit 1'])
  })

  test('requested during another runs once afterwards', async () => {
    const runs = [Promise.withResolvers<string>(), Promise.withResolvers<string>()]
    let ran = 0
    const { send, story } = serving({ reload: () => runs[ran++]!.promise })
    await send('SIGHUP')
    await send('SIGHUP')
    await send('SIGHUP')
    expect(story).toEqual(['RELOADING'])
    runs[0]!.resolve('one')
    await settled()
    runs[1]!.resolve('two')
    await settled()
    expect(story).toEqual(['RELOADING', 'READY one', 'RELOADING', 'READY two'])
  })

  test('requested during the start runs afterwards', async () => {
    const { send, story, supervisor, service } = makeStage()
    await send('SIGHUP')
    expect(story).toEqual([])
    supervisor.serve(service, 'serving')
    await settled()
    expect(story).toEqual(['READY serving', 'RELOADING', 'READY reloaded'])
  })

  test('does not undo a stop that began during it', async () => {
    const run = Promise.withResolvers<string>()
    const { send, story } = serving({ reload: () => run.promise, stop: () => new Promise(() => undefined) })
    await send('SIGHUP')
    await send('SIGTERM')
    run.resolve('late')
    await settled()
    await send('SIGHUP')
    expect(story).toEqual(['RELOADING', 'daemon.sigterm', 'STOPPING'])
  })

  test('does not follow when the terminal closes: the daemon stops', async () => {
    const { send, story, terminal } = serving()
    terminal.isGone = true
    await send('SIGHUP')
    expect(story).toEqual(['daemon.sighup', 'STOPPING', 'daemon.stopped', 'exit 0'])
  })
})

describe('an unexpected error', () => {
  test.each(['uncaughtException', 'unhandledRejection'])(
    '(%s) is logged and ends the daemon with 1, once',
    async (event) => {
      const { send, story, fields } = serving()
      await send(event, new Error('abandon ability'))
      await send(event, new Error('another'))
      await send('SIGTERM')
      expect(story).toEqual(['daemon.failed', 'exit 1'])
      expect(fields[0]).toMatchObject({ error: 'Error', during: 'serving' })
      expect(JSON.stringify(fields)).not.toContain('abandon')
    },
  )

  test('at the start exits with 1; a refusal of ours exits with 78, which systemd does not retry', () => {
    const unexpected = makeStage()
    unexpected.supervisor.fail(new Error('x'))
    expect(unexpected.story).toEqual(['daemon.failed', 'exit 1'])
    const refused = makeStage()
    refused.supervisor.fail(new ConfigError('CONFIG_UNKNOWN_KEY', 'line 1', null))
    expect(refused.story).toEqual(['daemon.failed', 'exit 78'])
    const unit = readFileSync(resolve('systemd/personad.service'), 'utf8')
    expect(unit).toContain('\nRestartPreventExitStatus=78\n')
  })

  test('that is only a warning of Node becomes a log record', async () => {
    const { send, story, fields } = serving()
    await send('warning', Object.assign(new Error('abandon'), { name: 'DeprecationWarning', code: 'DEP0001' }))
    expect(story).toEqual(['node.warning'])
    expect(fields[0]).toMatchObject({ error: 'DeprecationWarning DEP0001' })
  })
})

describe('a real process', () => {
  const modules = ['supervise', 'log'].map((name) =>
    JSON.stringify(pathToFileURL(resolve(`src/process/${name}.ts`)).href),
  )

  function scriptOf(body: string): string {
    return `const { superviseProcess } = await import(${modules[0]}); const { openLog } = await import(${modules[1]})
      const fs = await import('node:fs'); const log = openLog({ level: 'info' }); const supervisor = superviseProcess({ log })
      const notifier = { ready() {}, reloading() {}, stopping() {}, startWatchdog() {}, close() {} }
      const say = (word) => fs.appendFileSync(process.env.STORY, word + '\\n')
      const serve = () => { supervisor.serve({ notifier, stop: async () => say('stopped'), reload: async () => { say('reloaded'); return '' } }, ''); say('serving') }
      setInterval(() => {}, 1000); ${body}`
  }

  test.each([
    ['a throw', `setImmediate(() => { throw new Error('abandon') })`],
    ['a rejection', `Promise.reject(new Error('abandon'))`],
  ])('ends with 1 after %s, and its last line reports it without the text', (_title, body) => {
    const script = scriptOf(`serve(); ${body}`)
    const env = { ...process.env, STORY: join(directory, 'unexpected') }
    const { status, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
      env,
      encoding: 'utf8',
    })
    expect(status).toBe(1)
    expect(JSON.parse(stderr.trimEnd().split('\n').at(-1)!)).toMatchObject({ event: 'daemon.failed', level: 'error' })
    expect(stderr).not.toContain('abandon')
  })

  const hasScript = spawnSync('script', ['--version']).status === 0
  test.skipIf(!hasScript)(
    'on a terminal reloads on SIGHUP and stops when the terminal closes (needs script(1))',
    async () => {
      const story = join(directory, 'terminal')
      const program = join(directory, 'terminal.mjs')
      writeFileSync(program, scriptOf(`serve(); say('pid ' + process.pid)`))
      writeFileSync(story, '')
      const words = (): string[] => readFileSync(story, 'utf8').split('\n')
      const said = (word: RegExp): Promise<string> =>
        new Promise((done) => {
          const look = (): void => {
            const found = words().find((line) => word.test(line))
            if (found === undefined) return
            watcher.close()
            done(found)
          }
          const watcher = watch(story, look)
          look()
        })
      const command = `exec ${process.execPath} ${program}`
      const env = { ...process.env, STORY: story }
      const terminal = spawn('script', ['-qc', command, '/dev/null'], { stdio: ['pipe', 'pipe', 'pipe'], env })
      const pid = Number((await said(/^pid \d+$/)).slice(4))
      process.kill(pid, 'SIGHUP')
      await said(/^reloaded$/)
      terminal.kill('SIGKILL')
      await said(/^stopped$/)
      expect(words().slice(0, 4)).toEqual(['serving', `pid ${pid}`, 'reloaded', 'stopped'])
    },
  )
})

describe('SIGUSR1', () => {
  test('locks the signing key and does nothing else', async () => {
    const { send, story } = serving()
    await send('SIGUSR1')
    expect(story).toEqual(['lock'])
  })

  test('with nothing to lock is only logged', async () => {
    const { send, story } = serving({
      lock: () => {
        throw new CustodyError('NO_PASSPHRASE', 'none', 'none')
      },
    })
    await send('SIGUSR1')
    expect(story).toEqual(['lock', 'daemon.not-locked'])
  })

  test('during the start does nothing', async () => {
    const { send, story } = makeStage()
    await send('SIGUSR1')
    expect(story).toEqual([])
  })
})
