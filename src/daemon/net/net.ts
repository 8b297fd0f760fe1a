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
import type { ChildError } from '../../process/protocol.ts'
import type { Clock } from '../../process/pulse.ts'
import { formatPlace, formatValue, parseGot } from '../../netnode/dht-form.ts'
import { NetError } from '../../netnode/errors.ts'
import { MAX_AT_ONCE, type Order, type Report } from '../../netnode/protocol.ts'
import { NET_PROTOCOL } from '../../netnode/schema.ts'
import type { NetConfig } from './config.ts'

export interface NetOptions {
  readonly config: NetConfig
  readonly log: Log
  readonly verify: Engine['verify']
  /** A child of the daemon, or the unit of the service manager. */
  readonly how: NetStatus['how']
  readonly open: () => Link | Promise<Link>
  readonly clock?: Clock
}

type DhtAnswer = Framed<Extract<Report, { readonly type: 'dht.got' | 'dht.stored' }>>
type DhtOrder = Extract<Order, { readonly id: number }>

interface Waiting {
  readonly resolve: (answer: DhtAnswer) => void
  readonly reject: (error: NetError) => void
}

/** Codes with which personad-net explains its end. */
const REPORTED: ReadonlySet<string> = new Set<NetError['code']>(['NET_UDP', 'NET_FAILED'])
/** Codes with which it refuses an order. */
const REFUSALS: ReadonlySet<string> = new Set<NetError['code']>(['NET_BUSY', 'NET_DHT', 'NET_OFF', 'NET_PROXY'])

export class Net {
  readonly #options: NetOptions
  readonly #child: Child<Order, Report>
  readonly #waiting = new Map<number, Waiting>()
  /** Orders that wait until personad-net is ready. */
  readonly #starting: (() => void)[] = []
  #lastId = 0
  #counters: DhtCounters | null = null

  constructor(options: NetOptions) {
    const { config, log, open, clock } = options
    this.#options = options
    this.#child = new Child({
      protocol: NET_PROTOCOL,
      name: 'personad-net',
      knownCodes: REPORTED,
      greet: () =>
        Promise.resolve({
          orders: [
            { type: 'configure', ...config },
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
      ...(clock === undefined ? {} : { clock }),
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
   * @throws {NetError} NET_DOWN | NET_LOST | NET_LIED | NET_BUSY | NET_DHT
   */
  async get(place: ValuePlace): Promise<GetReport> {
    const answer = await this.#order((id) => ({ type: 'dht.get', id, ...formatPlace(place) }))
    return this.#judge(place, answer)
  }

  /**
   * Stores a value on the closest nodes of the DHT, and reads it back.
   * @throws {NetError} NET_DOWN | NET_LOST | NET_LIED | NET_BUSY | NET_DHT
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

  async #order(orderFor: (id: number) => DhtOrder, body?: Uint8Array): Promise<DhtAnswer> {
    if (this.#child.state === 'starting') await this.#started()
    if (this.#child.state !== 'running') throw new NetError('NET_DOWN', 'personad-net does not run now')
    const id = ++this.#lastId
    const { promise, resolve, reject } = Promise.withResolvers<DhtAnswer>()
    this.#waiting.set(id, { resolve, reject })
    try {
      this.#child.send(orderFor(id), body)
      return await promise
    } finally {
      this.#waiting.delete(id)
    }
  }

  /** Resolves when personad-net is ready, or has ended before that. */
  async #started(): Promise<void> {
    await new Promise<void>((resolve) => this.#starting.push(resolve))
  }

  #endStart(): void {
    for (const resolve of this.#starting.splice(0)) resolve()
  }

  #take({ message, body }: Framed<Report>): void {
    switch (message.type) {
      case 'ready':
        this.#options.log.info('net.ready', { message: 'personad-net runs', how: this.#options.how })
        return this.#endStart()
      case 'dht.got':
      case 'dht.stored':
        return this.#waiting.get(message.id)?.resolve({ message, body })
      case 'refused': {
        const { code } = message
        const error = REFUSALS.has(code)
          ? new NetError(code as NetError['code'], message.message)
          : new NetError('NET_FAILED', 'personad-net could not carry out the order')
        return this.#waiting.get(message.id)?.reject(error)
      }
      case 'dht.counters':
        this.#counters = message.counters
        return
      case 'failed':
      case 'beat':
    }
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
    for (const { reject } of this.#waiting.values())
      reject(new NetError('NET_LOST', 'personad-net ended before the order did'))
  }
}

function lied(): NetError {
  return new NetError('NET_LIED', 'personad-net answered with something that nobody signed')
}

function netError(problem: ChildError): NetError {
  const { message, reported, cause } = problem
  if (reported !== null) return new NetError(reported as NetError['code'], message)
  return cause instanceof NetError ? cause : new NetError('NET_FAILED', message, { cause })
}
