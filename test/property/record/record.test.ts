/** Properties of records: signed slots as bytes, and what a memory lets through. */
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MAX_DHT_SEQ, MAX_VALUE_BYTES } from '../../../src/core/announce/signed-value.ts'
import { equalBytes } from '../../../src/core/encoding/bytes.ts'
import { cutIntoParts, joinParts, MAX_PARTS, parsePart, PART_BYTES } from '../../../src/record/dht/parts.ts'
import { RecordError } from '../../../src/record/errors.ts'
import type { SlotValue } from '../../../src/record/record-engine.ts'
import { encodeSignedSlot, openSignedSlot } from '../../../src/record/signed-slot.ts'
import { SlotMemory } from '../../../src/record/slot-memory.ts'
import { engine, seedOf } from '../../support/person.ts'

const { publicKey, secretKey } = engine.signKeyPair(seedOf('writer'))
const slots = fc.integer({ min: 0, max: 1023 })
const values = fc.record({ seq: fc.bigInt(0n, MAX_DHT_SEQ), bytes: fc.uint8Array({ maxLength: 300 }) })
/** Few different values, so that they meet. */
const found = fc.option(
  fc.record({ seq: fc.bigInt(0n, 4n), bytes: fc.uint8Array({ minLength: 1, maxLength: 1, max: 1 }) }),
)

/** The result of a call, or the code of its refusal. */
function outcomeOf<Result>(call: () => Result): Result | string {
  try {
    return call()
  } catch (error) {
    if (error instanceof RecordError) return error.code
    throw error
  }
}

describe('a signed slot', () => {
  it('opens to the value that was signed', () => {
    fc.assert(
      fc.property(slots, values, (slot, value) => {
        const encoded = encodeSignedSlot(slot, value, secretKey, engine)
        expect(openSignedSlot(slot, encoded, publicKey, engine)).toEqual(value)
      }),
    )
  })

  it('does not open with one bit changed, a byte less, or in another slot', () => {
    fc.assert(
      fc.property(slots, slots, values, fc.nat(), (slot, other, value, bit) => {
        const encoded = encodeSignedSlot(slot, value, secretKey, engine)
        const at = bit % (8 * encoded.length)
        const changed = encoded.map((byte, i) => (i === at >> 3 ? byte ^ (1 << (at & 7)) : byte))
        expect(openSignedSlot(slot, changed, publicKey, engine)).toBeNull()
        expect(openSignedSlot(slot, encoded.subarray(0, -1), publicKey, engine)).toBeNull()
        if (other !== slot) expect(openSignedSlot(other, encoded, publicKey, engine)).toBeNull()
      }),
    )
  })

  it('any bytes give nothing, and never an error', () => {
    fc.assert(
      fc.property(slots, fc.uint8Array({ maxLength: 200 }), (slot, bytes) => {
        expect(openSignedSlot(slot, bytes, publicKey, engine)).toBeNull()
      }),
    )
  })
})

describe('the parts of a value', () => {
  const values = fc
    .integer({ min: 0, max: MAX_PARTS * PART_BYTES })
    .chain((length) => fc.record({ length: fc.constant(length), step: fc.integer({ min: 1, max: 255 }) }))
  const bytesOf = ({ length, step }: { length: number; step: number }): Uint8Array =>
    new Uint8Array(length).map((_, i) => (i * step) >> 3)

  it('fit into values of the DHT, and make the value again', () => {
    fc.assert(
      fc.property(values, (value) => {
        const bytes = bytesOf(value)
        const parts = cutIntoParts(bytes, engine)
        for (const part of parts) expect(part.length).toBeLessThanOrEqual(MAX_VALUE_BYTES)
        expect(equalBytes(joinParts(parts.map(parsePart), engine)!, bytes)).toBe(true)
      }),
      { numRuns: 50 },
    )
  })

  it('make nothing when one is missing, changed, at another place, or of another value', () => {
    fc.assert(
      fc.property(values, values, fc.nat(), fc.nat(), (value, other, at, bit) => {
        const parts = cutIntoParts(bytesOf(value), engine)
        const i = at % parts.length
        // The only part of another value is a whole value.
        const foreign =
          parts.length === 1 ? new Uint8Array() : (cutIntoParts(bytesOf(other), engine)[i] ?? new Uint8Array())
        const changed = parts[i]!.map((byte, n) => (n === bit % parts[i]!.length ? byte ^ 1 : byte))
        for (const replaced of [new Uint8Array(), changed, foreign]) {
          if (equalBytes(replaced, parts[i]!)) continue
          const all = parts.map((part, n) => parsePart(n === i ? replaced : part))
          expect(joinParts(all, engine) === null).toBe(true)
        }
        if (parts.length > 1) expect(joinParts(parts.toReversed().map(parsePart), engine)).toBeNull()
        expect(joinParts(parts.slice(0, -1).map(parsePart), engine)).toBeNull()
      }),
      { numRuns: 50 },
    )
  })

  it('any bytes are a part with a place in its value, or none', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        const part = parsePart(bytes)
        if (part !== null) expect(part.index).toBeLessThan(part.count)
      }),
    )
  })
})

describe('the memory of a record', () => {
  it('lets values through whose seq never falls, and one value for each seq', () => {
    fc.assert(
      fc.property(fc.array(found, { maxLength: 12 }), (all) => {
        const memory = new SlotMemory()
        const given: SlotValue[] = []
        for (const value of all) {
          const outcome = outcomeOf(() => memory.takeRead(0, value))
          if (outcome === undefined && value !== null) given.push(value)
          if (value === null) expect(outcome).toBe(given.length === 0 ? undefined : 'RECORD_VANISHED')
        }
        for (const [i, value] of given.entries()) {
          const before = given[i - 1]
          if (before === undefined) continue
          expect(value.seq >= before.seq).toBe(true)
          if (value.seq === before.seq) expect(value).toEqual(before)
        }
      }),
    )
  })

  it('frees a seq above all that was found, and refuses the same find only once', () => {
    fc.assert(
      fc.property(fc.array(found, { maxLength: 12 }), found, (all, last) => {
        const memory = new SlotMemory()
        for (const value of all) outcomeOf(() => memory.takeRead(0, value))
        const highest = [...all, last].reduce(
          (max, value) => (value !== null && value.seq > max ? value.seq : max),
          -1n,
        )
        const first = outcomeOf(() => memory.takeBeforeWrite(0, last))
        const second = first === 'RECORD_SECOND_WRITER' ? outcomeOf(() => memory.takeBeforeWrite(0, last)) : first
        expect(second).toBe(highest + 1n)
      }),
    )
  })
})
