import { expect, test } from 'vitest'
import { concatBytes, encodeUtf8 } from '../../../../src/core/encoding/bytes.ts'
import { KeptRecords } from '../../../../src/relayd/kept/kept-records.ts'

const SEGMENT_BYTES = 400
const SEGMENTS = 128
const HEAD = new Uint8Array(12)

/** The record of a key, as it lies in a segment behind the hash, which no look-up compares. */
function recordOf(key: string, value: Uint8Array): Uint8Array {
  const lengths = new Uint8Array(new Int32Array([0, key.length, value.length]).buffer)
  return concatBytes(lengths, encodeUtf8(key.padEnd(4, '\0')), value)
}

test('nothing is known of a record whose segment is gone, even if its bytes lie in a value at the same place', () => {
  const kept = new KeptRecords(SEGMENTS * SEGMENT_BYTES)
  const first = 'k/1'
  kept.keep(first, new Uint8Array(4))
  kept.keep('k/2', new Uint8Array(4).fill(2))
  expect(kept.get('k/2')).toEqual(new Uint8Array(4).fill(2))
  const whole = SEGMENT_BYTES - HEAD.length - 4
  for (let n = 0; n < SEGMENTS - 1; n++) kept.keep('k/x', new Uint8Array(whole))
  expect(kept.has('k/2')).toBe(true)
  // The place of k/2 is 20 bytes after that of k/1, and this value begins after 16.
  const forged = new Uint8Array(whole)
  forged.set(recordOf('k/2', new Uint8Array(4).fill(9)), 4)
  kept.keep('k/3', forged)
  for (const key of [first, 'k/2']) expect(kept.get(key)).toBeUndefined()
  expect(kept.get('k/3')).toEqual(forged)
  expect(kept.bytes).toBe(SEGMENTS * SEGMENT_BYTES)
})
