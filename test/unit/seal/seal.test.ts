import { expect, test } from 'vitest'
import { encodeUtf8, parseHex } from '../../../src/core/encoding/bytes.ts'
import type { BoxSuite } from '../../../src/seal/box-key.ts'
import { beginOpen, beginSeal } from '../../../src/seal/context.ts'
import { exportBoxSecret, generateBoxKeyPair, importBoxKeyPair } from '../../../src/seal/key-pair.ts'
import { SEAL_LABELS, type SealLabel } from '../../../src/seal/labels.ts'
import { openFrom, SEAL_OVERHEAD_BYTES, sealTo } from '../../../src/seal/seal.ts'
import { codeOf } from '../../support/code-of.ts'

const SUITES: readonly BoxSuite[] = ['x25519', 'p384']
const NOTHING = new Uint8Array()
const AAD = encodeUtf8('public')
const TEXT = encodeUtf8('secret')
const SHARED = { psk: new Uint8Array(32).fill(1), pskId: encodeUtf8('name') }

test.each(SUITES)('what is sealed to a key of %s opens with its secret', async (suite) => {
  const pair = await generateBoxKeyPair(suite)
  for (const text of [NOTHING, TEXT, new Uint8Array(16_384).fill(7)]) {
    const sealed = await sealTo(pair.key, 'channel-m1', AAD, text)
    expect(sealed.length).toBe(text.length + SEAL_OVERHEAD_BYTES[suite])
    expect(await openFrom(pair, 'channel-m1', AAD, sealed)).toEqual(text)
  }
})

test.each(SUITES)('two seals of one text differ (%s)', async (suite) => {
  const { key } = await generateBoxKeyPair(suite)
  expect(await sealTo(key, 'channel-m1', AAD, TEXT)).not.toEqual(await sealTo(key, 'channel-m1', AAD, TEXT))
})

test.each(SUITES)('a seal opens under its own label only (%s)', async (suite) => {
  const pair = await generateBoxKeyPair(suite)
  const labels = Object.keys(SEAL_LABELS) as SealLabel[]
  let tried = 0
  for (const label of labels) {
    const sealed = await sealTo(pair.key, label, AAD, TEXT)
    for (const other of labels) {
      expect(await codeOf(openFrom(pair, other, AAD, sealed))).toBe(other === label ? 'done' : 'SEAL_CLOSED')
      tried++
    }
  }
  expect(tried).toBe(labels.length ** 2)
  expect(tried).toBeGreaterThanOrEqual(16)
})

test.each(SUITES)('another aad, another key or one changed bit leaves a seal closed (%s)', async (suite) => {
  const pair = await generateBoxKeyPair(suite)
  const stranger = await generateBoxKeyPair(suite)
  const sealed = await sealTo(pair.key, 'channel-m1', AAD, TEXT)
  expect(await codeOf(openFrom(pair, 'channel-m1', NOTHING, sealed))).toBe('SEAL_CLOSED')
  expect(await codeOf(openFrom(stranger, 'channel-m1', AAD, sealed))).toBe('SEAL_CLOSED')
  for (let at = 0; at < sealed.length; at += 13) {
    const changed = Uint8Array.from(sealed)
    changed[at]! ^= 1
    expect(await codeOf(openFrom(pair, 'channel-m1', AAD, changed))).toMatch(/^SEAL_(CLOSED|POINT)$/)
  }
})

test.each(SUITES)('a seal that is cut is refused (%s)', async (suite) => {
  const pair = await generateBoxKeyPair(suite)
  const sealed = await sealTo(pair.key, 'channel-m1', AAD, NOTHING)
  expect(await codeOf(openFrom(pair, 'channel-m1', AAD, sealed))).toBe('done')
  for (const length of [0, 31, 32, sealed.length - 1]) {
    expect(await codeOf(openFrom(pair, 'channel-m1', AAD, sealed.subarray(0, length)))).toBe('SEAL_TRUNCATED')
  }
})

test.each([
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  'E0EB7A7C3B41B8AE1656E3FAF19FC46ADA098DEB9C32B1FD866205165F49B800',
  'E0EB7A7C3B41B8AE1656E3FAF19FC46ADA098DEB9C32B1FD866205165F49B880', // the same with the bit that X25519 ignores
  '5F9C95BCA3508C24B1D0B1559C83EF5B04445CC4581C8E86D8224EDDD09F1157',
  'ECFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF7F',
  'EDFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF7F',
  'EEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF7F',
])('a seal whose one-time key is the point of low order %s is refused', async (hex) => {
  const pair = await generateBoxKeyPair('x25519')
  const error: Error = await beginOpen(pair, parseHex(hex)!, 'channel-m1').then(
    () => Promise.reject(new Error('it opened')),
    (thrown: Error) => thrown,
  )
  expect(error).toMatchObject({ code: 'SEAL_POINT', message: 'the one-time key of the sender is of low order' })
})

test('a seal to P-384 whose one-time key is beside the curve is refused', async () => {
  const pair = await generateBoxKeyPair('p384')
  const sealed = await sealTo(pair.key, 'channel-m1', AAD, TEXT)
  sealed[40]! ^= 1
  expect(await codeOf(openFrom(pair, 'channel-m1', AAD, sealed))).toBe('SEAL_POINT')
})

test.each(SUITES)('a pre-shared key is needed to open what was sealed with it (%s)', async (suite) => {
  const pair = await generateBoxKeyPair(suite)
  const sealed = await sealTo(pair.key, 'channel-m1', AAD, TEXT, SHARED)
  expect(await openFrom(pair, 'channel-m1', AAD, sealed, SHARED)).toEqual(TEXT)
  const other = { ...SHARED, psk: new Uint8Array(32).fill(2) }
  const renamed = { ...SHARED, pskId: encodeUtf8('other') }
  for (const wrong of [other, renamed, null]) {
    expect(await codeOf(openFrom(pair, 'channel-m1', AAD, sealed, wrong))).toBe('SEAL_CLOSED')
  }
})

test.each([
  ['empty', { ...SHARED, psk: NOTHING }],
  ['of 31 bytes', { ...SHARED, psk: new Uint8Array(31) }],
  ['of 33 bytes', { ...SHARED, psk: new Uint8Array(33) }],
  ['without a name', { ...SHARED, pskId: NOTHING }],
  ['empty and without a name', { psk: NOTHING, pskId: NOTHING }],
])('a pre-shared key that is %s is refused, and never taken as none', async (_, shared) => {
  const pair = await generateBoxKeyPair('x25519')
  const plain = await sealTo(pair.key, 'channel-m1', AAD, TEXT)
  expect(await codeOf(sealTo(pair.key, 'channel-m1', AAD, TEXT, shared))).toBe('SEAL_PSK')
  expect(await codeOf(openFrom(pair, 'channel-m1', AAD, plain, shared))).toBe('SEAL_PSK')
})

test.each(SUITES)('both sides of a seal export the same secret (%s)', async (suite) => {
  const pair = await generateBoxKeyPair(suite)
  const sender = await beginSeal(pair.key, 'channel-m1', SHARED)
  const reader = await beginOpen(pair, sender.enc, 'channel-m1', SHARED)
  const secret = await sender.export('channel-export', 32)
  expect(secret.length).toBe(32)
  expect(await reader.export('channel-export', 32)).toEqual(secret)
  expect(await sender.export('channel-m2', 32)).not.toEqual(secret)
  const stranger = await beginOpen(pair, sender.enc, 'channel-m1')
  expect(await stranger.export('channel-export', 32)).not.toEqual(secret)
})

test.each(SUITES)('further texts of one context open in their order (%s)', async (suite) => {
  const pair = await generateBoxKeyPair(suite)
  const sender = await beginSeal(pair.key, 'channel-m1')
  const reader = await beginOpen(pair, sender.enc, 'channel-m1')
  const first = await sender.seal(AAD, TEXT)
  const second = await sender.seal(AAD, TEXT)
  expect(await codeOf(reader.open(AAD, second))).toBe('SEAL_CLOSED')
  expect(await reader.open(AAD, first)).toEqual(TEXT)
  expect(await reader.open(AAD, second)).toEqual(TEXT)
})

test.each(SUITES)('a secret that was exported makes the same pair again (%s)', async (suite) => {
  const pair = await generateBoxKeyPair(suite, true)
  const secret = await exportBoxSecret(pair)
  const again = await importBoxKeyPair(suite, secret)
  expect(again.key).toEqual(pair.key)
  expect(await openFrom(again, 'channel-m1', AAD, await sealTo(pair.key, 'channel-m1', AAD, TEXT))).toEqual(TEXT)
  expect(await codeOf(exportBoxSecret(again))).toBe('SEAL_SECRET')
})

test('a secret of another length, or zero or too large for P-384, is refused', async () => {
  for (const length of [0, 31, 33, 48]) {
    expect(await codeOf(importBoxKeyPair('x25519', new Uint8Array(length).fill(1)))).toBe('SEAL_SECRET')
  }
  for (const secret of [new Uint8Array(48), new Uint8Array(48).fill(255), new Uint8Array(32).fill(1)]) {
    expect(await codeOf(importBoxKeyPair('p384', secret))).toBe('SEAL_SECRET')
  }
})
