/** Tox IDs: public key[32] || nospam[4] || checksum[2], as 76 upper-case hex digits (c-toxcore Messenger.c, getaddress). */
import { concatBytes, equalBytes, formatHex, parseHex } from '../../core/encoding/bytes.ts'
import { ToxError } from './errors.ts'

const KEY_BYTES = 32
export const NOSPAM_BYTES = 4 // toxcore: TOX_NOSPAM_SIZE
export const SECRET_KEY_BYTES = 32 // toxcore: TOX_SECRET_KEY_SIZE
const CHECKSUM_BYTES = 2
const ID_BYTES: number = KEY_BYTES + NOSPAM_BYTES + CHECKSUM_BYTES

export interface ToxId {
  /** 32 bytes, X25519 */
  readonly publicKey: Uint8Array
  /** 4 bytes; a friend request must carry them */
  readonly nospam: Uint8Array
}

/** Formats a Tox ID as 76 upper-case hex digits. */
export function formatToxId(id: ToxId): string {
  const body = concatBytes(id.publicKey, id.nospam)
  return formatHex(concatBytes(body, checksum(body)))
}

/**
 * Parses a Tox ID: 76 hex digits of either case.
 * @throws {ToxError} TOX_BAD_ID
 */
export function parseToxId(text: string): ToxId {
  const bytes = parseHex(text)
  if (bytes?.length !== ID_BYTES) throw badId('a Tox ID has 76 hex digits')
  const body = bytes.subarray(0, ID_BYTES - CHECKSUM_BYTES)
  if (!equalBytes(bytes.subarray(body.length), checksum(body))) throw badId('the checksum of the Tox ID is wrong')
  return { publicKey: body.slice(0, KEY_BYTES), nospam: body.slice(KEY_BYTES) }
}

/**
 * Parses the public key from a ToxPk (64 hex digits) or a whole Tox ID (76), since users copy either.
 * @returns 32 bytes
 * @throws {ToxError} TOX_BAD_ID
 */
export function parseToxPk(text: string): Uint8Array {
  if (text.length === 2 * ID_BYTES) return parseToxId(text).publicKey
  const bytes = parseHex(text)
  if (bytes?.length !== KEY_BYTES) throw badId('a ToxPk has 64 hex digits, a Tox ID 76')
  return bytes
}

/** XORs all bytes at even offsets into the first byte, and all at odd offsets into the second. */
function checksum(body: Uint8Array): Uint8Array {
  const sum = new Uint8Array(CHECKSUM_BYTES)
  for (let i = 0; i < body.length; i++) sum[i % CHECKSUM_BYTES]! ^= body[i]!
  return sum
}

function badId(why: string): ToxError {
  return new ToxError('TOX_BAD_ID', `${why}: copy it again`)
}
