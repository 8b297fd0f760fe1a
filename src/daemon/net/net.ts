/** The network of the daemon: orders to personad-net, and their answers. Nothing here opens a network socket. */
import { isGoodSignedValue, type SignedValue, type ValuePlace } from '../../core/announce/signed-value.ts'
import type { Engine } from '../../core/engine.ts'
import type { GetReport, PutReport } from '../../dht/order.ts'
import type { DhtCounters } from '../../dht/counters.ts'
import type { NetStatus } from '../../ipc/shapes/net.ts'
import { Child } from '../../process/child.ts'
import type { Framed } from '../../process/frame.ts'
import type { Link } from '../../process/link.ts'
import type { Log } from '../../process/log.ts'
import { programError, type ChildError } from '../../process/protocol.ts'
import { systemClock, type Clock } from '../../process/pulse.ts'
import { formatPlace, formatValue, parseGot } from '../../netnode/dht-form.ts'
import { NetError } from '../../netnode/errors.ts'
import { MAX_AT_ONCE, type Order, type Report } from '../../netnode/protocol.ts'
import { NET_PROTOCOL } from '../../netnode/schema.ts'
import type { NetSettings } from '../../netnode/settings.ts'
import { Web, type WebRequest } from './web.ts'
import type { WebResponse } from './web-answer.ts'

// sanity: a lookup that asks its 96 nodes, 5 at a time and each slow for a second, takes 40 s with the put; names that no server
// resolves add 30 s at most, and other orders a turn before it
const ORDER_MS = 120_000

// sanity: a relay on this machine answers some thousand calls a second, each a report
const MAX_REPORTS_A_WINDOW = 100_000

export interface NetOptions {
  /** Asked for at each start of personad-net. @throws {NetError} NET_CA */
  readonly settings: () => Promise<NetSettings>
  readonly log: Log
  readonly verify: Engine['verify']
  /** A child of the daemon, or the unit of the service manager. */
  readonly how: NetStatus['how']
  readonly open: () => Link | Promise<Link>
  readonly clock?: Clock
}

type DhtAnswer = Framed<Extract<Report, { readonly type: 'dht.got' | 'dht.stored' }>>
type DhtOrder = Extract<Order, { readonly type: 'dht.get' | 'dht.put' }>

interface Waiting {
  readonly resolve: (answer: DhtAnswer) => void
  readonly reject: (error: NetError) => void
}

/** Codes with which personad-net explains its end. */
const REPORTED: ReadonlySet<string> = new Set<NetError['code']>(['NET_UDP', 'NET_FAILED'])
/** Codes with which it refuses an order. */
const REFUSALS: ReadonlySet<string> = new Set<NetError['code']>([
  'NET_BUSY',
  'NET_DHT',
  'NET_OFF',
  'NET_PROXY',
  'NET_ADDRESS',
  'NET_NAME',
  'NET_UNREACHABLE',
  'NET_TLS',
  'NET_SILENT',
  'NET_TOO_LARGE',
  'NET_REDIRECT',
  'NET_STRANGE',
])

export class Net {
  readonly #options: NetOptions
  readonly #child: Child<Order, Report>
  readonly #clock: Clock
  readonly #waiting = new Map<number, Waiting>()
  readonly #web: Web
  /** Orders that wait until personad-net is ready. */
  readonly #starting = new Set<() => void>()
  /** How many orders were answered. */
  #answered = 0
  #lastId = 0
  #counters: DhtCounters | null = null

  constructor(options: NetOptions) {
    const { settings, log, open, clock = systemClock } = options
    this.#options = options
    this.#clock = clock
    this.#child = new Child({
      protocol: NET_PROTOCOL,
      name: 'personad-net',
      knownCodes: REPORTED,
      maxReportsAWindow: MAX_REPORTS_A_WINDOW,
      greet: async () => ({
        orders: [
          { type: 'configure', ...(await settings()) },
          { type: 'limits', atOnce: MAX_AT_ONCE },
        ],
      }),
      open,
      onReports: (reports) => {
        for (const report of reports) this.#take(report)
        return Promise.resolve()
      },
      onEnded: () => this.#lose(),
      onDelay: (problem, delayMs) => {
        const { message, code } = netError(problem)
        log.warn('net.ended', { message, code, againSec: delayMs / 1000 })
      },
      clock,
    })
    this.#web = new Web({
      nextId: () => ++this.#lastId,
      send: (order, body) => this.#child.send(order, body),
      started: () => this.#runs(),
    })
  }

  start(): void {
    this.#child.start()
  }

  async stop(): Promise<void> {
    await this.#child.stop()
    this.#endStart()
  }

  status(): NetStatus {
    const { state, problem } = this.#child
    const known = problem && netError(problem)
    return {
      state,
      how: this.#options.how,
      problem: known && { code: known.code, message: known.message },
      dht: this.#counters && { ...this.#counters },
    }
  }

  /**
   * Asks the closest nodes of the DHT for every value at a place. Each returned value has a good signature.
   * @throws {NetError} NET_DOWN | NET_LOST | NET_TIMEOUT | NET_LIED | NET_BUSY | NET_DHT
   */
  async get(place: ValuePlace): Promise<GetReport> {
    const answer = await this.#order((id) => ({ type: 'dht.get', id, ...formatPlace(place) }))
    return this.#judge(place, answer)
  }

  /**
   * Stores a value on the closest nodes of the DHT, and reads it back.
   * @throws {NetError} NET_DOWN | NET_LOST | NET_TIMEOUT | NET_LIED | NET_BUSY | NET_DHT
   */
  async put(signed: SignedValue): Promise<PutReport> {
    const answer = await this.#order(
      (id) => ({ type: 'dht.put', id, ...formatPlace(signed), ...formatValue(signed) }),
      signed.bencoded,
    )
    if (answer.message.type !== 'dht.stored') throw lied()
    const { nodesTook, nodesHold } = answer.message
    return { ...this.#judge(signed, answer), nodesTook, nodesHold }
  }

  /**
   * Calls a server over HTTP: see {@link Web.fetch}.
   * @throws {NetError} see {@link Web.fetch} @throws the reason of the signal
   */
  async fetch(url: string, request: WebRequest): Promise<WebResponse> {
    return await this.#web.fetch(url, request)
  }

  async #order(orderFor: (id: number) => DhtOrder, body?: Uint8Array): Promise<DhtAnswer> {
    const id = ++this.#lastId
    const { promise, resolve, reject } = Promise.withResolvers<DhtAnswer>()
    const cancel = this.#clock.after(ORDER_MS, () => reject(timedOut()))
    const answeredBefore = this.#answered
    try {
      await Promise.race([this.#runs(), promise])
      this.#waiting.set(id, { resolve, reject })
      this.#child.send(orderFor(id), body)
      return await promise
    } catch (error) {
      // Where it answers others, the next order may do better. It is not cut off for a place whose nodes are slow.
      const isTimeout = error instanceof NetError && error.code === 'NET_TIMEOUT'
      if (isTimeout && this.#answered === answeredBefore) this.#child.cutOff(error.message)
      throw error
    } finally {
      cancel()
      this.#waiting.delete(id)
    }
  }

  /** Resolves when personad-net is ready. @throws {NetError} NET_DOWN | NET_UNIT_MISSING */
  async #runs(): Promise<void> {
    if (this.#child.state === 'starting') await new Promise<void>((resolve) => this.#starting.add(resolve))
    if (this.#child.state === 'running') return
    const why = this.#child.problem && netError(this.#child.problem)
    if (why?.code === 'NET_UNIT_MISSING') throw why
    throw new NetError('NET_DOWN', `personad-net does not run now${why === null ? '' : `: ${why.message}`}`)
  }

  #endStart(): void {
    for (const resolve of this.#starting) resolve()
    this.#starting.clear()
  }

  #take({ message, body }: Framed<Report>): void {
    switch (message.type) {
      case 'ready':
        this.#options.log.info('net.ready', { message: 'personad-net runs', how: this.#options.how })
        return this.#endStart()
      case 'dht.got':
      case 'dht.stored':
        return this.#answer(message.id)?.resolve({ message, body })
      case 'refused':
        if (this.#web.take({ message, body }, refusal)) return
        return this.#answer(message.id)?.reject(refusal(message.code, message.message))
      case 'http.head':
      case 'http.part':
      case 'http.end':
      case 'http.sent':
        return void this.#web.take({ message, body }, refusal)
      case 'dht.counters':
        this.#counters = message.counters
        return
      case 'failed':
      case 'beat':
    }
  }

  #answer(id: number): Waiting | undefined {
    const waiting = this.#waiting.get(id)
    if (waiting !== undefined) this.#answered++
    return waiting
  }

  /** personad-net may be taken over: it can delay and drop, and forge nothing. */
  #judge(place: ValuePlace, answer: DhtAnswer): GetReport {
    const report = parseGot(place, answer)
    if (report === null || !report.values.every(({ signed }) => isGoodSignedValue(signed, this.#options.verify)))
      throw lied()
    return report
  }

  #lose(): void {
    this.#counters = null
    this.#endStart()
    const lost = new NetError('NET_LOST', 'personad-net ended before the order did')
    for (const { reject } of this.#waiting.values()) reject(lost)
    this.#web.lose(lost)
  }
}

function refusal(code: string, message: string): NetError {
  return REFUSALS.has(code)
    ? new NetError(code as NetError['code'], message)
    : new NetError('NET_FAILED', 'personad-net could not carry out the order')
}

function timedOut(): NetError {
  return new NetError('NET_TIMEOUT', `personad-net did not answer within ${ORDER_MS / 1000} s`)
}

function lied(): NetError {
  return new NetError('NET_LIED', 'personad-net answered with something that nobody signed')
}

function netError(problem: ChildError): NetError {
  return programError(NetError, 'NET_FAILED', problem)
}
