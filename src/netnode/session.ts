/** One connection of a daemon to personad-net: reads its orders, carries them out, and reports. */
import type { Writable } from 'node:stream'
import { DhtError } from '../dht/errors.ts'
import { encodeFrame, FrameCutter, FrameError, type Framed } from '../process/frame.ts'
import { BEAT_MS, checkFrame } from '../process/protocol.ts'
import { systemClock } from '../process/pulse.ts'
import { Dht, type Resolve } from './dht.ts'
import { formatGot, formatStored, parsePlace, parseValue } from './dht-form.ts'
import { NetError } from './errors.ts'
import { ORDER_READER } from './orders.ts'
import { NET_LIMITS, type Order, type Report } from './protocol.ts'
import type { NetSettings } from './settings.ts'
import type { WebCalls } from './web-calls.ts'

const MAX_UNREAD_BYTES = 8_388_608 // sanity: the answers to all orders that can wait take 23 MB at most; a daemon that reads none is cut off

type DhtOrder = Extract<Order, { readonly type: 'dht.get' | 'dht.put' }>
type WebOrder = Extract<Order, { readonly type: 'http.open' | 'http.took' | 'http.cancel' }>

/** The two ways from a name to addresses. */
export interface Resolvers {
  /** For the DHT, which is IPv4 only. */
  readonly ipv4: Resolve
  readonly all: Resolve
}

export class Session {
  readonly #output: Writable
  readonly #resolvers: Resolvers
  #settings: NetSettings | null = null
  #dht: Dht | null = null
  /** Made at the first call. */
  #web: WebCalls | null = null
  #atOnce: number | null = null
  #isOver = false

  constructor(output: Writable, resolvers: Resolvers) {
    this.#output = output
    this.#resolvers = resolvers
    // The input of a daemon that is gone ends too.
    output.on('error', () => {})
  }

  /** Serves until the input ends or makes no sense. Never throws. */
  async serve(input: AsyncIterable<Buffer>): Promise<void> {
    this.#report({ type: 'ready' })
    const beat = setInterval(() => this.#report({ type: 'beat' }), BEAT_MS)
    try {
      const cutter = new FrameCutter(NET_LIMITS)
      for await (const piece of input)
        for (const frame of cutter.push(piece)) await this.#takeOrder(checkFrame(ORDER_READER, frame))
    } catch (error) {
      this.#report({ type: 'failed', ...reasonOf(error) })
    } finally {
      this.#isOver = true
      clearInterval(beat)
      this.#dht?.close()
      this.#web?.close()
      this.#output.end()
    }
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
      case 'http.took':
      case 'http.cancel':
        return await this.#call(order, body)
    }
  }

  async #call(order: WebOrder, body: Uint8Array): Promise<void> {
    try {
      if (order.type === 'http.open') (await this.#openWeb()).open(order, body)
      else if (order.type === 'http.took') this.#web?.took(order.id, order.bytes)
      else this.#web?.cancel(order.id)
    } catch (error) {
      this.#report({ type: 'refused', id: order.id, ...reasonOf(error) })
    }
  }

  /** Loads the code of HTTP at the first call: without it the program is smaller. */
  async #openWeb(): Promise<WebCalls> {
    if (this.#web !== null) return this.#web
    if (this.#settings === null) throw new NetError('NET_OFF', 'personad-net has no settings yet')
    const { WebCalls } = await import('./web-calls.ts')
    this.#web = new WebCalls(this.#settings, this.#resolvers.all, systemClock, (report, part) =>
      this.#report(report, part),
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

  /** The counts come before the answer, so that whoever waits for the answer finds them, and in one piece with it: the daemon wakes once. */
  #answer(dht: Dht | null, report: Report, body?: Uint8Array): void {
    this.#output.cork()
    if (dht !== null) this.#report({ type: 'dht.counters', counters: dht.counters })
    this.#report(report, body)
    this.#output.uncork()
  }

  #noDht(): NetError {
    return this.#settings?.proxy === null || this.#settings === null
      ? new NetError('NET_OFF', 'the configuration names no bootstrap nodes of the DHT')
      : new NetError('NET_PROXY', 'the DHT is off, because it cannot go through the proxy')
  }

  #report(report: Report, body?: Uint8Array): void {
    if (this.#isOver) return
    this.#output.write(encodeFrame(report, NET_LIMITS, body))
    if (this.#output.writableLength > MAX_UNREAD_BYTES) this.#output.destroy()
  }
}

/** Code and message of an error, as a report has them. Messages of others may quote a text, so they stay here. */
function reasonOf(error: unknown): { code: NetError['code']; message: string } {
  if (error instanceof NetError) return { code: error.code, message: error.message }
  if (error instanceof DhtError) return { code: 'NET_DHT', message: error.message }
  if (error instanceof FrameError) return { code: 'NET_FAILED', message: error.message }
  return { code: 'NET_FAILED', message: 'personad-net failed' }
}
