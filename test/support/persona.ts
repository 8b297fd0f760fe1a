/** The real daemon and the real command line as separate processes in a temporary home. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { launcherOf } from './programs.ts'
import { tempDir } from './temp-dir.ts'

export interface Outcome {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface RunOptions {
  readonly stdin?: string | Uint8Array
  readonly env?: Readonly<Record<string, string>>
}

/** A temporary home, with a daemon in it once one is started. */
export class Home {
  readonly directory: string
  #daemon: ChildProcess | null = null

  /** @param directory a home in which another one may have started the daemon */
  constructor(directory: string = tempDir()) {
    this.directory = directory
  }

  /** Starts the daemon and returns once it is ready. It ends with the test at the latest. */
  async start(): Promise<void> {
    const daemon = spawn(process.execPath, [launcherOf('personad'), '--home', this.directory], {
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    this.#daemon = daemon
    onTestFinished(() => void daemon.kill('SIGKILL'))
    let log = ''
    await new Promise<void>((resolve, reject) => {
      daemon.once('exit', (status) => reject(new Error(`the daemon ended with ${status}: ${log}`)))
      daemon.stderr.setEncoding('utf8').on('data', (text: string) => {
        log += text
        if (log.includes('"daemon.ready"')) resolve()
      })
    })
  }

  async stop(): Promise<void> {
    const daemon = this.#daemon
    this.#daemon = null
    if (daemon === null || daemon.exitCode !== null) return
    const ended = once(daemon, 'exit')
    daemon.kill('SIGTERM')
    await ended
  }

  /** Runs `persona` in this home. */
  async run(args: readonly string[], options: RunOptions = {}): Promise<Outcome> {
    const child = this.spawn(args, options.env)
    let stdout = ''
    let stderr = ''
    child.stdout!.setEncoding('utf8').on('data', (text: string) => (stdout += text))
    child.stderr!.setEncoding('utf8').on('data', (text: string) => (stderr += text))
    child.stdin!.on('error', () => {}).end(options.stdin ?? '')
    const [status] = (await once(child, 'close')) as [number | null]
    return { status, stdout, stderr }
  }

  /** Starts `persona` in this home and leaves it running. */
  spawn(args: readonly string[], env: Readonly<Record<string, string>> = {}): ChildProcess {
    return spawn(process.execPath, [launcherOf('persona'), ...args], {
      cwd: this.directory,
      // A test without the shared compile cache finds its own one in the home.
      env: { ...process.env, PERSONAD_HOME: this.directory, XDG_CACHE_HOME: join(this.directory, 'cache'), ...env },
    })
  }

  /** Runs `persona`, expects success, and returns its output. */
  async done(args: readonly string[], options: RunOptions = {}): Promise<string> {
    const { status, stdout, stderr } = await this.run(args, options)
    if (status !== 0) throw new Error(`persona ${args.join(' ')} ended with ${status}: ${stderr}`)
    return stdout
  }

  /** Runs `persona --json`, expects success, and returns its one JSON value. */
  async json(args: readonly string[], options: RunOptions = {}): Promise<unknown> {
    const stdout = await this.done([...args, '--json'], options)
    if (!/^[^\n]*\n$/.test(stdout)) throw new Error(`not one line: ${stdout}`)
    return JSON.parse(stdout)
  }

  /** Runs `persona --json` and returns exit status and code of its failure: `1 NO_PERSONA`. */
  async failure(args: readonly string[], options: RunOptions = {}): Promise<string> {
    const { status, stderr } = await this.run([...args, '--json'], options)
    const { error } = JSON.parse(stderr) as { error: { code: string; message: string; hint: string | null } }
    return `${status} ${error.code}`
  }
}
