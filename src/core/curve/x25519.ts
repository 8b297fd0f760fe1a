/** Checks X25519 public keys, which are the device keys of Tox, and finds signing keys in disguise (docs/format.md, sections 3 and 5). */
import { equalBytes, parseHex } from '../encoding/bytes.ts'
import { isCanonicalElement } from './ed25519.ts'

const P = 2n ** 255n - 19n // the field of both curves (RFC 7748, section 4.1)

/**
 * Every u, little-endian, for which X25519 gives zero with any secret: the points of order 1, 2, 4 and 8 on the curve and
 * on its twist. Doubling gives u' = (u^2 - 1)^2 / (4u (u^2 + 486662 u + 1)), so 0 comes from 1 and -1, 1 comes from the
 * two long values, and no u gives -1; p and p + 1 are second encodings of 0 and 1.
 */
const LOW_ORDER_U: readonly Uint8Array[] = [
  parseHex('0000000000000000000000000000000000000000000000000000000000000000')!, // 0
  parseHex('0100000000000000000000000000000000000000000000000000000000000000')!, // 1
  parseHex('ECFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF7F')!, // -1, on the twist
  parseHex('E0EB7A7C3B41B8AE1656E3FAF19FC46ADA098DEB9C32B1FD866205165F49B800')!, // order 8
  parseHex('5F9C95BCA3508C24B1D0B1559C83EF5B04445CC4581C8E86D8224EDDD09F1157')!, // order 8
  parseHex('EDFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF7F')!, // p
  parseHex('EEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF7F')!, // p + 1
]

/** Whether a u has 32 bytes, is below 2^255 - 19 and has its top bit clear. Each device has only this one accepted spelling. */
export function isCanonicalU(key: Uint8Array): boolean {
  return key.length === 32 && key[31]! < 0x80 && isCanonicalElement(key)
}

/**
 * Whether a u is of low order: every shared secret with it is zero, so it belongs to nobody.
 * @param key 32 bytes; its top bit is ignored, as in X25519
 */
export function isLowOrderU(key: Uint8Array): boolean {
  // Not slice(): on a Buffer it gives a view, and the change below would be one of the key.
  const masked = Uint8Array.from(key)
  masked[31]! &= 0x7f
  return LOW_ORDER_U.some((u) => equalBytes(u, masked))
}

/** A signing key, prepared to recognise its X25519 image: only the image u satisfies u (1 - y) = 1 + y mod p. */
export interface SigningKeyImage {
  readonly oneMinusY: bigint
  readonly onePlusY: bigint
}

/**
 * Prepares a signing key for {@link isImageOf}.
 * @param publicKey 32 bytes that passed isStrictPublicKey, which excludes y = 1, the key without an image
 */
export function signingKeyImage(publicKey: Uint8Array): SigningKeyImage {
  const y = BigInt.asUintN(255, littleEndian(publicKey)) // the sign of x does not show in u
  return { oneMinusY: 1n - y, onePlusY: 1n + y }
}

/**
 * Whether a device key is the X25519 image of the signing key. The holder of the signing key could read what friends send to such a device.
 * It multiplies instead of dividing to get the image: 0.3 us per key against about 30 us.
 * @param key 32 bytes that passed {@link isCanonicalU}
 */
export function isImageOf(key: Uint8Array, image: SigningKeyImage): boolean {
  return (littleEndian(key) * image.oneMinusY - image.onePlusY) % P === 0n
}

function littleEndian(bytes: Uint8Array): bigint {
  const words = new DataView(bytes.buffer, bytes.byteOffset, 32)
  const high = (words.getBigUint64(24, true) << 64n) | words.getBigUint64(16, true)
  return (high << 128n) | (words.getBigUint64(8, true) << 64n) | words.getBigUint64(0, true)
}
