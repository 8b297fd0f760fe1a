/** One order to the DHT: find every value at a place, or store one there and read it back. */
import { createHash } from 'node:crypto'
import { isGoodSignedValue, type SignedValue, type ValuePlace } from '../core/announce/signed-value.ts'
import { equalBytes } from '../core/encoding/bytes.ts'
import type { Engine } from '../core/engine.ts'
import { formatAddress, type NodeAddress } from './address.ts'
import { CLOSEST_NODES, type Candidate } from './candidates.ts'
import { DhtError } from './errors.ts'
import type { Exchange } from './exchange.ts'
import type { KnownNodes } from './known-nodes.ts'
import { Lookup, type NodeVerdict, type Traffic } from './lookup.ts'
import type { Message, Query, ValueInAnswer } from './message.ts'

/** The effort of one order. */
export interface OrderReport {
  readonly nodesAsked: number
  readonly nodesAnswered: number
  readonly sentBytes: number
  readonly receivedBytes: number
  readonly tookMs: number
}

/** A value with a good signature, and how many nodes gave it. */
export interface FoundValue {
  readonly signed: SignedValue
  readonly nodes: number
}

export interface GetReport extends OrderReport {
  /** Every different value that a node gave last, the highest seq first. */
  readonly values: readonly FoundValue[]
}

export interface PutReport extends GetReport {
  /** Nodes that said that they took it. Some say so and keep another value of the same seq. */
  readonly nodesTook: number
  /** Nodes that gave exactly this value when they were asked for it afterwards. */
  readonly nodesHold: number
}

/** The parts of the client that an order uses. */
export interface OrderParts {
  readonly exchange: Exchange
  readonly known: KnownNodes
  readonly bootstrap: readonly NodeAddress[]
  readonly verify: Engine['verify']
  judgeNode(node: NodeAddress): NodeVerdict
  nowMs(): number
}

type Reply = Exclude<Message, { kind: 'query' }>

export class Order {
  readonly #place: ValuePlace
  readonly #target: Uint8Array
  readonly #parts: OrderParts
  readonly #traffic: Traffic = { sentBytes: 0, receivedBytes: 0 }
  readonly #startedMs: number
  readonly #lookup: Lookup
  /** The value that each node gave last, by its address. */
  readonly #given = new Map<string, SignedValue>()
  /** Values with a good signature: eight nodes give the same one, and it is verified once. */
  readonly #good: SignedValue[] = []

  constructor(place: ValuePlace, parts: OrderParts) {
    this.#place = place
    this.#parts = parts
    this.#startedMs = parts.nowMs()
    this.#target = targetOf(place)
    this.#lookup = new Lookup(
      this.#target,
      {
        exchange: parts.exchange,
        judgeNode: (each) => parts.judgeNode(each),
        takeValue: (from, value) => this.#takeValue(from, value),
        noteNode: (node) => {
          const { id, host, port } = node
          if (id !== null) parts.known.note({ id, host, port }, parts.judgeNode(node) === 'open')
        },
        forgetNode: (node) => parts.known.forget(formatAddress(node)),
      },
      this.#traffic,
    )
  }

  /** @throws {DhtError} DHT_NO_NODES */
  async lookUp(): Promise<void> {
    const seeds = [...this.#parts.known.closest(this.#target), ...this.#parts.bootstrap]
    if (!seeds.some((node) => this.#parts.judgeNode(node) !== 'refused'))
      throw new DhtError(
        'DHT_NO_NODES',
        'no node of net.bootstrap can be asked: its name has no address, or its address is private and net.private does not list it',
      )
    await new Promise<void>((resolve) => this.#lookup.start(seeds, resolve))
  }

  /** Stores a value on the closest nodes that gave a token, and asks each of them for it. */
  async store(signed: SignedValue): Promise<PutReport> {
    const nodes = this.#lookup.answered.filter(({ token }) => token !== null).slice(0, CLOSEST_NODES)
    let nodesTook = 0
    await this.#askAll(
      nodes,
      ({ token }) => ({ kind: 'put', token: token!, signed }),
      (_node, reply) => {
        if (reply.kind === 'answer') nodesTook++
      },
    )
    for (const node of nodes) this.#given.delete(formatAddress(node))
    const get: Query = { kind: 'get', target: this.#target }
    await this.#askAll(
      nodes,
      () => get,
      (node, reply) => {
        if (reply.kind === 'answer' && reply.value !== null) this.#takeValue(node, reply.value)
      },
    )
    const isHeldBy = (node: Candidate): boolean => {
      const given = this.#given.get(formatAddress(node))
      return given?.seq === signed.seq && equalBytes(given.bencoded, signed.bencoded)
    }
    return { ...this.report(), nodesTook, nodesHold: nodes.filter(isHeldBy).length }
  }

  report(): GetReport {
    const nodesOf = new Map<SignedValue, number>()
    for (const signed of this.#given.values()) nodesOf.set(signed, (nodesOf.get(signed) ?? 0) + 1)
    const values = [...nodesOf]
      .map(([signed, nodes]) => ({ signed, nodes }))
      .toSorted((a, b) => (a.signed.seq === b.signed.seq ? b.nodes - a.nodes : a.signed.seq > b.signed.seq ? -1 : 1))
    return {
      values,
      nodesAsked: this.#lookup.asked,
      nodesAnswered: this.#lookup.answered.length,
      ...this.#traffic,
      tookMs: this.#parts.nowMs() - this.#startedMs,
    }
  }

  /** Asks all of them at once. Ends when each has answered or is slow; a late answer still counts until the order ends. */
  async #askAll(
    nodes: readonly Candidate[],
    queryFor: (node: Candidate) => Query,
    onReply: (node: Candidate, reply: Reply) => void,
  ): Promise<void> {
    const ends = nodes.map((node) => {
      const { promise, resolve } = Promise.withResolvers<void>()
      this.#traffic.sentBytes += this.#parts.exchange.ask(node, queryFor(node), {
        onReply: (reply, packetBytes) => {
          this.#traffic.receivedBytes += packetBytes
          onReply(node, reply)
          resolve()
        },
        onSlow: resolve,
        onTimeout: resolve,
      })
      return promise
    })
    await Promise.all(ends)
  }

  /** @returns false when the value is not of this place, or its signature is bad */
  #takeValue(from: NodeAddress, value: ValueInAnswer): boolean {
    const signed = this.#goodValue(value)
    if (signed === null) {
      this.#parts.exchange.counters.lying++
      return false
    }
    this.#given.set(formatAddress(from), signed)
    return true
  }

  #goodValue(value: ValueInAnswer): SignedValue | null {
    const { publicKey, salt } = this.#place
    if (!equalBytes(value.publicKey, publicKey)) return null
    const known = this.#good.find(
      ({ seq, signature, bencoded }) =>
        seq === value.seq && equalBytes(signature, value.signature) && equalBytes(bencoded, value.bencoded),
    )
    if (known !== undefined) return known
    const signed = { ...value, salt }
    if (!isGoodSignedValue(signed, this.#parts.verify)) return null
    this.#good.push(signed)
    return signed
  }
}

/** The DHT address of a place: SHA-1 of key and salt (BEP 44). A collision only brings values whose signature is bad here. */
function targetOf({ publicKey, salt }: ValuePlace): Uint8Array {
  return createHash('sha1').update(publicKey).update(salt).digest()
}
