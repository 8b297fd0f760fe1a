import { createHmac } from 'node:crypto'
import { expect, test } from 'vitest'
import { HmacKey } from '../../../../src/relayd/boxes/hmac.ts'

const bytes = (length: number, first: number): Uint8Array => Uint8Array.from({ length }, (_, i) => first + i)

test('the HMAC is that of node:crypto, for keys up to a block and texts up to 128 bytes', () => {
  for (const keyBytes of [0, 1, 32, 64]) {
    const key = bytes(keyBytes, 1)
    const mac = new HmacKey(key)
    // A long text first: nothing of it may be left in a short one.
    for (const textBytes of [128, 73, 56, 55, 1, 0]) {
      const text = bytes(textBytes, 100)
      const right = new Uint8Array(createHmac('sha256', key).update(text).digest())
      expect(mac.of(text)).toEqual(right)
      expect(mac.of(text.subarray(0, 1), text.subarray(1))).toEqual(right)
    }
  }
})

test('a longer key and a longer text are refused', () => {
  expect(() => new HmacKey(bytes(65, 0))).toThrow(RangeError)
  expect(() => new HmacKey(bytes(32, 0)).of(bytes(128, 0), bytes(1, 0))).toThrow(RangeError)
})
