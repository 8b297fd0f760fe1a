/** Bencode: what is written reads back, what is read is written the same, and any bytes give a value or a PacketError. */
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bytesOfLatin1, decodeBencode, encodeBencode, MAX_DEPTH, type Bencode } from '../../../src/dht/bencode.ts'
import { PacketError } from '../../../src/dht/errors.ts'
import { decodeMessage } from '../../../src/dht/message.ts'

const integers = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })
const strings = fc.uint8Array({ maxLength: 12 })
const keys = strings.map((bytes) => String.fromCharCode(...bytes))

function values(depth: number): fc.Arbitrary<Bencode> {
  if (depth === MAX_DEPTH) return fc.oneof(integers, strings)
  const inner = values(depth + 1)
  const maps = fc
    .uniqueArray(fc.tuple(keys, inner), { selector: ([key]) => key, maxLength: 4 })
    .map((entries) => new Map(entries))
  return fc.oneof(integers, strings, fc.array(inner, { maxLength: 4 }), maps)
}

/** Bytes that often are bencode, or nearly. */
const pieces = fc
  .array(fc.constantFrom('d', 'l', 'e', 'i', '1', '0', '-', ':', '1:a', '1:y1:r', 'i1e', '2:id', 'de', '20:'), {
    maxLength: 30,
  })
  .map((parts) => bytesOfLatin1(parts.join('')))
const bytes = fc.oneof(fc.uint8Array({ maxLength: 60 }), pieces)

describe('bencode', () => {
  it('reads what it writes', () => {
    fc.assert(
      fc.property(values(1), (value) => {
        expect(decodeBencode(encodeBencode(value))).toEqual(value)
      }),
      { numRuns: 1000 },
    )
  })

  it('writes what it reads, and refuses everything else by a PacketError', () => {
    let decoded = 0
    fc.assert(
      fc.property(bytes, (any) => {
        const value = valueOrNull(() => decodeBencode(any))
        if (value === null) return
        decoded++
        expect(encodeBencode(value)).toEqual(any)
      }),
      { numRuns: 20_000 },
    )
    expect(decoded).toBeGreaterThan(100)
  })

  it('of any bytes gives a message or a PacketError', () => {
    fc.assert(
      fc.property(bytes, (any) => {
        valueOrNull(() => decodeMessage(any))
      }),
      { numRuns: 5000 },
    )
  })
})

function valueOrNull<Value>(read: () => Value): Value | null {
  try {
    return read()
  } catch (error) {
    if (error instanceof PacketError) return null
    throw error
  }
}
