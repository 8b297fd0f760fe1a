/** A value of a slot in parts that fit into values of the DHT: `index u8 | count u8 | hash 16 | at most 978 bytes` (docs/record.md, section 6). */
import { MAX_VALUE_BYTES } from '../../core/announce/signed-value.ts'
import { concatBytes, equalBytes } from '../../core/encoding/bytes.ts'
import type { Sha256 } from '../../core/engine.ts'

const HASH_BYTES = 16 // format: the beginning of SHA-256 of the whole value
const HEAD_BYTES = 2 + HASH_BYTES
export const PART_BYTES: number = MAX_VALUE_BYTES - HEAD_BYTES
export const MAX_PARTS = 13 // sanity: the largest data of a channel; each part is a lookup and a put

/** One part, as the DHT holds it. */
export interface Part {
  readonly index: number
  /** Parts of the value, 1..MAX_PARTS. */
  readonly count: number
  readonly hash: Uint8Array
  readonly bytes: Uint8Array
}

/** @param bytes 0..MAX_PARTS * PART_BYTES bytes */
export function cutIntoParts(bytes: Uint8Array, engine: Sha256): Uint8Array[] {
  const count = Math.max(1, Math.ceil(bytes.length / PART_BYTES))
  const hash = hashOf(bytes, engine)
  return Array.from({ length: count }, (_, index) =>
    concatBytes(Uint8Array.of(index, count), hash, bytes.subarray(index * PART_BYTES, (index + 1) * PART_BYTES)),
  )
}

/** @returns null for bytes that are no part */
export function parsePart(value: Uint8Array): Part | null {
  const [index = 0, count = 0] = value
  if (value.length < HEAD_BYTES || count < 1 || count > MAX_PARTS || index >= count) return null
  return { index, count, hash: value.subarray(2, HEAD_BYTES), bytes: value.subarray(HEAD_BYTES) }
}

/** @returns null if these are not all parts of one value, in order */
export function joinParts(parts: readonly (Part | null)[], engine: Sha256): Uint8Array | null {
  const first = parts[0]
  if (!first || parts.length !== first.count) return null
  const fits = parts.every((part, index) => part?.index === index && part.count === first.count)
  if (!fits) return null
  const bytes = concatBytes(...parts.map((part) => part!.bytes))
  const hash = hashOf(bytes, engine)
  return parts.every((part) => equalBytes(part!.hash, hash)) ? bytes : null
}

function hashOf(bytes: Uint8Array, engine: Sha256): Uint8Array {
  return engine.sha256(bytes).subarray(0, HASH_BYTES)
}
