/** Supervises the Tox node, a child process: starts it, reads its reports, and restarts it if it crashes, hangs or sends an impossible report. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { LiveError } from '../../toxnode/errors.ts'
import { encodeFrame, FrameCutter } from '../../toxnode/frame.ts'
import { checkReport, type NodeOptions, type Order, type Report } from '../../toxnode/protocol.ts'
import type { Log } from '../../process/log.ts'

const HANG_MS = 15_000 // sanity: it sends a beat every second; a machine under load may be slow
const STOP_MS = 3000 // sanity: it tells friends that it goes offline, which takes some 50 ms
const FIRST_DELAY_MS = 1000 // sanity: doubles with each failure
const MAX_DELAY_MS = 300_000 // sanity: a library that crashes at once costs one start in five minutes
const STEADY_MS = 60_000 // sanity: a node that ran this long restarts after FIRST_DELAY_MS
const WINDOW_MS = 10_000
const MAX_REPORTS_A_WINDOW = 10_000 // sanity: 1000 friends that come online at once make 4000 reports; a node that sends more is broken
const MAX_UNREAD_BYTES = 8_388_608 // sanity: the orders for 1024 friends are 2 MB; a node that reads none is killed

export interface LiveClock {
  nowMs(): number
  /** @returns a function that cancels it */
  after(ms: number, run: () => void): () => void
}

export interface ToxNodeOptions {
  readonly log: Log
  /** Reads the options and the key at each start. The key is wiped once the node has it. */
  readonly start: () => Promise<{ readonly options: NodeOptions; readonly secretKey: Uint8Array }>
  readonly wipe: (secret: Uint8Array) => void
  /** The output of the node is not read until this is done, so that reports never pile up here. */
  readonly onReports: (reports: readonly Report[]) => Promise<void>
  /** Called when the node has ended, whether or not it will restart. */
  readonly onEnded: () => void
  readonly spawn?: () => ChildProcess
  readonly clock?: LiveClock
}

export type LiveState = 'down' | 'starting' | 'running' | 'waiting'

export class ToxNode {
  readonly #options: ToxNodeOptions
  readonly #clock: LiveClock
  #state: LiveState = 'down'
  #problem: LiveError | null = null
  #child: ChildProcess | null = null
  #life: Promise<void> = Promise.resolve()
  #isWanted = false
  #failures = 0
  #cancelDelay: () => void = () => {}

  constructor(options: ToxNodeOptions) {
    this.#options = options
    this.#clock = options.clock ?? systemClock
  }

  get state(): LiveState {
    return this.#state
  }

  /** The reason of its last end, until it runs again. */
  get problem(): LiveError | null {
    return this.#problem
  }

  /** Starts it at once, without the rest of a delay. */
  start(): void {
    this.#isWanted = true
    if (this.#state === 'starting' || this.#state === 'running') return
    this.#cancelDelay()
    this.#failures = 0
    this.#state = 'starting'
    this.#life = this.#life.then(() => this.#live())
  }

  /** Ends it cleanly; kills it after {@link STOP_MS}. */
  async stop(): Promise<void> {
    this.#isWanted = false
    this.#cancelDelay()
    const child = this.#child
    if (child !== null) {
      child.stdin!.end()
      const cancel = this.#clock.after(STOP_MS, () => child.kill('SIGKILL'))
      await this.#life
      cancel()
    }
    await this.#life
    this.#state = 'down'
  }

  /** Sends an order. The order is lost while the node does not run: send it again when the node is ready. */
  send(order: Order): void {
    const child = this.#child
    if (child === null || this.#state !== 'running') return
    child.stdin!.write(encodeFrame(order))
    if (child.stdin!.writableLength > MAX_UNREAD_BYTES) child.kill('SIGKILL')
  }

  /** Runs the node once and plans the next start. Never throws. */
  async #live(): Promise<void> {
    if (!this.#isWanted) return
    const startedMs = this.#clock.nowMs()
    const { log } = this.#options
    try {
      await this.#run()
    } catch (error) {
      this.#problem = error instanceof LiveError ? error : failed('the node cannot be started', error)
    }
    this.#child = null
    this.#options.onEnded()
    if (!this.#isWanted) {
      this.#state = 'down'
      return
    }
    this.#problem ??= failed('the node ended by itself')
    this.#failures = this.#clock.nowMs() - startedMs < STEADY_MS ? this.#failures + 1 : 1
    const delayMs = Math.min(FIRST_DELAY_MS * 2 ** (this.#failures - 1), MAX_DELAY_MS)
    log.warn('tox.ended', { message: this.#problem.message, code: this.#problem.code, againSec: delayMs / 1000 })
    this.#state = 'waiting'
    this.#cancelDelay = this.#clock.after(delayMs, () => {
      if (!this.#isWanted) return
      this.#state = 'starting'
      this.#life = this.#live()
    })
  }

  async #run(): Promise<void> {
    const { options, secretKey } = await this.#options.start()
    // stop() was called meanwhile.
    if (!this.#isWanted) return this.#options.wipe(secretKey)
    const child = (this.#options.spawn ?? spawnNode)()
    this.#child = child
    const ended = once(child, 'exit')
    ended.catch(() => {})
    // The exit event reports a node that is gone.
    child.stdin!.on('error', () => {})
    child.stdin!.write(secretKey, () => this.#options.wipe(secretKey))
    child.stdin!.write(encodeFrame({ type: 'start', options } satisfies Order))
    try {
      await this.#hear(child)
    } finally {
      // Its output has ended or makes no sense.
      if (this.#isWanted) child.kill('SIGKILL')
      await ended
    }
  }

  /** Reads reports until the output ends. @throws {LiveError} for an impossible report, or after {@link HANG_MS} without one */
  async #hear(child: ChildProcess): Promise<void> {
    const cutter = new FrameCutter()
    const pulse = new Pulse(this.#clock, () => {
      this.#problem = failed(`the node sent nothing for ${HANG_MS / 1000} s`)
      child.kill('SIGKILL')
    })
    let [windowMs, count] = [this.#clock.nowMs(), 0]
    try {
      for await (const piece of child.stdout as AsyncIterable<Buffer>) {
        pulse.pause()
        const reports = cutter.push(piece).map(checkReport)
        if (this.#clock.nowMs() - windowMs > WINDOW_MS) [windowMs, count] = [this.#clock.nowMs(), 0]
        count += reports.length
        if (count > MAX_REPORTS_A_WINDOW) throw failed('the node sends more reports than its friends can cause')
        this.#note(reports)
        await this.#options.onReports(reports.filter((report) => report.type !== 'beat'))
        pulse.resume()
      }
    } finally {
      pulse.pause()
    }
  }

  #note(reports: readonly Report[]): void {
    for (const report of reports) {
      if (report.type === 'ready') {
        this.#state = 'running'
        this.#problem = null
      } else if (report.type === 'failed') this.#problem = errorOf(report.code, report.message)
    }
  }
}

/** Fires after {@link HANG_MS} without a report. It pauses while reports are handled: that delay is not the node's fault. */
class Pulse {
  readonly #clock: LiveClock
  readonly #onHang: () => void
  #cancel: () => void = () => {}

  constructor(clock: LiveClock, onHang: () => void) {
    this.#clock = clock
    this.#onHang = onHang
    this.resume()
  }

  pause(): void {
    this.#cancel()
  }

  resume(): void {
    this.#cancel()
    this.#cancel = this.#clock.after(HANG_MS, this.#onHang)
  }
}

const systemClock: LiveClock = {
  nowMs: () => performance.now(),
  after: (ms, run) => {
    const timer = setTimeout(run, ms)
    timer.unref()
    return () => clearTimeout(timer)
  },
}

/** Spawns a process that inherits only three pipes: no environment except for its tests, no descriptors, no arguments of others. */
function spawnNode(): ChildProcess {
  const main = fileURLToPath(new URL(`../../toxnode/main${extname(import.meta.url)}`, import.meta.url))
  const rate = process.env['PERSONAD_LIVE_CLOCK_RATE']
  return spawn(process.execPath, ['--disable-sigusr1', '--max-old-space-size=64', main], {
    stdio: ['pipe', 'pipe', 'ignore'],
    env: rate === undefined ? {} : { PERSONAD_LIVE_CLOCK_RATE: rate },
  })
}

const KNOWN: ReadonlySet<string> = new Set<LiveError['code']>([
  'LIVE_LIBRARY_MISSING',
  'LIVE_LIBRARY_VERSION',
  'LIVE_LOOPBACK_UNSUPPORTED',
  'LIVE_PORT_BUSY',
  'LIVE_PROXY_BAD',
  'LIVE_START_FAILED',
])

/** The error that the node reports. Its message is used only with a known code. */
function errorOf(code: string, message: string): LiveError {
  return KNOWN.has(code) ? new LiveError(code as LiveError['code'], message) : failed('the node gave up')
}

function failed(message: string, cause?: unknown): LiveError {
  return new LiveError('LIVE_NODE_FAILED', message, { cause })
}
