/** The field and both curves in plain BigInt arithmetic. The tests derive the constants of core from it. */

export const P: bigint = 2n ** 255n - 19n
export const L: bigint = 2n ** 252n + 27742317777372353535851937790883648493n
export const D: bigint = mod(-121665n * inverse(121666n))
const SQRT_MINUS_ONE = power(2n, (P - 1n) / 4n)

export function mod(a: bigint): bigint {
  return ((a % P) + P) % P
}

export function power(base: bigint, exponent: bigint): bigint {
  let result = 1n
  let square = mod(base)
  for (let e = exponent; e > 0n; e >>= 1n) {
    if ((e & 1n) === 1n) result = mod(result * square)
    square = mod(square * square)
  }
  return result
}

export function inverse(a: bigint): bigint {
  return power(a, P - 2n)
}

/** Both square roots; one if a is 0, none if a is not a square. */
export function roots(a: bigint): bigint[] {
  const candidate = power(a, (P + 3n) / 8n)
  const root = [candidate, mod(candidate * SQRT_MINUS_ONE)].find((r) => mod(r * r - a) === 0n)
  if (root === undefined) return []
  return root === 0n ? [0n] : [root, P - root]
}

/** Every solution of a x^2 + b x + c = 0, for a other than zero. */
export function quadratic(a: bigint, b: bigint, c: bigint): bigint[] {
  return roots(mod(b * b - 4n * a * c)).map((root) => mod((root - b) * inverse(2n * a)))
}

export function littleEndian(value: bigint, length = 32): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => Number((value >> BigInt(8 * i)) & 255n))
}

export function fromLittleEndian(bytes: Uint8Array): bigint {
  return bytes.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n)
}

/** Sets the top bit, the sign of x in an Ed25519 encoding. */
export function withTopBit(bytes: Uint8Array): Uint8Array {
  const copy = bytes.slice()
  copy[31]! |= 0x80
  return copy
}
