/** Which 32 and 64 bytes may be an Ed25519 key or signature at all, before any curve arithmetic (docs/format.md, section 1). */
import { compareBytes, equalBytes, parseHex } from '../encoding/bytes.ts'

/**
 * The y of every point whose order divides 8, little-endian, sign of x left out. Doubling (x, y) gives the neutral point
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
 * Whether a little-endian field element of 32 bytes, its top bit left out, is below p = 2^255 - 19. The only ones that
 * are not are the 19 that begin with 0xed..0xff and go on with ones.
 */
export function isCanonicalElement(bytes: Uint8Array): boolean {
  if ((bytes[31]! & 0x7f) !== 0x7f || bytes[0]! < 0xed) return true
  for (let i = 1; i < 31; i++) if (bytes[i] !== 0xff) return true
  return false
}

function isSmallOrder(point: Uint8Array): boolean {
  const unsigned = point.slice()
  unsigned[31]! &= 0x7f
  return SMALL_ORDER_Y.some((y) => equalBytes(y, unsigned))
}

/**
 * Whether these may be a signing key, or the R of a signature: 32 bytes, y < p, and not one of the points of small order,
 * for which one signature fits many messages. Two encodings of one point do not remain: x = 0, where the sign bit means
 * nothing, is the case of y = 1 and y = -1 only. Whether the point lies on the curve is left to {@link Engine.verify}.
 */
export function isStrictPublicKey(key: Uint8Array): boolean {
  return key.length === 32 && isCanonicalElement(key) && !isSmallOrder(key)
}

/**
 * Whether these may be a signature: 64 bytes, R as {@link isStrictPublicKey} has it, and S < L. S + L would verify in a
 * lenient engine, and a second signature of one message could be made by anybody (RFC 8032, section 8.4).
 */
export function isStrictSignature(signature: Uint8Array): boolean {
  if (signature.length !== 64) return false
  const s = signature.subarray(32).toReversed()
  return compareBytes(s, ORDER_BIG_ENDIAN) < 0 && isStrictPublicKey(signature.subarray(0, 32))
}
