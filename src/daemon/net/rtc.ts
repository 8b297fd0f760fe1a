/** The connections of WebRTC: orders to personad-rtc, and its reports. Nothing here opens a network socket. */
import type { Connection, ConnectionListener, Connections } from '../../channel/rtc/connections.ts'
import type { Framed } from '../../process/frame.ts'
import { Child } from '../../process/child.ts'
import type { Link } from '../../process/link.ts'
import type { Log } from '../../process/log.ts'
import { programError } from '../../process/protocol.ts'
import { systemClock, type Clock } from '../../process/pulse.ts'
import { RtcError } from '../../rtcnode/errors.ts'
import type { Order, Report } from '../../rtcnode/protocol.ts'
import type { RtcSettings } from '../../rtcnode/settings.ts'
import { RTC_PROTOCOL } from '../../rtcnode/schema.ts'

export const REST_MS = 60_000 // sanity: whoever talks goes on within a minute, and a start takes half a second
// sanity: frames of 12 kB at 100 MB/s
const MAX_REPORTS_A_WINDOW = 100_000
/** Codes with which personad-rtc explains its end. */
const REPORTED: ReadonlySet<string> = new Set<RtcError['code']>(['RTC_LIBRARY', 'RTC_FAILED'])

export interface RtcOptions {
  readonly settings: RtcSettings
  readonly log: Log
  readonly open: () => Link | Promise<Link>
  readonly clock?: Clock
}

interface Waiting {
  readonly listener: ConnectionListener
  readonly sdp: string | null
  /** personad-rtc has the order. */
  isSent: boolean
}

export class Rtc implements Connections {
  readonly #log: Log
  readonly #clock: Clock
  readonly #child: Child<Order, Report>
  readonly #open = new Map<number, Waiting>()
  #lastId = 0
  #cancelRest: () => void = () => {}
  #stopping: Promise<void> = Promise.resolve()
  /** Stops that are not over. */
  #stops = 0
  /** Why it ended last; null once it runs. */
  problem: RtcError | null = null

  constructor({ settings, log, open, clock = systemClock }: RtcOptions) {
    this.#log = log
    this.#clock = clock
    this.#child = new Child({
      protocol: RTC_PROTOCOL,
      name: 'personad-rtc',
      knownCodes: REPORTED,
      maxReportsAWindow: MAX_REPORTS_A_WINDOW,
      greet: () => Promise.resolve({ orders: [{ type: 'configure', ...settings }] }),
      open,
      onReports: (reports) => {
        for (const report of reports) this.#take(report)
        return Promise.resolve()
      },
      onEnded: () => this.#lose(),
      onDelay: (problem) => {
        this.problem = programError(RtcError, 'RTC_FAILED', problem)
        const { message, code } = this.problem
        this.#log.warn('rtc.ended', { message, code })
        // The next connection starts it again.
        this.#stopChild()
      },
      clock,
    })
  }

  /**
   * Makes a connection, and starts personad-rtc if it does not run.
   * @param sdp the offer of the peer; null to make one
   */
  connect(sdp: string | null, listener: ConnectionListener): Connection {
    const id = ++this.#lastId
    this.#cancelRest()
    this.#open.set(id, { listener, sdp, isSent: false })
    if (this.#child.state === 'running' && this.#stops === 0) this.#sendAll()
    else void this.#stopping.then(() => this.#child.start())
    const order = (each: Order, body?: Uint8Array): void => {
      if (this.#open.has(id)) this.#child.send(each, body)
    }
    return {
      answer: (answer) => order({ type: 'answer', id, sdp: answer }),
      send: (message) => order({ type: 'send', id }, message),
      close: () => {
        order({ type: 'close', id })
        this.#end(id)
      },
    }
  }

  async close(): Promise<void> {
    this.#cancelRest()
    this.#stopChild()
    await this.#stopping
  }

  get isRunning(): boolean {
    return this.#child.state === 'running'
  }

  #stopChild(): void {
    this.#stops++
    this.#stopping = this.#stopping.then(() => this.#child.stop()).finally(() => this.#stops--)
  }

  #sendAll(): void {
    for (const [id, waiting] of this.#open) {
      if (!waiting.isSent) this.#child.send({ type: 'open', id, sdp: waiting.sdp })
      waiting.isSent = true
    }
  }

  #take({ message, body }: Framed<Report>): void {
    switch (message.type) {
      case 'ready':
        this.problem = null
        this.#log.info('rtc.ready', { message: 'personad-rtc runs' })
        return this.#sendAll()
      case 'described':
        return this.#open.get(message.id)?.listener.described(message.sdp)
      case 'connected':
        return this.#open.get(message.id)?.listener.connected(Buffer.from(message.fingerprint, 'hex'))
      case 'message':
        return this.#open.get(message.id)?.listener.message(body)
      case 'closed':
        return this.#end(message.id)
      case 'failed':
      case 'beat':
    }
  }

  #end(id: number): void {
    const ended = this.#open.get(id)
    if (ended === undefined) return
    this.#open.delete(id)
    ended.listener.closed()
    if (this.#open.size > 0) return
    this.#cancelRest()
    this.#cancelRest = this.#clock.after(REST_MS, () => this.#stopChild())
  }

  #lose(): void {
    // A connection that came while it stopped is for the next start.
    for (const [id, { isSent }] of this.#open) if (isSent || this.#stops === 0) this.#end(id)
  }
}
