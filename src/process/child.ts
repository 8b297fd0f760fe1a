/** Supervises a child program: starts it, reads its reports, and starts it again after a crash, a hang or an impossible report. */
import { encodeFrame, FrameCutter, FrameError, holdForTurn, type Framed } from './frame.ts'
import type { Link } from './link.ts'
import { checkFrame, ChildError, commonReport, type Protocol } from './protocol.ts'
import { Pulse, systemClock, type Clock } from './pulse.ts'

const HANG_MS = 15_000 // sanity: it sends a beat every second; a machine under load may be slow
const STOP_MS = 3000 // sanity: it takes leave of others, which takes some 50 ms
const FIRST_DELAY_MS = 1000 // sanity: doubles with each failure
const MAX_DELAY_MS = 300_000 // sanity: a program that crashes at once costs one start in five minutes
const STEADY_MS = 60_000 // sanity: a child that ran this long restarts after FIRST_DELAY_MS
const WINDOW_MS = 10_000
const MAX_REPORTS_A_WINDOW = 10_000 // sanity: 1000 Tox friends that come online at once make 4000 reports; a child that sends more is broken
const MAX_UNREAD_BYTES = 8_388_608 // sanity: the orders for 1024 Tox friends are 2 MB; a child that reads none is killed

/** The first bytes and orders of a run. */
export interface Greeting<Order> {
  /** Raw bytes before the first frame, so that a secret never becomes text. They are wiped once they are sent. */
  readonly secret?: { readonly bytes: Uint8Array; wipe(): void }
  readonly orders: readonly Order[]
}

export interface ChildOptions<Order, Report extends { readonly type: string }> {
  readonly protocol: Protocol<Order, Report>
  /** Its name in messages, such as `the node`. */
  readonly name: string
  /** The codes that its report `failed` may have. The message of another code is not believed. */
  readonly knownCodes: ReadonlySet<string>
  /** A child that sends more within {@link WINDOW_MS} is broken; by default {@link MAX_REPORTS_A_WINDOW}. */
  readonly maxReportsAWindow?: number
  readonly greet: () => Promise<Greeting<Order>>
  /** Called after {@link ChildOptions.greet}, at each start. */
  readonly open: () => Link | Promise<Link>
  /** Beats are left out. The output is not read until this is done, so that reports never pile up here. */
  readonly onReports: (reports: readonly Framed<Report>[]) => Promise<void>
  /** Called when it has ended, whether or not it will restart. */
  readonly onEnded: () => void
  /** Called when it will restart after this time. */
  readonly onDelay: (problem: ChildError, delayMs: number) => void
  readonly clock?: Clock
}

/** `waiting`: it ended, and restarts after a delay. */
export type ChildState = 'down' | 'starting' | 'running' | 'waiting'

export class Child<Order, Report extends { readonly type: string }> {
  readonly #options: ChildOptions<Order, Report>
  readonly #clock: Clock
  #state: ChildState = 'down'
  #problem: ChildError | null = null
  #link: Link | null = null
  #life: Promise<void> = Promise.resolve()
  #isWanted = false
  #failures = 0
  #cancelDelay: () => void = () => {}

  constructor(options: ChildOptions<Order, Report>) {
    this.#options = options
    this.#clock = options.clock ?? systemClock
  }

  get state(): ChildState {
    return this.#state
  }

  /** The reason of its last end, until it runs again. */
  get problem(): ChildError | null {
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

  /** Ends it cleanly; cuts it off after {@link STOP_MS}. */
  async stop(): Promise<void> {
    this.#isWanted = false
    this.#cancelDelay()
    const link = this.#link
    if (link !== null) {
      link.input.end()
      const cancel = this.#clock.after(STOP_MS, () => link.kill())
      await this.#life
      cancel()
    }
    await this.#life
    this.#state = 'down'
  }

  /**
   * Sends an order. It is lost while the child does not run: send it again when the child is ready.
   * @throws {FrameError} FRAME_TOO_LARGE
   */
  send(order: Order, body?: Uint8Array): void {
    const link = this.#link
    if (link === null || this.#state !== 'running') return
    holdForTurn(link.input)
    link.input.write(encodeFrame(order, this.#options.protocol.limits, body))
    if (link.input.writableLength > MAX_UNREAD_BYTES) link.kill()
  }

  /** Cuts off a child that lives and does not do its work. It restarts as after a crash. */
  cutOff(message: string): void {
    if (this.#link === null) return
    this.#problem = new ChildError('CHILD_STALLED', message)
    this.#link.kill()
  }

  /** Runs the child once and plans the next start. Never throws. */
  async #live(): Promise<void> {
    if (!this.#isWanted) return
    const startedMs = this.#clock.nowMs()
    const { name, onEnded, onDelay } = this.#options
    try {
      await this.#run()
    } catch (error) {
      this.#problem = this.#problemOf(error)
    }
    this.#link = null
    onEnded()
    if (!this.#isWanted) {
      this.#state = 'down'
      return
    }
    this.#problem ??= new ChildError('CHILD_ENDED', `${name} ended by itself`)
    this.#failures = this.#clock.nowMs() - startedMs < STEADY_MS ? this.#failures + 1 : 1
    const delayMs = Math.min(FIRST_DELAY_MS * 2 ** (this.#failures - 1), MAX_DELAY_MS)
    onDelay(this.#problem, delayMs)
    this.#state = 'waiting'
    this.#cancelDelay = this.#clock.after(delayMs, () => {
      if (!this.#isWanted) return
      this.#state = 'starting'
      this.#life = this.#live()
    })
  }

  async #run(): Promise<void> {
    const { greet, open, protocol } = this.#options
    const { secret, orders } = await greet()
    // stop() was called meanwhile.
    if (!this.#isWanted) return secret?.wipe()
    const link = await open()
    this.#link = link
    link.ended.catch(() => {})
    // The end of the link reports a child that is gone.
    link.input.on('error', () => {})
    if (secret !== undefined) link.input.write(secret.bytes, () => secret.wipe())
    for (const order of orders) link.input.write(encodeFrame(order, protocol.limits))
    // stop() was called while a connection was made.
    if (!this.#isWanted) link.input.end()
    try {
      await this.#hear(link)
    } finally {
      // Its output has ended or makes no sense.
      if (this.#isWanted) link.kill()
      await link.ended
    }
  }

  /** Reads reports until the output ends. @throws {FrameError} @throws {ChildError} CHILD_FLOODS */
  async #hear(link: Link): Promise<void> {
    const { protocol, name, onReports, maxReportsAWindow = MAX_REPORTS_A_WINDOW } = this.#options
    const cutter = new FrameCutter(protocol.limits)
    const pulse = new Pulse(this.#clock, HANG_MS, () => {
      this.#problem = new ChildError('CHILD_SILENT', `${name} sent nothing for ${HANG_MS / 1000} s`)
      link.kill()
    })
    let [windowMs, count] = [this.#clock.nowMs(), 0]
    try {
      for await (const piece of link.output) {
        pulse.pause()
        const reports = cutter.push(piece).map((frame) => checkFrame(protocol.reports, frame))
        if (this.#clock.nowMs() - windowMs > WINDOW_MS) [windowMs, count] = [this.#clock.nowMs(), 0]
        count += reports.length
        if (count > maxReportsAWindow)
          throw new ChildError('CHILD_FLOODS', `${name} sends more reports than its work can cause`)
        for (const { message } of reports) this.#note(message)
        await onReports(reports.filter(({ message }) => message.type !== 'beat'))
        pulse.resume()
      }
    } finally {
      pulse.pause()
    }
  }

  #note(report: Report): void {
    const common = commonReport(report)
    if (common?.type === 'ready') {
      this.#state = 'running'
      this.#problem = null
    } else if (common?.type === 'failed') {
      const { code, message } = common
      const { knownCodes, name } = this.#options
      this.#problem = knownCodes.has(code)
        ? new ChildError('CHILD_GAVE_UP', message, {}, code)
        : new ChildError('CHILD_GAVE_UP', `${name} gave up`)
    }
  }

  #problemOf(cause: unknown): ChildError {
    if (cause instanceof ChildError) return cause
    if (cause instanceof FrameError) return new ChildError(`CHILD_${cause.code}`, cause.message)
    return new ChildError('CHILD_NOT_STARTED', `${this.#options.name} cannot be started`, { cause })
  }
}
