import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { encodeUtf8, parseHex } from '../../../src/core/encoding/bytes.ts'
import { portableVerifier } from '../../../src/crypto/portable-verify.ts'
import { verifyByOpenssl } from '../../../src/netnode/verify.ts'
import { engine, seedOf } from '../../support/person.ts'

const VECTORS = new URL('../../../../shared/vectors/', import.meta.url)
const areVectorsMissing = !existsSync(new URL('cctv-ed25519.json', VECTORS))
const hex = (text: string): Uint8Array => parseHex(text.toUpperCase())!

test('OpenSSL accepts a signature of the engine, and none with a flipped bit or of a wrong length', () => {
  const { publicKey, secretKey } = engine.signKeyPair(seedOf('Alice'))
  const message = encodeUtf8('hello')
  const signature = engine.sign(message, secretKey)
  expect(verifyByOpenssl(signature, message, publicKey)).toBe(true)
  for (let bit = 0; bit < 512; bit++) {
    const flipped = Uint8Array.from(signature)
    flipped[bit >> 3]! ^= 1 << (bit & 7)
    expect(verifyByOpenssl(flipped, message, publicKey), `bit ${bit}`).toBe(false)
  }
  expect(verifyByOpenssl(signature.subarray(1), message, publicKey)).toBe(false)
  expect(verifyByOpenssl(signature, message, publicKey.subarray(1))).toBe(false)
  // 2 is the y of no point.
  expect(verifyByOpenssl(signature, message, new Uint8Array(32).fill(2, 0, 1))).toBe(false)
})

describe.skipIf(areVectorsMissing)(
  'public vectors (skipped where ../shared/vectors is not beside the repository)',
  () => {
    test('give the same verdict by OpenSSL and by the engine, on the 914 edge cases of CCTV', () => {
      const text = readFileSync(new URL('cctv-ed25519.json', VECTORS), 'utf8')
      const cases = JSON.parse(text) as { key: string; sig: string; msg: string }[]
      const differing = cases.filter(({ key, sig, msg }) => {
        const parts = [hex(sig), encodeUtf8(msg), hex(key)] as const
        return verifyByOpenssl(...parts) !== portableVerifier.verify(...parts)
      })
      expect([cases.length, differing]).toEqual([914, []])
    })
  },
)
