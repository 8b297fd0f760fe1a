/** The processes of the demo: each person's daemon, each typed command, and the small app. */
import { execFile, spawn, type ChildProcess, type SpawnOptions } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const START_TIMEOUT_MS = 20_000 // sanity: a start takes a second on a slow machine
const LINE_TIMEOUT_MS = 10_000 // sanity: an event arrives within milliseconds
const INDENT = '      '

const programs = {
  persona: fileURLToPath(new URL('../src/launch/persona.js', import.meta.url)),
  personad: fileURLToPath(new URL('../src/launch/personad.js', import.meta.url)),
  whoIs: fileURLToPath(new URL('who-is.ts', import.meta.url)),
} as const

const running = new Set<ChildProcess>()

function start(program: string, args: readonly string[], options: SpawnOptions): ChildProcess {
  const child = spawn(process.execPath, [program, ...args], options)
  running.add(child)
  child.once('exit', () => running.delete(child))
  return child
}

/** Kills every process that still runs, if the story ends early. */
export function endAll(): void {
  for (const child of running) child.kill('SIGKILL')
}

/** Prints the lines of a program, indented. */
export function printIndented(text: string): void {
  for (const line of text.trimEnd().split('\n')) console.log(INDENT + line)
}

/** The output of one program, and its exit status. */
interface Ended {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

/** The lines that a running program prints, in order. */
class Lines {
  readonly #lines: AsyncIterator<string>

  constructor(stream: NodeJS.ReadableStream) {
    this.#lines = createInterface({ input: stream })[Symbol.asyncIterator]()
  }

  /** Passes each line on until one matches. @returns false if none matches in time, or the program ends first */
  async until(wanted: RegExp, timeoutMs: number, onLine: (line: string) => void): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<null>((done) => {
      timer = setTimeout(() => done(null), timeoutMs)
    })
    try {
      for (;;) {
        const line = await Promise.race([this.#lines.next(), late])
        if (line === null || line.done === true) return false
        onLine(line.value)
        if (wanted.test(line.value)) return true
      }
    } finally {
      clearTimeout(timer)
    }
  }
}

/** A command with --json that reads answers while it runs. */
export class Dialog {
  readonly #child: ChildProcess
  readonly #lines: Lines
  /** The exit status. */
  readonly ended: Promise<number | null>

  constructor(child: ChildProcess) {
    this.#child = child
    this.#lines = new Lines(child.stdout!)
    this.ended = new Promise((done) => child.once('exit', done))
  }

  /** The next line that it prints. @throws {Error} if none comes */
  async hears<Answer>(): Promise<Answer> {
    let found = ''
    if (await this.#lines.until(/^\{/, START_TIMEOUT_MS, (line) => (found = line))) return JSON.parse(found) as Answer
    throw new Error('the command printed no answer')
  }

  says(line: string): void {
    this.#child.stdin!.write(`${line}\n`)
  }
}

/** One user with a home directory, a daemon, and a terminal. */
export class Person {
  readonly name: string
  /** The directory of the profiles, where commands are typed. */
  readonly dir: string
  readonly #env: NodeJS.ProcessEnv
  #daemon: ChildProcess | null = null

  constructor(name: string, dir: string) {
    this.name = name
    this.dir = dir
    // The demo reads nothing of the user who runs it, and writes nothing into that user's home.
    this.#env = { PATH: process.env.PATH, TZ: process.env.TZ, HOME: dir, PERSONAD_HOME: join(dir, 'home') }
  }

  get appSocket(): string {
    return join(this.dir, 'home', 'run', 'app.sock')
  }

  /** Starts the daemon and waits until it is ready. */
  async startDaemon(): Promise<void> {
    console.log(`    ${this.name} $ personad &`)
    const options: SpawnOptions = { cwd: this.dir, env: this.#env, stdio: ['ignore', 'ignore', 'pipe'] }
    this.#daemon = start(programs.personad, [], options)
    const log: string[] = []
    const isReady = await new Lines(this.#daemon.stderr!).until(/daemon\.ready/, START_TIMEOUT_MS, (line) =>
      log.push(line),
    )
    if (!isReady) throw new Error(`${this.name}'s daemon did not start:\n${log.join('\n')}`)
    printIndented(`ready; apps connect to ${this.appSocket}`)
  }

  /** Stops the daemon as a service manager does. @returns its exit status, null if it was killed */
  async stopDaemon(): Promise<number | null> {
    const daemon = this.#daemon
    if (daemon === null || daemon.exitCode !== null) return daemon?.exitCode ?? null
    const ended = new Promise<number | null>((done) => daemon.once('exit', done))
    daemon.kill('SIGTERM')
    return await ended
  }

  /** Types a command, and shows it with its output. @returns what it printed to stdout @throws {Error} when it fails */
  async types(...args: readonly string[]): Promise<string> {
    console.log(`    ${this.name} $ persona ${args.map(quoted).join(' ')}`)
    const { status, stdout, stderr } = await this.#run(args)
    printIndented(stdout + stderr)
    if (status !== 0) throw new Error(`"persona ${args.join(' ')}" ended with status ${status}`)
    return stdout
  }

  /** Types a command that waits for an answer on the way. */
  talks(...args: readonly string[]): Dialog {
    console.log(`    ${this.name} $ persona ${args.map(quoted).join(' ')}`)
    const options: SpawnOptions = { cwd: this.dir, env: this.#env, stdio: ['pipe', 'pipe', 'ignore'] }
    return new Dialog(start(programs.persona, [...args, '--json'], options))
  }

  /** Runs a command with --json, without showing it. The checks of the demo use the answer. */
  async asks<Answer>(...args: readonly string[]): Promise<Answer> {
    const { status, stdout, stderr } = await this.#run([...args, '--json'])
    if (status !== 0) throw new Error(`"persona ${args.join(' ')} --json" ended with status ${status}: ${stderr}`)
    return JSON.parse(stdout) as Answer
  }

  /** Types a command that reads a secret text, which is not shown. @throws {Error} when it fails */
  async typesSecretly(text: string, ...args: readonly string[]): Promise<void> {
    console.log(`    ${this.name} $ persona ${args.map(quoted).join(' ')}`)
    const { status, stdout, stderr } = await this.#run(args, text)
    printIndented(stdout + stderr)
    if (status !== 0) throw new Error(`"persona ${args.join(' ')}" ended with status ${status}`)
  }

  #run(args: readonly string[], input = ''): Promise<Ended> {
    const options = { cwd: this.dir, env: this.#env, encoding: 'utf8', timeout: START_TIMEOUT_MS } as const
    return new Promise((done) => {
      const child = execFile(process.execPath, [programs.persona, ...args], options, (_error, stdout, stderr) =>
        done({ status: child.exitCode, stdout, stderr }),
      )
      child.stdin?.end(input)
    })
  }
}

/** An app of somebody, a program of its own that knows only the socket. */
export class App {
  readonly #name: string
  readonly #lines: Lines

  /** @param token the owner gave it to the app */
  constructor(name: string, program: string, args: readonly string[], token: string) {
    this.#name = name
    const env = { PATH: process.env.PATH, APP_TOKEN: token }
    this.#lines = new Lines(start(program, args, { env, stdio: ['ignore', 'pipe', 'inherit'] }).stdout!)
  }

  /** Shows the app's output until a line matches. @returns false if none does */
  async prints(wanted: RegExp): Promise<boolean> {
    return await this.#lines.until(wanted, START_TIMEOUT_MS, (line) => printIndented(`${this.#name}: ${line}`))
  }

  /** Waits for a line without showing it. @throws {Error} if it does not come */
  async firstLine(wanted: RegExp): Promise<string> {
    let found = ''
    if (await this.#lines.until(wanted, START_TIMEOUT_MS, (line) => (found = line))) return found
    throw new Error(`${this.#name} printed no line of the form ${wanted}`)
  }
}

/** The small app who-is.ts, a program of its own that knows only the socket. */
export class WhoIs {
  readonly #lines: Lines

  constructor(socketPath: string, toxPk: string) {
    console.log(`    the app $ who-is.ts app.sock ${toxPk}`)
    const app = start(programs.whoIs, [socketPath, toxPk], { stdio: ['ignore', 'pipe', 'inherit'] })
    this.#lines = new Lines(app.stdout!)
  }

  /** Shows the app's output until a line matches. @returns false if none does */
  async prints(wanted: RegExp): Promise<boolean> {
    return await this.#lines.until(wanted, LINE_TIMEOUT_MS, printIndented)
  }
}

function quoted(word: string): string {
  return /^[\w./-]+$/.test(word) ? word : `'${word}'`
}
