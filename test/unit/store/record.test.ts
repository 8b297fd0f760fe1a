import { expect, it } from 'vitest'
import { concatBytes, encodeUtf8, u32be } from '../../../src/core/encoding/bytes.ts'
import { crc32c } from '../../../src/store/crc32c.ts'
import { decodeRecord, encodeRecord } from '../../../src/store/record.ts'

const value = encodeUtf8('value')

it('a record returns its value, and is refused under another key, with any bit changed, and when cut', () => {
  const record = encodeRecord('a/1', value)
  expect(decodeRecord('a/1', record)).toStrictEqual(value)
  expect(decodeRecord('a/1', encodeRecord('a/1', new Uint8Array(0)))).toStrictEqual(new Uint8Array(0))
  const corrupt = expect.objectContaining({ code: 'STORE_CORRUPT' })
  expect(() => decodeRecord('a/2', record)).toThrowError(corrupt)
  let ran = 0
  for (let bit = 0; bit < record.length * 8; bit++) {
    const changed = Uint8Array.from(record)
    changed[bit >> 3]! ^= 1 << (bit & 7)
    expect(() => decodeRecord('a/1', changed)).toThrowError(corrupt)
    ran++
  }
  for (let length = 0; length < record.length; length++) {
    expect(() => decodeRecord('a/1', record.subarray(0, length))).toThrowError(corrupt)
    ran++
  }
  expect(ran).toBe(10 * 8 + 10)
})

it('an intact record of a newer form is refused as newer', () => {
  const crc = crc32c(concatBytes(Uint8Array.of(2), encodeUtf8('a/1'), value))
  const record = concatBytes(Uint8Array.of(2), u32be(crc), value)
  expect(() => decodeRecord('a/1', record)).toThrowError(expect.objectContaining({ code: 'STORE_SCHEMA_NEWER' }))
})
