/** Entries and receipts (docs/messages.md, section 4). The vectors have each refusal. */
import { expect, it } from 'vitest'
import { encodeUtf8, formatBase64url } from '../../../src/core/encoding/bytes.ts'
import { MAX_DEVICES } from '../../../src/core/limits.ts'
import { MESSAGE_SEAL_BYTES, openEntry, RECEIPT_SEAL_BYTES, sealEntry, type Entry } from '../../../src/message/entry.ts'
import { makeReceipt, verifyReceipt } from '../../../src/message/receipt.ts'
import { APP, cardKeyPair } from '../../support/cards.ts'
import { codeOf } from '../../support/code-of.ts'
import { codeThrownBy } from '../../support/failing.ts'
import { LOW_ORDER } from '../../support/low-order.ts'
import { makeDeviceKey, sodium } from '../../support/made-persona.ts'
import { ALICE, BOB, BOB_LAPTOP, BOB_PHONE, encKey, encPair, ID } from '../../support/messages.ts'

const HASH = new Uint8Array(32).fill(8)
const ROUTE = { from: ALICE, reader: BOB, app: APP }
const receiptOf = (device: number): Entry & { kind: 'receipt' } =>
  makeReceipt(ID, HASH, (message) => sodium.sign(message, cardKeyPair(device).secretKey))
const ENTRIES: readonly Entry[] = [
  { kind: 'message', id: ID, store: 3, hash: HASH },
  { kind: 'invite', id: ID, store: 0, hash: HASH },
  receiptOf(BOB_PHONE),
]

it('an entry opens with each key to which it is sealed, also with an older one of the device', async () => {
  let ran = 0
  for (const entry of ENTRIES) {
    const sealed = await sealEntry(entry, ROUTE, [BOB_PHONE, BOB_LAPTOP].map(encKey))
    expect(sealed.length).toBe(2 * (entry.kind === 'receipt' ? RECEIPT_SEAL_BYTES : MESSAGE_SEAL_BYTES))
    for (const device of [BOB_PHONE, BOB_LAPTOP]) {
      const pairs = [await encPair(77), await encPair(device)]
      expect(await openEntry(sealed, ROUTE, pairs)).toEqual(entry)
      ran++
    }
  }
  expect(ran).toBe(6)
})

it('an entry is sealed to 1 to 20 keys, and to none of them twice', async () => {
  const keys = Array.from({ length: MAX_DEVICES + 1 }, (_, i) => makeDeviceKey(1000 + i))
  const entry = ENTRIES[0]!
  expect((await sealEntry(entry, ROUTE, keys.slice(1))).length).toBe(MAX_DEVICES * MESSAGE_SEAL_BYTES)
  expect(await codeOf(sealEntry(entry, ROUTE, keys))).toBe('MALFORMED')
  expect(await codeOf(sealEntry(entry, ROUTE, []))).toBe('MALFORMED')
  expect(await codeOf(sealEntry(entry, ROUTE, [keys[0]!, keys[0]!]))).toBe('DUPLICATE_KEYS')
  for (const key of LOW_ORDER) expect(await codeOf(sealEntry(entry, ROUTE, [key]))).toBe('BOX_KEY_POINT')
})

it('an entry to 20 devices fits the 4096 bytes of a request to an inbox', async () => {
  const keys = Array.from({ length: MAX_DEVICES }, (_, i) => makeDeviceKey(1000 + i))
  for (const entry of ENTRIES) {
    const encId = formatBase64url(await sealEntry(entry, ROUTE, keys))
    expect(encodeUtf8(JSON.stringify({ app: 'a'.repeat(100), encId })).length).toBeLessThanOrEqual(4096)
  }
})

it('no length is that of both kinds of entries', () => {
  const counts = Array.from({ length: MAX_DEVICES }, (_, i) => i + 1)
  const receipts = new Set(counts.map((count) => count * RECEIPT_SEAL_BYTES))
  expect(counts.some((count) => receipts.has(count * MESSAGE_SEAL_BYTES))).toBe(false)
})

it('a receipt counts for the device that signed it alone, and for one object', () => {
  const [phone, laptop] = [BOB_PHONE, BOB_LAPTOP].map((device) => cardKeyPair(device).publicKey) as [
    Uint8Array,
    Uint8Array,
  ]
  const receipt = receiptOf(BOB_LAPTOP)
  expect(verifyReceipt(receipt, HASH, [phone, laptop], sodium)).toBe(laptop)
  expect(codeThrownBy(() => verifyReceipt(receipt, HASH, [phone], sodium))).toBe('WRONG_RECEIPT')
  expect(codeThrownBy(() => verifyReceipt(receipt, new Uint8Array(32), [phone, laptop], sodium))).toBe('WRONG_RECEIPT')
  const moved = { ...receipt, id: new Uint8Array(32) }
  expect(codeThrownBy(() => verifyReceipt(moved, HASH, [phone, laptop], sodium))).toBe('WRONG_RECEIPT')
})
