/** HMAC-SHA-256 (RFC 2104) under one key, as two hashes. createHmac makes a stream for each text, and takes about twice as long. */
import { sha256 } from '../../crypto/short-hash.ts'

const BLOCK_BYTES = 64 // format: of SHA-256
const HASH_BYTES = 32
const MAX_TEXT_BYTES = 128 // sanity: a key of P-384 with moment and nonce has 73
const INNER_PAD = 0x36
const OUTER_PAD = 0x5c

export class HmacKey {
  // A new array beyond 64 bytes costs more than a hash, so each text is joined in these.
  readonly #inner = new Uint8Array(BLOCK_BYTES + MAX_TEXT_BYTES)
  readonly #outer = new Uint8Array(BLOCK_BYTES + HASH_BYTES)

  /** @param key at most BLOCK_BYTES bytes; copied @throws {RangeError} for a longer one */
  constructor(key: Uint8Array) {
    if (key.length > BLOCK_BYTES)
      throw new RangeError(`an HMAC key has at most ${BLOCK_BYTES} bytes, not ${key.length}`)
    for (let i = 0; i < BLOCK_BYTES; i++) {
      const byte = key[i] ?? 0
      this.#inner[i] = byte ^ INNER_PAD
      this.#outer[i] = byte ^ OUTER_PAD
    }
  }

  /**
   * @param parts of the text, together at most MAX_TEXT_BYTES bytes
   * @returns the HMAC of the parts in one row, HASH_BYTES bytes
   * @throws {RangeError} for a longer text
   */
  of(...parts: readonly Uint8Array[]): Uint8Array {
    let end = BLOCK_BYTES
    for (const part of parts) {
      this.#inner.set(part, end)
      end += part.length
    }
    this.#outer.set(sha256(this.#inner.subarray(0, end), HASH_BYTES), BLOCK_BYTES)
    return sha256(this.#outer, HASH_BYTES)
  }
}
