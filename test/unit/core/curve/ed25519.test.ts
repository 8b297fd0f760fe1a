import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { concatBytes } from '../../../../src/core/encoding/bytes.ts'
import { isStrictPublicKey, isStrictSignature } from '../../../../src/core/curve/ed25519.ts'
import { D, L, P, fromLittleEndian, inverse, littleEndian, quadratic, roots, withTopBit } from '../field-25519.ts'

/** The y of every point of order 1, 2, 4 and 8, found by halving the neutral point. */
function smallOrderY(): bigint[] {
  const orderEight = quadratic(D, 2n, -1n).flatMap((square) => roots(square)) // d y^4 + 2 y^2 - 1 = 0
  return [1n, P - 1n, 0n, ...orderEight]
}

const GOOD_KEY = littleEndian((4n * inverse(5n)) % P) // the base point of RFC 8032
const GOOD_S = littleEndian(L - 1n)

describe('isStrictPublicKey', () => {
  it('refuses the points of small order with either sign', () => {
    const all = smallOrderY()
    expect(all).toHaveLength(5)
    for (const y of all) {
      expect(isStrictPublicKey(littleEndian(y))).toBe(false)
      expect(isStrictPublicKey(withTopBit(littleEndian(y)))).toBe(false)
      // y + 1 is an ordinary value, except after -1 and 0, whose neighbours 0 and 1 are also of small order.
      if (y !== P - 1n && y !== 0n) expect(isStrictPublicKey(littleEndian(y + 1n))).toBe(true)
    }
  })

  it('refuses every y from p up, with either sign, and accepts the highest one below p that is not of small order', () => {
    let ran = 0
    for (let y = P; y < 2n ** 255n; y++, ran++) {
      expect(isStrictPublicKey(littleEndian(y))).toBe(false)
      expect(isStrictPublicKey(withTopBit(littleEndian(y)))).toBe(false)
    }
    expect(ran).toBe(19)
    expect(isStrictPublicKey(littleEndian(P - 2n))).toBe(true)
    expect(isStrictPublicKey(withTopBit(littleEndian(P - 2n)))).toBe(true)
  })

  it('leaves a key in a Buffer as it is', () => {
    const key = Buffer.from(withTopBit(GOOD_KEY))
    expect(isStrictPublicKey(key)).toBe(true)
    expect(new Uint8Array(key)).toEqual(withTopBit(GOOD_KEY))
  })

  it('accepts values that differ from p in one bit', () => {
    let ran = 0
    for (let i = 0; i < 32; i++, ran++) {
      const key = littleEndian(P)
      key[i]! ^= i === 0 ? 0x80 : 0x01
      expect(isStrictPublicKey(key)).toBe(true)
    }
    expect(ran).toBe(32)
  })

  it.each([0, 31, 33, 64])('refuses %i bytes', (length) => {
    expect(isStrictPublicKey(concatBytes(GOOD_KEY, GOOD_KEY).slice(0, length))).toBe(false)
    expect(isStrictPublicKey(GOOD_KEY)).toBe(true)
  })

  it('agrees with BigInt arithmetic on any 32 bytes, mostly close to p', () => {
    const small = new Set(smallOrderY())
    const nearP = fc.bigInt({ min: P - 300n, max: 2n ** 255n - 1n }).map((y) => littleEndian(y))
    const anyKey = fc.uint8Array({ minLength: 32, maxLength: 32 })
    fc.assert(
      fc.property(fc.oneof(nearP, anyKey, nearP.map(withTopBit)), (key) => {
        const y = BigInt.asUintN(255, fromLittleEndian(key))
        expect(isStrictPublicKey(key)).toBe(y < P && !small.has(y))
      }),
    )
  })
})

describe('isStrictSignature', () => {
  it('accepts S below L and refuses S from L up', () => {
    const cases: [bigint, boolean][] = [
      [0n, true],
      [L - 1n, true],
      [L, false],
      [L + 1n, false],
      [2n * L - 1n, false],
      [2n ** 252n, true],
      [2n ** 253n, false],
      [2n ** 256n - 1n, false],
    ]
    for (const [s, strict] of cases) expect(isStrictSignature(concatBytes(GOOD_KEY, littleEndian(s)))).toBe(strict)
    expect(cases).toHaveLength(8)
  })

  it('applies the rules of a key to R', () => {
    const bad = [...smallOrderY(), P, P + 18n]
    for (const r of bad) expect(isStrictSignature(concatBytes(littleEndian(r), GOOD_S))).toBe(false)
    expect(bad).toHaveLength(7)
  })

  it.each([0, 32, 63, 65, 128])('refuses %i bytes', (length) => {
    const good = concatBytes(GOOD_KEY, GOOD_S)
    expect(isStrictSignature(good)).toBe(true)
    expect(isStrictSignature(concatBytes(good, good).slice(0, length))).toBe(false)
  })
})
