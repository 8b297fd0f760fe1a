/** The real daemon as a separate process, for end-to-end tests. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface, type Interface } from 'node:readline'
import { onTestFinished } from 'vitest'
import { connect, type Client } from '../../src/ipc/client.ts'
import { launcherOf } from './programs.ts'

export interface DaemonOptions {
  readonly home: string
  readonly args?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  /** A command that runs the daemon as its argument, for example to enter a network namespace. */
  readonly prefix?: readonly string[]
  /** Where the program is from; by default the built package. */
  readonly from?: 'package' | 'sources'
  /** The largest file it may write, in blocks of 512 bytes. The daemon then sees a full disk. */
  readonly fileLimitBlocks?: number
}

export class DaemonProcess {
  readonly home: string
  readonly child: ChildProcess
  /** The lines of its log. */
  readonly log: string[] = []
  /** Its exit status, or the signal that ended it. */
  readonly ended: Promise<number | string>
  readonly #ready: Promise<boolean>
  readonly #lines: Interface

  private constructor(options: DaemonOptions) {
    this.home = options.home
    const args = [launcherOf('personad', options.from), '--home', options.home, ...(options.args ?? [])]
    const env = { ...process.env, ...options.env }
    const [command, ...rest] = [...(options.prefix ?? []), process.execPath]
    this.child =
      options.fileLimitBlocks === undefined
        ? spawn(command, [...rest, ...args], { env, stdio: ['ignore', 'ignore', 'pipe'] })
        : spawn(
            'sh',
            ['-c', `ulimit -f ${options.fileLimitBlocks}; trap "" XFSZ; exec "$@"`, 'sh', process.execPath, ...args],
            {
              env,
              stdio: ['ignore', 'ignore', 'pipe'],
            },
          )
    const lines = createInterface({ input: this.child.stderr! })
    this.#lines = lines
    // Read all lines before the process counts as ended.
    const drained = once(lines, 'close')
    this.ended = once(this.child, 'exit').then(async ([status, signal]) => {
      await drained
      return (status as number | null) ?? (signal as string)
    })
    this.#ready = new Promise((resolve) => {
      lines.on('line', (line) => {
        this.log.push(line)
        if (line.includes('"daemon.ready"')) resolve(true)
      })
      void this.ended.then(() => resolve(false))
    })
  }

  /** Starts the daemon and waits until it serves or ends. */
  static async start(options: DaemonOptions): Promise<DaemonProcess> {
    const daemon = DaemonProcess.spawn(options)
    await daemon.#ready
    return daemon
  }

  /** Starts the daemon without a wait. */
  static spawn(options: DaemonOptions): DaemonProcess {
    const daemon = new DaemonProcess(options)
    onTestFinished(() => void daemon.child.kill('SIGKILL'))
    return daemon
  }

  async connect(socket: 'app' | 'admin' = 'admin'): Promise<Client> {
    const path = socket === 'admin' ? 'run/admin/admin.sock' : 'run/app.sock'
    const client = await connect({ socketPath: join(this.home, path) })
    onTestFinished(() => client.close())
    return client
  }

  /** Resolves with the first line of its log about this event. */
  async logged(event: string): Promise<string> {
    const isIt = (line: string): boolean => line.includes(`"${event}"`)
    const known = this.log.find(isIt)
    if (known !== undefined) return known
    return await new Promise((resolve) => this.#lines.on('line', (line) => isIt(line) && resolve(line)))
  }

  async kill(signal: NodeJS.Signals): Promise<number | string> {
    this.child.kill(signal)
    return await this.ended
  }
}
