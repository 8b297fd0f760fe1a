/** Public points of P-384 in both encodings of SEC 1, section 2.3 (docs/relay.md, "Keys"). Public values only: nothing here is constant time. */
import { concatBytes, formatHex, parseHex } from '../encoding/bytes.ts'

const P = 2n ** 384n - 2n ** 128n - 2n ** 96n + 2n ** 32n - 1n // the field (FIPS 186-4, D.1.2.4); 3 mod 4, so a root is a power
const A = -3n
const B = 0xb3312fa7e23ee7e4988e056be3f82d19181d9c6efe8141120314088f5013875ac656398d8a2ed19d2a85c8edd3ec2aefn

const COORDINATE_BYTES = 48
const EVEN_Y = 2
const ODD_Y = 3
const BOTH_COORDINATES = 4

/** Bytes of a point as its x and the parity of its y. */
export const COMPRESSED_P384_BYTES = 49
/** Bytes of a point as x and y. */
export const UNCOMPRESSED_P384_BYTES = 97

/** Whether 49 bytes have the form of a compressed point: a known first byte, and x below p. About one half of such x have a point. */
export function hasCompressedForm(point: Uint8Array): boolean {
  return (
    point.length === COMPRESSED_P384_BYTES && (point[0] === EVEN_Y || point[0] === ODD_Y) && coordinate(point, 1) < P
  )
}

/** @returns the 49 bytes of a point of 97 bytes; null if that is not a point of the curve */
export function compressP384(point: Uint8Array): Uint8Array | null {
  if (point.length !== UNCOMPRESSED_P384_BYTES || point[0] !== BOTH_COORDINATES) return null
  const x = coordinate(point, 1)
  const y = coordinate(point, 1 + COORDINATE_BYTES)
  if (x >= P || y >= P || (y * y - squareOfY(x)) % P !== 0n) return null
  return concatBytes(Uint8Array.of(y % 2n === 0n ? EVEN_Y : ODD_Y), point.subarray(1, 1 + COORDINATE_BYTES))
}

/** @returns the 97 bytes of a point of 49 bytes; null if that is not a point of the curve. It takes some 0.5 ms. */
export function decompressP384(point: Uint8Array): Uint8Array | null {
  if (!hasCompressedForm(point)) return null
  const square = squareOfY(coordinate(point, 1))
  const root = power(square, (P + 1n) / 4n)
  if ((root * root - square) % P !== 0n) return null
  // No point has y = 0, because the order of the curve is odd. So both roots exist, and one of them is even.
  const isEven = root % 2n === 0n
  const y = isEven === (point[0] === EVEN_Y) ? root : P - root
  return concatBytes(Uint8Array.of(BOTH_COORDINATES), point.subarray(1), bigEndian(y))
}

/** @returns x^3 - 3x + b, between 0 and p - 1 */
function squareOfY(x: bigint): bigint {
  return ((((x * x + A) * x + B) % P) + P) % P
}

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n
  let square = base
  for (let left = exponent; left > 0n; left >>= 1n) {
    if (left & 1n) result = (result * square) % P
    square = (square * square) % P
  }
  return result
}

function coordinate(point: Uint8Array, at: number): bigint {
  return BigInt(`0x${formatHex(point.subarray(at, at + COORDINATE_BYTES))}`)
}

function bigEndian(value: bigint): Uint8Array {
  return parseHex(value.toString(16).padStart(2 * COORDINATE_BYTES, '0'))!
}
