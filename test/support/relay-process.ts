/** The real relay as a separate process, for end-to-end tests. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { onTestFinished } from 'vitest'
import type { BoxAnswer } from '../../src/relay/wire.ts'
import { launcherOf } from './programs.ts'

export interface RelayProcessOptions {
  /** A directory of the test: the relay keeps its data in `data` below it. */
  readonly home: string
  /** Lines of its configuration, beside the address. */
  readonly config?: string
  readonly listen?: string
  /** Keeps the data there instead. */
  readonly dataDir?: string
  /** A command that runs the relay as its argument, for example to enter a network namespace. */
  readonly prefix?: readonly string[]
}

/** A relay usually takes 60 messages of one sender at once and one a second from then on, so thousands would take up to an hour. */
export const RAISED_LIMITS = `limits:
  box_burst: 1000000
  box_per_second: 1000000
  address_burst: 1000000
  address_per_second: 1000000
`

export class RelayProcess {
  readonly child: ChildProcess
  readonly dataDir: string
  readonly configFile: string
  /** The lines of its log. */
  readonly log: string[] = []
  /** Its output so far. */
  output = ''
  /** Its exit status, or the signal that ended it. */
  readonly ended: Promise<number | string>
  url = ''
  readonly #ready: Promise<unknown>

  private constructor({ home, config = '', listen = '127.0.0.1:0', dataDir, prefix = [] }: RelayProcessOptions) {
    this.dataDir = dataDir ?? join(home, 'data')
    this.configFile = join(home, 'relay.yaml')
    writeFileSync(this.configFile, `listen: '${listen}'\n${config}`, { mode: 0o600 })
    const program = [launcherOf('persona-relay'), 'serve', '--dir', this.dataDir, '--config', this.configFile]
    const [command, ...args] = [...prefix, process.execPath, ...program]
    this.child = spawn(command!, args, { stdio: ['ignore', 'pipe', 'pipe'] })
    this.child.stdout!.on('data', (bytes) => (this.output += String(bytes)))
    const lines = createInterface({ input: this.child.stderr! })
    const drained = once(lines, 'close')
    this.ended = once(this.child, 'exit').then(async ([status, signal]) => {
      await drained
      return (status as number | null) ?? (signal as string)
    })
    const ready = new Promise<void>((resolve) => {
      lines.on('line', (line) => {
        this.log.push(line)
        if (!line.includes('"relay.ready"')) return
        this.url = (JSON.parse(line) as { url: string }).url
        resolve()
      })
    })
    this.#ready = Promise.race([ready, this.ended])
  }

  /** Starts the relay for one test, and waits until it serves or ends. */
  static async start(options: RelayProcessOptions): Promise<RelayProcess> {
    const relay = new RelayProcess(options)
    onTestFinished(() => void relay.child.kill('SIGKILL'))
    await relay.#ready
    return relay
  }

  /** The same outside of a test: the caller ends it. */
  static async launch(options: RelayProcessOptions): Promise<RelayProcess> {
    const relay = new RelayProcess(options)
    await relay.#ready
    return relay
  }

  get port(): number {
    return Number(new URL(this.url).port)
  }

  /** Posts to a box, as curl does. */
  async post(body: unknown, path = '/'): Promise<BoxAnswer> {
    const answer = await fetch(this.url + path, { method: 'POST', body: JSON.stringify(body) })
    return (await answer.json()) as BoxAnswer
  }

  /** The text of /metrics, which is on a socket of its own. */
  async metrics(): Promise<string> {
    return await new Promise((resolve, reject) => {
      request({ socketPath: join(this.dataDir, 'metrics.sock'), path: '/metrics' }, (response) => {
        response
          .setEncoding('utf8')
          .toArray()
          .then((parts) => resolve(parts.join('')), reject)
      })
        .on('error', reject)
        .end()
    })
  }

  async kill(signal: NodeJS.Signals): Promise<number | string> {
    this.child.kill(signal)
    return await this.ended
  }

  /** Resolves with the first line that it printed with this text. */
  async printed(text: string): Promise<string> {
    for (;;) {
      const line = this.output
        .split('\n')
        .slice(0, -1)
        .find((each) => each.includes(text))
      if (line !== undefined) return line
      await once(this.child.stdout!, 'data')
    }
  }

  /** Resolves with the first line of its log about this event. */
  async logged(event: string): Promise<string> {
    for (;;) {
      const line = this.log.find((each) => each.includes(`"${event}"`))
      if (line !== undefined) return line
      await once(this.child.stderr!, 'data')
    }
  }
}

export interface Finished {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs one command of persona-relay to its end. */
export async function runRelayCommand(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Finished> {
  const child = spawn(process.execPath, [launcherOf('persona-relay'), ...args], { env: { ...process.env, ...env } })
  let [stdout, stderr] = ['', '']
  child.stdout.on('data', (bytes) => (stdout += String(bytes)))
  child.stderr.on('data', (bytes) => (stderr += String(bytes)))
  const [status] = (await once(child, 'close')) as [number | null]
  return { status, stdout, stderr }
}
