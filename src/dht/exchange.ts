/** Queries and their answers: each answer is matched by transaction and sender, and each query ends by an answer or a time-out. */
import { formatHex } from '../core/encoding/bytes.ts'
import { formatAddress, NODE_ID_BYTES, type NodeAddress } from './address.ts'
import { newCounters, type Counters } from './counters.ts'
import { PacketError } from './errors.ts'
import { decodeMessage, encodeQuery, TRANSACTION_BYTES, withTransaction, type Message, type Query } from './message.ts'

/** The world outside: a UDP socket for IPv4, a clock and a source of randomness. */
export interface Surroundings {
  /** Sends one packet. It may be lost. */
  send(packet: Uint8Array, to: NodeAddress): void
  /** Cryptographically secure random bytes. */
  randomBytes(length: number): Uint8Array
  /** Milliseconds of a monotonic clock. */
  nowMs(): number
  /** Calls `run` once after the delay. @returns a function that cancels it */
  startTimer(delayMs: number, run: () => void): () => void
}

export type Answer = Extract<Message, { kind: 'answer' }>
type Reply = Exclude<Message, { kind: 'query' }>

/** The calls for one query. Exactly one of `onReply` and `onTimeout` is called, and before it at most once `onSlow`. */
export interface Waiting {
  onReply(reply: Reply, packetBytes: number): void
  /** The answer takes so long that nobody should wait for it. It may still come. */
  onSlow(): void
  onTimeout(): void
}

const TIMEOUT_MS = 3000 // sanity: real nodes that answer at all do so within a second, nearly always
const MAX_SLOW_MS = 1000 // sanity: a node on the other side of the world over a bad line
const MIN_SLOW_MS = 500 // sanity: a busy machine must not look like a dead node
const GRACE_MS = 1 // sanity: after a stall of this process its timers run before its socket; one more turn lets the packets in
const SLOW_FACTOR = 4 // sanity: few honest answers take four times the usual
const TRANSACTIONS_AT_ONCE = 64 // sanity: 256 bytes; to draw four at a time took a twentieth of a lookup
const WEIGHT_OF_LAST = 0.1 // sanity: the usual time follows the last ten answers or so

interface Asked {
  readonly address: string
  readonly sentMs: number
  readonly waiting: Waiting
  cancelTimer: () => void
}

export class Exchange {
  readonly counters: Counters = newCounters()
  readonly #outside: Surroundings
  /** New at each start, so that nothing binds two runs. */
  readonly ownId: Uint8Array
  readonly #encoded = new WeakMap<Query, Uint8Array>()
  readonly #asked = new Map<string, Asked>()
  /** How many queries wait for each address. */
  readonly #addresses = new Map<string, number>()
  /** Random bytes for the next transactions. */
  #unused: Uint8Array = new Uint8Array()
  /** How long an answer usually takes; null before the first. */
  #usualMs: number | null = null

  constructor(outside: Surroundings) {
    this.#outside = outside
    this.ownId = outside.randomBytes(NODE_ID_BYTES)
  }

  /** Sends a query. One that goes to several nodes is the same object each time, and is encoded once. @returns the size of the packet */
  ask(to: NodeAddress, query: Query, waiting: Waiting): number {
    const transaction = this.#nextTransaction()
    const id = formatHex(transaction)
    const address = formatAddress(to)
    const packet = this.#encode(query, transaction)
    const asked: Asked = { address, sentMs: this.#outside.nowMs(), waiting, cancelTimer: () => undefined }
    // Four random bytes repeat once in a long while. The older query then ends, as if its answer were lost.
    this.#take(id)?.waiting.onTimeout()
    this.#asked.set(id, asked)
    this.#addresses.set(address, (this.#addresses.get(address) ?? 0) + 1)
    const slowMs = this.#slowMs()
    const wait = (delayMs: number, run: () => void): void => {
      asked.cancelTimer = this.#outside.startTimer(delayMs, () => {
        asked.cancelTimer = this.#outside.startTimer(GRACE_MS, run)
      })
    }
    wait(slowMs - GRACE_MS, () => {
      wait(TIMEOUT_MS - slowMs - GRACE_MS, () => this.#timedOut(id))
      waiting.onSlow()
    })
    this.counters.sentPackets++
    this.counters.sentBytes += packet.length
    this.#outside.send(packet, to)
    return packet.length
  }

  /** Takes one packet from the socket, whatever it holds. Never throws. */
  onMessage(packet: Uint8Array, from: NodeAddress): void {
    this.counters.receivedPackets++
    this.counters.receivedBytes += packet.length
    const address = formatAddress(from)
    // A flood from elsewhere costs a look into a table, and no decoding.
    if (!this.#addresses.has(address)) {
      this.counters.fromStrangers++
      return
    }
    // A copy, and no Buffer: slices of a Buffer share its memory.
    const message = this.#decode(new Uint8Array(packet))
    if (message === null) return
    if (message.kind === 'query') {
      this.counters.queries++
      return
    }
    const id = formatHex(message.transaction)
    if (this.#asked.get(id)?.address !== address) {
      this.counters.unmatched++
      return
    }
    const { sentMs, waiting } = this.#take(id)!
    const tookMs = this.#outside.nowMs() - sentMs
    this.#usualMs = this.#usualMs === null ? tookMs : this.#usualMs + (tookMs - this.#usualMs) * WEIGHT_OF_LAST
    if (message.kind === 'error') this.counters.errors++
    waiting.onReply(message, packet.length)
  }

  /** Forgets every query. Nothing of them is called any more. */
  close(): void {
    for (const { cancelTimer } of this.#asked.values()) cancelTimer()
    this.#asked.clear()
    this.#addresses.clear()
  }

  #nextTransaction(): Uint8Array {
    if (this.#unused.length === 0) this.#unused = this.#outside.randomBytes(TRANSACTIONS_AT_ONCE * TRANSACTION_BYTES)
    const transaction = this.#unused.slice(0, TRANSACTION_BYTES)
    this.#unused = this.#unused.subarray(TRANSACTION_BYTES)
    return transaction
  }

  #encode(query: Query, transaction: Uint8Array): Uint8Array {
    let encoded = this.#encoded.get(query)
    if (encoded === undefined) {
      encoded = encodeQuery(query, transaction, this.ownId)
      this.#encoded.set(query, encoded)
      return encoded
    }
    return withTransaction(encoded, transaction)
  }

  #decode(packet: Uint8Array): Message | null {
    try {
      return decodeMessage(packet)
    } catch (error) {
      if (!(error instanceof PacketError)) throw error
      const isCut = error.code === 'BENCODE_TRUNCATED' || error.code === 'BENCODE_TOO_LARGE'
      this.counters[isCut ? 'truncated' : 'malformed']++
      return null
    }
  }

  #timedOut(id: string): void {
    this.counters.timeouts++
    this.#take(id)?.waiting.onTimeout()
  }

  #take(id: string): Asked | undefined {
    const asked = this.#asked.get(id)
    if (asked === undefined) return undefined
    asked.cancelTimer()
    this.#asked.delete(id)
    const left = this.#addresses.get(asked.address)! - 1
    if (left > 0) this.#addresses.set(asked.address, left)
    else this.#addresses.delete(asked.address)
    return asked
  }

  #slowMs(): number {
    if (this.#usualMs === null) return MAX_SLOW_MS
    return Math.min(MAX_SLOW_MS, Math.max(MIN_SLOW_MS, this.#usualMs * SLOW_FACTOR))
  }
}
