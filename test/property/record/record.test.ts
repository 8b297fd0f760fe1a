/** Properties of records: signed slots as bytes, and what a memory lets through. */
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MAX_DHT_SEQ } from '../../../src/core/announce/signed-value.ts'
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

/** What a call gave, or the code of its refusal. */
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
