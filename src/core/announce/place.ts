/** Where an announcement is on the DHT: the reading key, the salt, and the seq (docs/announce.md, section 3). */
import { encodeUtf8 } from '../encoding/bytes.ts'
import type { Engine } from '../engine.ts'
import { LABEL_ANNOUNCE_AT, LABEL_ANNOUNCE_READ } from '../labels.ts'
import { READ_BYTES } from './settings.ts'
import { MAX_DHT_SEQ } from './signed-value.ts'

export const READING_KEY_BYTES = 32 // format: r
const SALT_BYTES = 20 // format: of the secret place
/** The salt of the open place, where items of the kinds `devices` and `public` are. */
export const OPEN_SALT: Uint8Array = encodeUtf8('personad/1')

const TABLE_SEQ_STEP = 2n ** 31n // format: room for the times of one table
const FIRST_TIME_SEC = 1_600_000_000 // format: 2020-09-13; a u31 of seconds lasts until 2088
const MAX_TIME_STEP = 2 ** 31 - 1 // format: u31
export const MAX_ANNOUNCED_SEQ: number = 2 ** 22 - 1 // format: so that the seq stays below 2^53, above which many nodes keep no value
/** The seq of a forward: no later item can replace it. */
export const FORWARD_SEQ: bigint = MAX_DHT_SEQ
/** No seq that a table gives reaches it. */
export const TABLE_SEQ_END: bigint = 2n ** 53n

/**
 * The reading key r: all contacts have it from the blob, and nobody else.
 * @param root c_0, 32 bytes
 * @param read value of the document key `read`, 16 bytes; null when there was no room for it
 * @returns 32 bytes. With null it protects only from those who never saw a blob of the persona
 */
export function readingKey(root: Uint8Array, read: Uint8Array | null, engine: Engine): Uint8Array {
  return engine.sha512(LABEL_ANNOUNCE_READ, root, read ?? new Uint8Array(READ_BYTES)).slice(0, READING_KEY_BYTES)
}

/** The salt of the secret place: 20 bytes that a stranger cannot compute. */
export function secretSalt(reading: Uint8Array, signingKey: Uint8Array, engine: Engine): Uint8Array {
  return engine.sha512(LABEL_ANNOUNCE_AT, reading, signingKey).slice(0, SALT_BYTES)
}

/** The seq of the item of a table. It grows with each table and each new signature. Null for a table that is not announced. */
export function itemSeq({ seq, timeSec }: { readonly seq: number; readonly timeSec: number }): bigint | null {
  if (seq > MAX_ANNOUNCED_SEQ) return null
  return BigInt(seq) * TABLE_SEQ_STEP + BigInt(Math.min(Math.max(timeSec - FIRST_TIME_SEC, 0), MAX_TIME_STEP))
}
