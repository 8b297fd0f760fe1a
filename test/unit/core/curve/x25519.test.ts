import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isCanonicalU, isImageOf, isLowOrderU, signingKeyImage } from '../../../../src/core/curve/x25519.ts'
import { P, fromLittleEndian, inverse, littleEndian, mod, quadratic, withTopBit } from '../field-25519.ts'

const A = 486662n // RFC 7748, section 4.1

/** Solutions of (u^2 - 1)^2 = sign * 4u (u^2 + A u + 1), by w = u + 1/u: w^2 - 4 sign w - 4 - 4 sign A = 0. */
function halvesOf(sign: bigint): bigint[] {
  const w = quadratic(1n, -4n * sign, -4n - 4n * sign * A)
  return w.flatMap((sum) => quadratic(1n, -sum, 1n))
}

/** Every u of order 1, 2, 4 and 8 on the curve and on its twist. */
function lowOrderU(): bigint[] {
  return [0n, 1n, P - 1n, ...halvesOf(1n), ...halvesOf(-1n)]
}

const key32 = fc.uint8Array({ minLength: 32, maxLength: 32 })

describe('isLowOrderU', () => {
  it('finds every low-order point in every encoding that X25519 accepts', () => {
    const all = lowOrderU()
    expect(all).toHaveLength(5)
    const encodings = all.flatMap((u) => [u, u + P]).filter((u) => u < 2n ** 255n)
    expect(encodings).toHaveLength(7)
    for (const u of encodings) {
      expect(isLowOrderU(littleEndian(u))).toBe(true)
      expect(isLowOrderU(withTopBit(littleEndian(u)))).toBe(true)
    }
  })

  it('leaves a key in a Buffer as it is', () => {
    const key = Buffer.from(withTopBit(littleEndian(9n)))
    expect(isLowOrderU(key)).toBe(false)
    expect(new Uint8Array(key)).toEqual(withTopBit(littleEndian(9n)))
  })

  it('finds no other value', () => {
    const low = new Set(lowOrderU())
    const near = fc.constantFrom(...low).chain((u) => fc.bigInt(-3n, 3n).map((d) => littleEndian(mod(u + d))))
    fc.assert(
      fc.property(fc.oneof(key32, near), (key) => {
        expect(isLowOrderU(key)).toBe(low.has(mod(BigInt.asUintN(255, fromLittleEndian(key)))))
      }),
    )
  })
})

describe('isCanonicalU', () => {
  it('accepts only values below p', () => {
    const cases: [Uint8Array, boolean][] = [
      [littleEndian(0n), true],
      [littleEndian(9n), true],
      [littleEndian(P - 1n), true],
      [littleEndian(P), false],
      [littleEndian(P + 18n), false],
      [withTopBit(littleEndian(9n)), false],
      [littleEndian(9n).slice(1), false],
      [littleEndian(9n, 33), false],
    ]
    for (const [key, canonical] of cases) expect(isCanonicalU(key)).toBe(canonical)
    expect(cases).toHaveLength(8)
  })

  it('agrees with BigInt arithmetic on any 32 bytes', () => {
    const nearP = fc.bigInt({ min: P - 40n, max: P + 40n }).map((u) => littleEndian(u))
    fc.assert(
      fc.property(fc.oneof(key32, nearP), (key) => {
        expect(isCanonicalU(key)).toBe(fromLittleEndian(key) < P)
      }),
    )
  })
})

describe('isImageOf', () => {
  const yOf = fc.bigInt({ min: 2n, max: P - 2n })

  it('finds the image of a signing key of either sign', () => {
    fc.assert(
      fc.property(yOf, fc.boolean(), (y, negative) => {
        const signingKey = negative ? withTopBit(littleEndian(y)) : littleEndian(y)
        const image = littleEndian(mod((1n + y) * inverse(1n - y)))
        expect(isImageOf(image, signingKeyImage(signingKey))).toBe(true)
      }),
    )
  })

  it('does not accept a neighbour, a negative or another key as the image', () => {
    fc.assert(
      fc.property(yOf, fc.bigInt({ min: 1n, max: P - 1n }), (y, offset) => {
        const image = mod((1n + y) * inverse(1n - y))
        const prepared = signingKeyImage(littleEndian(y))
        expect(isImageOf(littleEndian(mod(image + offset)), prepared)).toBe(false)
        expect(isImageOf(littleEndian(mod(image + 1n)), prepared)).toBe(false)
        expect(isImageOf(littleEndian(mod(-image)), prepared)).toBe(false)
      }),
    )
  })

  it('maps the base point of Ed25519 to u = 9', () => {
    const base = signingKeyImage(littleEndian(mod(4n * inverse(5n))))
    expect(isImageOf(littleEndian(9n), base)).toBe(true)
    expect(isImageOf(littleEndian(10n), base)).toBe(false)
  })

  it('reads keys from inside a larger buffer', () => {
    const held = new Uint8Array(72)
    held.set(littleEndian(mod(4n * inverse(5n))), 3)
    held.set(littleEndian(9n), 37)
    expect(isImageOf(held.subarray(37, 69), signingKeyImage(held.subarray(3, 35)))).toBe(true)
  })
})
