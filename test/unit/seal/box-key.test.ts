import { ECDH, generateKeyPairSync } from 'node:crypto'
import { expect, test } from 'vitest'
import { formatBase64url, parseHex } from '../../../src/core/encoding/bytes.ts'
import { formatBoxKey, parseBoxKey, readBoxKey } from '../../../src/seal/box-key.ts'
import { generateBoxKeyPair } from '../../../src/seal/key-pair.ts'
import { sealTo } from '../../../src/seal/seal.ts'
import { codeOf } from '../../support/code-of.ts'

const NOTHING = new Uint8Array()

async function codeOfKey(bytes: Uint8Array): Promise<string> {
  return await codeOf(Promise.resolve().then(() => parseBoxKey(formatBase64url(bytes))))
}

test('the three forms of a P-384 key are one key', () => {
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'secp384r1' })
  const spki = publicKey.export({ format: 'der', type: 'spki' })
  const whole = spki.subarray(-97)
  const short = ECDH.convertKey(whole, 'secp384r1', undefined, undefined, 'compressed') as Buffer
  expect([spki.length, whole.length, short.length]).toEqual([120, 97, 49])
  const keys = [spki, whole, short].map((bytes) => parseBoxKey(formatBase64url(bytes)))
  for (const key of keys) {
    expect(key.suite).toBe('p384')
    expect(formatBoxKey(key)).toBe(formatBase64url(short))
  }
})

test('a key of X25519 is its 32 bytes, copied', async () => {
  const { key } = await generateBoxKeyPair('x25519')
  const bytes = Uint8Array.from(key.bytes)
  const read = readBoxKey(bytes)
  bytes.fill(0)
  expect(read).toEqual(key)
})

test.each([0, 1, 31, 33, 48, 50, 96, 98, 119, 121, 158])('a key of %d bytes is refused', async (length) => {
  expect(await codeOfKey(new Uint8Array(length).fill(3))).toBe('BOX_KEY_LENGTH')
})

test.each([
  ['padding', 'AAAA='],
  ['a space', 'AA AA'],
  ['the other alphabet', 'ab+/'],
  ['set bits after the last byte', 'AB'],
])('a text with %s is refused', async (_, text) => {
  expect(await codeOf(Promise.resolve().then(() => parseBoxKey(text)))).toBe('BOX_KEY_TEXT')
})

const LOW_ORDER = [
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  'ECFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF7F',
  'E0EB7A7C3B41B8AE1656E3FAF19FC46ADA098DEB9C32B1FD866205165F49B800',
  '5F9C95BCA3508C24B1D0B1559C83EF5B04445CC4581C8E86D8224EDDD09F1157',
]

test.each(LOW_ORDER)('the point of low order %s is no key', async (hex) => {
  expect(await codeOfKey(parseHex(hex)!)).toBe('BOX_KEY_POINT')
})

test('a second spelling of an X25519 key is no key', async () => {
  const { key } = await generateBoxKeyPair('x25519')
  const topBit = Uint8Array.from(key.bytes)
  topBit[31]! |= 0x80
  expect(await codeOfKey(topBit)).toBe('BOX_KEY_POINT')
  const twoAbove = parseHex('EFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF7F')! // p + 2
  expect(await codeOfKey(twoAbove)).toBe('BOX_KEY_POINT')
})

test('another curve in SubjectPublicKeyInfo is no key', async () => {
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'secp384r1' })
  const spki = publicKey.export({ format: 'der', type: 'spki' })
  spki[19]! ^= 1 // the last byte of the name of the curve
  expect(await codeOfKey(spki)).toBe('BOX_KEY_POINT')
})

test('an x without a point is a key by its form, and nothing can be sealed to it', async () => {
  const bytes = new Uint8Array(49)
  bytes[0] = 2
  const codes = new Set<string>()
  for (bytes[48] = 0; bytes[48] < 8; bytes[48]++) {
    codes.add(await codeOf(sealTo(readBoxKey(bytes), 'channel-m1', NOTHING, NOTHING)))
  }
  expect(codes).toEqual(new Set(['done', 'BOX_KEY_POINT']))
})
