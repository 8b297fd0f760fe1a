import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { concatBytes, equalBytes } from '../../../src/core/encoding/bytes.ts'
import { crc32c, maskCrc } from '../../../src/store/crc32c.ts'
import { StoreError } from '../../../src/store/errors.ts'
import { readLevelLog } from '../../../src/store/leveldb-log.ts'

const BLOCK_BYTES = 32_768

function fragment(type: number, data: Uint8Array): Uint8Array {
  const bytes = concatBytes(new Uint8Array(6), Uint8Array.of(type), data)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, maskCrc(crc32c(bytes, 6)), true)
  view.setUint16(4, data.length, true)
  return bytes
}

/** A log like that of LevelDB's writer (db/log_writer.cc). */
function writeLog(records: readonly Uint8Array[]): Uint8Array {
  const parts: Uint8Array[] = []
  let size = 0
  const add = (part: Uint8Array): void => {
    parts.push(part)
    size += part.length
  }
  for (const record of records) {
    let at = 0
    for (let isFirst = true; isFirst || at < record.length; isFirst = false) {
      const left = BLOCK_BYTES - (size % BLOCK_BYTES)
      if (left < 7) add(new Uint8Array(left))
      const room = BLOCK_BYTES - (size % BLOCK_BYTES) - 7
      const length = Math.min(room, record.length - at)
      const isLast = at + length === record.length
      add(fragment(isFirst ? (isLast ? 1 : 2) : isLast ? 4 : 3, record.subarray(at, at + length)))
      at += length
    }
  }
  return concatBytes(...parts)
}

/** Lengths near the size of a block, and lengths that leave a trailer of 0..7 bytes. */
const recordLengths = fc.array(
  fc.oneof(fc.nat(300), fc.integer({ min: BLOCK_BYTES - 30, max: BLOCK_BYTES + 30 }), fc.constant(3 * BLOCK_BYTES)),
  { maxLength: 6 },
)
const make = (lengths: readonly number[]): Uint8Array[] =>
  lengths.map((length, i) => new Uint8Array(length).fill(i + 1))

function equalAll(a: readonly Uint8Array[], b: readonly Uint8Array[]): boolean {
  return a.length === b.length && a.every((bytes, i) => equalBytes(bytes, b[i]!))
}

describe('readLevelLog', () => {
  it('reads back all written records, over any block borders', () => {
    fc.assert(
      fc.property(recordLengths, (lengths) => {
        const records = make(lengths)
        const log = readLevelLog(writeLog(records), 'x.log')
        expect(equalAll(log, records)).toBe(true)
      }),
      { numRuns: 60 },
    )
  })

  it('reads the whole records before a cut, and nothing of the torn one', () => {
    fc.assert(
      fc.property(recordLengths, fc.nat(), (lengths, cut) => {
        const records = make(lengths)
        const bytes = writeLog(records)
        const length = cut % (bytes.length + 1)
        const log = readLevelLog(bytes.subarray(0, length), 'x.log')
        expect(equalAll(log, records.slice(0, log.length))).toBe(true)
        const whole = writeLog(records.slice(0, log.length)).length
        expect(whole).toBeLessThanOrEqual(length)
        const one = records[log.length]
        if (one !== undefined) expect(writeLog(records.slice(0, log.length + 1)).length).toBeGreaterThan(length)
      }),
      { numRuns: 60 },
    )
  })

  it('refuses a flipped byte anywhere except in the last record, and never returns a record that was not written', () => {
    let refused = 0
    fc.assert(
      fc.property(recordLengths, fc.nat(), fc.nat(7), (lengths, where, bit) => {
        const records = make([...lengths, 40])
        const bytes = writeLog(records)
        const lastAt = bytes.length - 47
        const at = where % bytes.length
        bytes[at]! ^= 1 << bit
        try {
          const log = readLevelLog(bytes, 'x.log')
          // The byte has no meaning, or it is in the last record.
          const kept = at >= lastAt ? records.slice(0, -1) : records
          expect(equalAll(log, kept)).toBe(true)
        } catch (error) {
          if (!(error instanceof StoreError)) throw error
          expect(error.code).toBe('STORE_CORRUPT')
          refused++
        }
      }),
      { numRuns: 60 },
    )
    expect(refused).toBeGreaterThan(20)
  })

  it('refuses mixed pieces of two records', () => {
    const data = new Uint8Array(3)
    const mixtures = [[2, 1], [2, 2, 4], [3], [4], [1, 3]]
    let ran = 0
    for (const types of mixtures) {
      const bytes = concatBytes(...types.map((type) => fragment(type, data)))
      expect(() => readLevelLog(bytes, 'x.log'), types.join()).toThrowError(
        expect.objectContaining({ code: 'STORE_CORRUPT' }),
      )
      ran++
    }
    expect(ran).toBe(5)
  })

  it('refuses zeros in the middle, which LevelDB skips silently', () => {
    const bytes = writeLog(make([100, 100, 100]))
    bytes.fill(0, 107, 214)
    const what = { code: 'STORE_CORRUPT', message: expect.stringContaining('x.log is damaged at byte 107') }
    expect(() => readLevelLog(bytes, 'x.log')).toThrowError(expect.objectContaining(what))
  })

  it('reads no records from an empty file or a file of zeros', () => {
    expect(readLevelLog(new Uint8Array(0), 'x.log')).toStrictEqual([])
    expect(readLevelLog(new Uint8Array(100), 'x.log')).toStrictEqual([])
  })
})
