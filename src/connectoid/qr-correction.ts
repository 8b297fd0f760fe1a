/** The error correction of QR codes: Reed-Solomon over GF(256) with the polynomial 0x11d (ISO/IEC 18004, section 7.5). */

const FIELD = 0x11d

function multiply(a: number, b: number): number {
  let product = 0
  for (let i = 7; i >= 0; i--) {
    product = (product << 1) ^ ((product >> 7) * FIELD)
    if (((b >> i) & 1) === 1) product ^= a
  }
  return product
}

/** The codewords of correction of a block. @param count how many */
export function correction(block: Uint8Array, count: number): Uint8Array {
  const divisor = generator(count)
  const rest = new Uint8Array(count)
  for (const word of block) {
    const factor = word ^ rest[0]!
    rest.copyWithin(0, 1)
    rest[count - 1] = 0
    for (let i = 0; i < count; i++) rest[i]! ^= multiply(divisor[i]!, factor)
  }
  return rest
}

/** The product of all (x - 2^i), without its first coefficient, which is 1. */
function generator(count: number): Uint8Array {
  const factors = new Uint8Array(count)
  factors[count - 1] = 1
  for (let i = 0, root = 1; i < count; i++, root = multiply(root, 2))
    for (let j = 0; j < count; j++) factors[j] = multiply(factors[j]!, root) ^ (factors[j + 1] ?? 0)
  return factors
}
