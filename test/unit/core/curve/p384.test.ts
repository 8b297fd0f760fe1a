import { createECDH } from 'node:crypto'
import { expect, test } from 'vitest'
import { compressP384, decompressP384, hasCompressedForm } from '../../../../src/core/curve/p384.ts'

const P = 2n ** 384n - 2n ** 128n - 2n ** 96n + 2n ** 32n - 1n

/** The point of a small secret, by OpenSSL. */
function point(secret: number): { whole: Buffer; short: Buffer } {
  const ecdh = createECDH('secp384r1')
  ecdh.setPrivateKey(Buffer.from(secret.toString(16).padStart(96, '0'), 'hex'))
  return { whole: ecdh.getPublicKey(null, 'uncompressed'), short: ecdh.getPublicKey(null, 'compressed') }
}

function field(first: number, x: bigint): Buffer {
  return Buffer.from(first.toString(16).padStart(2, '0') + x.toString(16).padStart(96, '0'), 'hex')
}

test('both forms of a point lead to each other, as OpenSSL writes them', () => {
  const parities = new Set<number>()
  for (let secret = 1; secret <= 20; secret++) {
    const { whole, short } = point(secret)
    parities.add(short[0]!)
    expect(Buffer.from(compressP384(whole)!)).toEqual(short)
    expect(Buffer.from(decompressP384(short)!)).toEqual(whole)
  }
  expect(parities).toEqual(new Set([2, 3]))
})

test('a pair of coordinates beside the curve is no point', () => {
  const { whole } = point(7)
  for (const at of [1, 48, 49, 96]) {
    const beside = Uint8Array.from(whole)
    beside[at]! ^= 1
    expect(compressP384(beside)).toBeNull()
  }
})

test('an x without a point has the form and no second half', () => {
  let without = 0
  for (let x = 0n; x < 20n; x++) {
    const short = field(2, x)
    expect(hasCompressedForm(short)).toBe(true)
    if (decompressP384(short) === null) without++
  }
  expect(without).toBeGreaterThan(4)
  expect(without).toBeLessThan(16)
})

test('a coordinate of p or above is a second spelling, and refused', () => {
  expect(hasCompressedForm(field(2, P - 1n))).toBe(true)
  for (const x of [P, P + 1n, 2n ** 384n - 1n]) {
    expect(hasCompressedForm(field(2, x))).toBe(false)
    expect(decompressP384(field(3, x))).toBeNull()
  }
  // x = 0 is on the curve. Both coordinates, each once with p added.
  const zero = decompressP384(field(2, 0n))!
  expect(zero).not.toBeNull()
  const second = Buffer.from(zero)
  field(4, P).copy(second, 0, 0, 49)
  expect(compressP384(zero)).not.toBeNull()
  expect(compressP384(second)).toBeNull()
})

test('another first byte or length is no form of a point', () => {
  const { whole, short } = point(3)
  for (const first of [0, 1, 4, 6, 7, 255]) {
    const other = Uint8Array.from(short)
    other[0] = first
    expect(hasCompressedForm(other)).toBe(false)
  }
  for (const first of [0, 2, 3, 6, 7]) {
    const other = Uint8Array.from(whole)
    other[0] = first
    expect(compressP384(other)).toBeNull()
  }
  expect(hasCompressedForm(short.subarray(0, 48))).toBe(false)
  expect(compressP384(whole.subarray(0, 96))).toBeNull()
})
