/**
 * Slot 0 of a ring: which frames lie in the other slots, and how far their writer has read the rings of others (docs/channel.md, section 13).
 * `flags u8 | run 8 | last u64 | 16 tags of 8 | count u8 | (ring 8 | run 8 | number u64) each`, sealed.
 */
import { concatBytes, equalBytes, isZero, u64be } from '../../../core/encoding/bytes.ts'
import type { Boxes, Engine } from '../../../core/engine.ts'
import { LABEL_CHANNEL_RING } from '../../../core/labels.ts'

export const RING_SLOTS = 16 // format: frames that lie in a ring at a time
/** The header, and the frames after it. */
export const RECORD_SLOTS: number = 1 + RING_SLOTS
export const TAG_BYTES = 8 // format: the beginning of a hash
export const RUN_BYTES = 8
/** Rings of others whose frames were read. */
export const MAX_ACKS = 4 // sanity: the guests of one invite
const NONCE_BYTES = 24
const KEY_BYTES = 32
const HEAD_BYTES = 1 + RUN_BYTES + 8 + RING_SLOTS * TAG_BYTES + 1
const ACK_BYTES = TAG_BYTES + RUN_BYTES + 8
const RETIRED = 1
const NOTHING: Uint8Array = new Uint8Array(TAG_BYTES)

/** How far a ring was read. */
export interface RingAck {
  /** The beginning of the hash of the ring's address. */
  readonly ring: Uint8Array
  /** That of the ring: it changes when its writer lost count. */
  readonly run: Uint8Array
  /** The last frame that was read. */
  readonly number: number
}

export interface RingHeader {
  /** Its owner takes nothing more. */
  readonly isRetired: boolean
  readonly run: Uint8Array
  /** The number of the newest frame; 0 before the first. */
  readonly last: number
  /** By slot of the ring: the beginning of the hash of the data that lies there, or null. */
  readonly tags: readonly (Uint8Array | null)[]
  readonly acks: readonly RingAck[]
}

/** The slot of a frame in its record. */
export function slotOf(number: number): number {
  return 1 + (number % RING_SLOTS)
}

/** Names the data of a slot in the header. */
export function tagOf(data: Uint8Array, engine: Pick<HeaderEngine, 'sha512'>): Uint8Array {
  return engine.sha512(data).slice(0, TAG_BYTES)
}

/** The frames that lie in a ring, oldest first. */
export function liveNumbers({ last, tags }: Pick<RingHeader, 'last' | 'tags'>): number[] {
  const numbers = Array.from({ length: Math.min(RING_SLOTS, last) }, (_, i) => last - i).toReversed()
  return numbers.filter((number) => tags[number % RING_SLOTS] !== null)
}

export type HeaderEngine = Pick<Engine, 'sha512'> & Boxes

/** The key of the headers of one ring: whoever knows where the owner receives has it. */
export function headerKey(pub: Uint8Array, address: Uint8Array, engine: HeaderEngine): Uint8Array {
  return engine.sha512(LABEL_CHANNEL_RING, Uint8Array.of(pub.length), pub, address).subarray(0, KEY_BYTES)
}

/** @param nonce 24 random bytes */
export function sealHeader(header: RingHeader, key: Uint8Array, nonce: Uint8Array, engine: HeaderEngine): Uint8Array {
  const { isRetired, run, last, tags, acks } = header
  const text = concatBytes(
    Uint8Array.of(isRetired ? RETIRED : 0),
    run,
    u64be(last),
    ...tags.map((tag) => tag ?? NOTHING),
    Uint8Array.of(acks.length),
    ...acks.flatMap((ack) => [ack.ring, ack.run, u64be(ack.number)]),
  )
  return engine.sealBox(text, nonce, key, nonce)
}

/** @returns null for what was not sealed with this key, or is no header */
export function openHeader(sealed: Uint8Array, key: Uint8Array, engine: HeaderEngine): RingHeader | null {
  if (sealed.length < NONCE_BYTES) return null
  const text = engine.openBox(sealed.subarray(NONCE_BYTES), sealed.subarray(0, NONCE_BYTES), key)
  const count = text?.[HEAD_BYTES - 1] ?? 0
  if (text === null || count > MAX_ACKS || text.length !== HEAD_BYTES + count * ACK_BYTES) return null
  const reader = new Reader(text)
  const [flags] = reader.bytes(1)
  const run = reader.bytes(RUN_BYTES)
  const last = reader.number()
  const tags = Array.from({ length: RING_SLOTS }, () => reader.bytes(TAG_BYTES)).map((tag) =>
    isZero(tag) ? null : tag,
  )
  reader.bytes(1)
  const acks = Array.from({ length: count }, () => ({
    ring: reader.bytes(TAG_BYTES),
    run: reader.bytes(RUN_BYTES),
    number: reader.number(),
  }))
  const numbers = [last, ...acks.map(({ number }) => number)]
  if (flags! > RETIRED || !numbers.every(Number.isSafeInteger)) return null
  return { isRetired: flags === RETIRED, run, last, tags, acks }
}

/** How far the writer of a header has read a ring; 0 for nothing. */
export function ackOf({ acks }: Pick<RingHeader, 'acks'>, { ring, run }: Pick<RingAck, 'ring' | 'run'>): number {
  return acks.find((ack) => equalBytes(ack.ring, ring) && equalBytes(ack.run, run))?.number ?? 0
}

class Reader {
  readonly #bytes: Uint8Array
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  bytes(length: number): Uint8Array {
    this.#at += length
    return this.#bytes.slice(this.#at - length, this.#at)
  }

  number(): number {
    const bytes = this.bytes(8)
    return Number(new DataView(bytes.buffer).getBigUint64(0))
  }
}
