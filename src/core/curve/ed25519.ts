/** Checks Ed25519 keys and signatures for their form, before any curve arithmetic (docs/format.md, section 1). */
import { compareBytes, equalBytes, parseHex } from '../encoding/bytes.ts'

/**
 * The y of every point whose order divides 8, little-endian, without the sign of x. Doubling (x, y) gives the neutral point
 * (0, 1) only from (0, 1) and (0, -1), gives (0, -1) only from y = 0, and gives y = 0 only from y with y^4 d + 2 y^2 - 1 = 0.
 */
const SMALL_ORDER_Y: readonly Uint8Array[] = [
  parseHex('0100000000000000000000000000000000000000000000000000000000000000')!, // 1, the neutral point
  parseHex('ECFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF7F')!, // -1, order 2
  parseHex('0000000000000000000000000000000000000000000000000000000000000000')!, // 0, order 4
  parseHex('26E8958FC2B227B045C3F489F2EF98F0D5DFAC05D3C63339B13802886D53FC05')!, // order 8
  parseHex('C7176A703D4DD84FBA3C0B760D10670F2A2053FA2C39CCC64EC7FD7792AC037A')!, // minus the one above, order 8
]

/** L = 2^252 + 27742317777372353535851937790883648493, the order of the base point, big-endian (RFC 8032, section 5.1). */
const ORDER_BIG_ENDIAN: Uint8Array = parseHex('1000000000000000000000000000000014DEF9DEA2F79CD65812631A5CF5D3ED')!

/**
 * Whether a little-endian field element of 32 bytes, ignoring its top bit, is below p = 2^255 - 19. Only 19 values are
 * not: they begin with 0xed..0xff, and all their other bits are ones.
 */
export function isCanonicalElement(bytes: Uint8Array): boolean {
  if ((bytes[31]! & 0x7f) !== 0x7f || bytes[0]! < 0xed) return true
  for (let i = 1; i < 31; i++) if (bytes[i] !== 0xff) return true
  return false
}

function isSmallOrder(point: Uint8Array): boolean {
  // Not slice(): on a Buffer it gives a view, and the change below would be one of the key.
  const unsigned = Uint8Array.from(point)
  unsigned[31]! &= 0x7f
  return SMALL_ORDER_Y.some((y) => equalBytes(y, unsigned))
}

/**
 * Whether the bytes can be a signing key or the R of a signature: 32 bytes, y < p, and not a point of small order. With
 * such a point one signature fits many messages. No point keeps two encodings: the sign bit means nothing only at x = 0,
 * which is y = 1 or y = -1, and both are of small order. {@link Engine.verify} checks that the point lies on the curve.
 */
export function isStrictPublicKey(key: Uint8Array): boolean {
  return key.length === 32 && isCanonicalElement(key) && !isSmallOrder(key)
}

/**
 * Whether the bytes can be a signature: 64 bytes, R passes {@link isStrictPublicKey}, and S < L. A lenient engine would
 * accept S + L too, so anybody could make a second signature of a message (RFC 8032, section 8.4).
 */
export function isStrictSignature(signature: Uint8Array): boolean {
  if (signature.length !== 64) return false
  const s = signature.subarray(32).toReversed()
  return compareBytes(s, ORDER_BIG_ENDIAN) < 0 && isStrictPublicKey(signature.subarray(0, 32))
}
