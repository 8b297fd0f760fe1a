/**
 * A box of XSalsa20-Poly1305 that opens under two keys to two texts (after Dodis, Grubbs, Ristenpart, Woodage 2018). Poly1305 is a polynomial, so
 * two free blocks give one tag under both keys.
 */
import nacl from 'tweetnacl'
import { concatBytes } from '../../src/core/encoding/bytes.ts'
import { fromLittleEndian, littleEndian } from '../unit/core/field-25519.ts'

const P = 2n ** 130n - 5n
const BLOCK = 2n ** 128n // what each block of 16 bytes has above it, and the modulus of the tag
const BLOCK_BYTES = 16
const KEY_BYTES = 32

/** XSalsa20, which the types of the package leave out. */
const { lowlevel } = nacl as unknown as {
  readonly lowlevel: {
    crypto_stream(out: Uint8Array, at: number, length: number, nonce: Uint8Array, key: Uint8Array): number
  }
}

/** The one-time key of Poly1305, and the bytes that hide the text. */
function schedule(key: Uint8Array, nonce: Uint8Array, lengthBytes: number) {
  const bytes = new Uint8Array(KEY_BYTES + lengthBytes)
  lowlevel.crypto_stream(bytes, 0, bytes.length, nonce, key)
  const r = fromLittleEndian(bytes.slice(0, 16)) & 0x0ffffffc0ffffffc0ffffffc0fffffffn
  return { r, s: fromLittleEndian(bytes.slice(16, 32)), mask: bytes.subarray(KEY_BYTES) }
}

/** @param beginning 16 bytes a block, as the text begins under the first key; two free blocks follow */
export function makeTwoKeyBox(
  keys: readonly [Uint8Array, Uint8Array],
  nonce: Uint8Array,
  beginning: Uint8Array,
): Uint8Array {
  const length = beginning.length + 2 * BLOCK_BYTES
  const [one, two] = [schedule(keys[0], nonce, length), schedule(keys[1], nonce, length)]
  const fixed = beginning.map((byte, i) => byte ^ one.mask[i]!)
  // poly(r) = known + x r^2 + y r, with the same x and y under both keys.
  const known = (r: bigint): bigint => {
    let sum = 0n
    for (let at = 0; at < fixed.length; at += BLOCK_BYTES)
      sum = ((sum + fromLittleEndian(fixed.slice(at, at + BLOCK_BYTES)) + BLOCK) * r) % P
    return (sum * r * r) % P
  }
  const determinant = one.r * one.r * two.r - two.r * two.r * one.r
  for (let tag = 1n; ; tag++) {
    const a = ((tag + BLOCK - one.s) % BLOCK) - known(one.r)
    const b = ((tag + BLOCK - two.s) % BLOCK) - known(two.r)
    const x = modulo((a * two.r - b * one.r) * inverse(determinant))
    const y = modulo((one.r * one.r * b - two.r * two.r * a) * inverse(determinant))
    // Both must be blocks of 16 whole bytes: one time in sixteen.
    if ([x, y].every((block) => block >= BLOCK && block < 2n * BLOCK))
      return concatBytes(block(tag), fixed, block(x - BLOCK), block(y - BLOCK))
  }
}

function block(value: bigint): Uint8Array {
  return littleEndian(value, BLOCK_BYTES)
}

function modulo(value: bigint): bigint {
  return ((value % P) + P) % P
}

/** By Fermat. */
function inverse(value: bigint): bigint {
  let [result, base, exponent] = [1n, modulo(value), P - 2n]
  for (; exponent > 0n; exponent >>= 1n) {
    if (exponent & 1n) result = (result * base) % P
    base = (base * base) % P
  }
  return result
}
