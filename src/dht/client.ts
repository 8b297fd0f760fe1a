/**
 * A read-only client of the Mainline DHT for signed values (BEP 44; docs/announce.md, section 7). It asks and stores, and answers no query
 * (BEP 43). It holds no secret key: values come to it signed. UDP socket, clock and randomness come in as arguments.
 */
import { isGoodSignedValue, valueOf, type SignedValue, type ValuePlace } from '../core/announce/signed-value.ts'
import type { Engine } from '../core/engine.ts'
import type { NodeAddress } from './address.ts'
import type { DhtCounters } from './counters.ts'
import { DhtError } from './errors.ts'
import { Exchange, type Surroundings } from './exchange.ts'
import { KnownNodes } from './known-nodes.ts'
import type { NodeVerdict } from './lookup.ts'
import { Order, type GetReport, type PutReport } from './order.ts'

export const MAX_ORDERS = 32 // sanity: orders at a time; each has a few queries on their way

export interface DhtOptions extends Surroundings {
  /** Strict Ed25519, as the engines have it. */
  readonly verify: Engine['verify']
  /** Nodes to begin with, by IPv4 address. The maker of the client resolves their names. */
  readonly bootstrap: readonly NodeAddress[]
  /** Judges each node before a packet goes there, also those of `bootstrap`. */
  judgeNode(node: NodeAddress): NodeVerdict
}

export class DhtClient {
  readonly #options: DhtOptions
  readonly #exchange: Exchange
  readonly #known = new KnownNodes()
  /** Rejects each order in progress. */
  readonly #orders = new Set<(error: DhtError) => void>()
  #isClosed = false

  constructor(options: DhtOptions) {
    this.#options = options
    this.#exchange = new Exchange(options)
  }

  /** A copy of the counts since the start. */
  get counters(): DhtCounters {
    return { ...this.#exchange.counters }
  }

  /** Takes one packet from the socket, whatever it holds. Never throws. */
  onMessage(packet: Uint8Array, from: NodeAddress): void {
    this.#exchange.onMessage(packet, from)
  }

  /**
   * Asks the closest nodes for every value at a place.
   * @throws {DhtError} DHT_NO_NODES | DHT_BUSY | DHT_CLOSED
   */
  async get(place: ValuePlace): Promise<GetReport> {
    return await this.#run(place, async (order) => order.report())
  }

  /**
   * Stores a value on the closest nodes, and reads it back.
   * @throws {DhtError} DHT_VALUE_INVALID | DHT_NO_NODES | DHT_BUSY | DHT_CLOSED
   */
  async put(signed: SignedValue): Promise<PutReport> {
    if (valueOf(signed) === null || !isGoodSignedValue(signed, this.#options.verify))
      throw new DhtError('DHT_VALUE_INVALID', 'the value is not sent: it is too long, or its signature is bad')
    return await this.#run(signed, async (order) => await order.store(signed))
  }

  /** Ends all orders with DHT_CLOSED. */
  close(): void {
    this.#isClosed = true
    this.#exchange.close()
    for (const reject of this.#orders) reject(closed())
  }

  async #run<Report>(place: ValuePlace, afterLookup: (order: Order) => Promise<Report>): Promise<Report> {
    if (this.#isClosed) throw closed()
    if (this.#orders.size >= MAX_ORDERS)
      throw new DhtError('DHT_BUSY', `${MAX_ORDERS} orders to the DHT are in progress; try again when one has ended`)
    const { promise: aborted, reject } = Promise.withResolvers<never>()
    this.#orders.add(reject)
    const { bootstrap, verify } = this.#options
    const order = new Order(place, {
      exchange: this.#exchange,
      known: this.#known,
      bootstrap,
      verify,
      judgeNode: (node) => this.#options.judgeNode(node),
      nowMs: () => this.#options.nowMs(),
    })
    const work = order.lookUp().then(async () => await afterLookup(order))
    try {
      return await Promise.race([work, aborted])
    } finally {
      this.#orders.delete(reject)
    }
  }
}

function closed(): DhtError {
  return new DhtError('DHT_CLOSED', 'the DHT client was closed before the order ended')
}
