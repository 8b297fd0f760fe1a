/** One connection of a daemon to personad-net: reads its orders, carries them out, and reports. */
import type { Writable } from 'node:stream'
import { DhtError } from '../dht/errors.ts'
import { FrameError, type Framed } from '../process/frame.ts'
import { OrderSession } from '../process/order-session.ts'
import { systemClock } from '../process/pulse.ts'
import { useNoCompiler } from '../process/small-program.ts'
import { Dht, type Resolve } from './dht.ts'
import { formatGot, formatStored, parsePlace, parseValue } from './dht-form.ts'
import { NetError } from './errors.ts'
import { ORDER_READER } from './orders.ts'
import { NET_LIMITS, type Order, type Report } from './protocol.ts'
import type { NetSettings } from './settings.ts'
import type { WebCalls } from './web-calls.ts'

type DhtOrder = Extract<Order, { readonly type: 'dht.get' | 'dht.put' }>
type WebOrder = Extract<Order, { readonly type: 'http.open' | 'http.body' | 'http.took' | 'http.cancel' }>

/** The two ways from a name to addresses. */
export interface Resolvers {
  /** For the DHT, which is IPv4 only. */
  readonly ipv4: Resolve
  readonly all: Resolve
}

export class Session {
  readonly #session: OrderSession<Order, Report>
  readonly #resolvers: Resolvers
  #settings: NetSettings | null = null
  #dht: Dht | null = null
  /** Made at the first call. */
  #web: WebCalls | null = null
  #atOnce: number | null = null

  constructor(output: Writable, resolvers: Resolvers) {
    this.#session = new OrderSession(output, NET_LIMITS)
    this.#resolvers = resolvers
  }

  /** Serves until the input ends or makes no sense. Never throws. */
  async serve(input: AsyncIterable<Buffer>): Promise<void> {
    await this.#session.serve(input, {
      orders: ORDER_READER,
      take: (order) => this.#takeOrder(order),
      reasonOf,
      close: () => {
        this.#dht?.close()
        this.#web?.close()
      },
    })
  }

  async #takeOrder({ message: order, body }: Framed<Order>): Promise<void> {
    switch (order.type) {
      case 'configure':
        return await this.#configure(order)
      case 'limits':
        this.#atOnce = order.atOnce
        return this.#dht?.limit(order.atOnce)
      case 'dht.get':
      case 'dht.put':
        // Not awaited: other orders go on meanwhile.
        void this.#carryOut(order, body)
        return
      case 'http.open':
      case 'http.body':
      case 'http.took':
      case 'http.cancel':
        return await this.#call(order, body)
    }
  }

  async #call(order: WebOrder, body: Uint8Array): Promise<void> {
    try {
      if (order.type === 'http.open') (await this.#openWeb()).open(order, body)
      else if (order.type === 'http.body') this.#web?.add(order.id, body)
      else if (order.type === 'http.took') this.#web?.took(order.id, order.bytes)
      else this.#web?.cancel(order.id)
    } catch (error) {
      this.#session.report({ type: 'refused', id: order.id, ...reasonOf(error) })
    }
  }

  /**
   * Loads the code of HTTP at the first call: without it the program is smaller. The compiler of V8 would spare an eighth of the CPU of a call
   * from then on, and take 6 MB.
   */
  async #openWeb(): Promise<WebCalls> {
    if (this.#web !== null) return this.#web
    if (this.#settings === null) throw new NetError('NET_OFF', 'personad-net has no settings yet')
    useNoCompiler()
    const { WebCalls } = await import('./web-calls.ts')
    this.#web = new WebCalls(this.#settings, this.#resolvers.all, systemClock, (report, part) =>
      this.#session.report(report, part),
    )
    return this.#web
  }

  async #configure(settings: NetSettings): Promise<void> {
    this.#dht?.close()
    this.#dht = null
    this.#web?.close()
    this.#web = null
    this.#settings = settings
    // UDP would go around the proxy and show the address that it hides.
    if (settings.bootstrap.length === 0 || settings.proxy !== null) return
    this.#dht = await Dht.open(settings, this.#resolvers.ipv4)
    if (this.#atOnce !== null) this.#dht.limit(this.#atOnce)
  }

  async #carryOut(order: DhtOrder, body: Uint8Array): Promise<void> {
    const { id } = order
    const dht = this.#dht
    try {
      if (dht === null) throw this.#noDht()
      const place = parsePlace(order)
      const answer = await dht.run<Framed<Report>>(async (client) =>
        order.type === 'dht.get'
          ? formatGot(id, await client.get(place))
          : formatStored(id, await client.put(parseValue(place, order, body))),
      )
      this.#answer(dht, answer.message, answer.body)
    } catch (error) {
      this.#answer(dht, { type: 'refused', id, ...reasonOf(error) })
    }
  }

  /** The counts come before the answer, so that whoever waits for the answer finds them. */
  #answer(dht: Dht | null, report: Report, body?: Uint8Array): void {
    if (dht !== null) this.#session.report({ type: 'dht.counters', counters: dht.counters })
    this.#session.report(report, body)
  }

  #noDht(): NetError {
    return this.#settings?.proxy === null || this.#settings === null
      ? new NetError('NET_OFF', 'the configuration names no bootstrap nodes of the DHT')
      : new NetError('NET_PROXY', 'the DHT is off, because it cannot go through the proxy')
  }
}

/** Code and message of an error, as a report has them. Messages of others may quote a text, so they stay here. */
function reasonOf(error: unknown): { code: NetError['code']; message: string } {
  if (error instanceof NetError) return { code: error.code, message: error.message }
  if (error instanceof DhtError) return { code: 'NET_DHT', message: error.message }
  if (error instanceof FrameError) return { code: 'NET_FAILED', message: error.message }
  return { code: 'NET_FAILED', message: 'personad-net failed' }
}
