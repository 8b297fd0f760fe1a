/** The header of a ring: what is sealed opens to the same, and nothing else opens. */
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  headerKey,
  liveNumbers,
  MAX_ACKS,
  openHeader,
  RING_SLOTS,
  sealHeader,
  slotOf,
  type RingHeader,
} from '../../../src/channel/carriers/records/ring-header.ts'
import { encodeUtf8, isZero } from '../../../src/core/encoding/bytes.ts'
import { engine, seedOf } from '../../support/person.ts'

const KEY = headerKey(seedOf('pub'), encodeUtf8('memory:ring'), engine)
const bytes = (length: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ minLength: length, maxLength: length })
const numbers = fc.maxSafeNat()
const headers: fc.Arbitrary<RingHeader> = fc.record({
  isRetired: fc.boolean(),
  run: bytes(8),
  last: numbers,
  tags: fc.array(fc.option(bytes(8).filter((tag) => !isZero(tag))), { minLength: RING_SLOTS, maxLength: RING_SLOTS }),
  acks: fc.array(fc.record({ ring: bytes(8), run: bytes(8), number: numbers }), { maxLength: MAX_ACKS }),
})
const seal = (header: RingHeader, nonce: Uint8Array): Uint8Array => sealHeader(header, KEY, nonce, engine)

test('a header opens to what was sealed', () => {
  fc.assert(
    fc.property(headers, bytes(24), (header, nonce) => {
      expect(openHeader(seal(header, nonce), KEY, engine)).toEqual(header)
    }),
  )
})

test('a header with one bit changed, cut, or under the key of another ring does not open', () => {
  const other = headerKey(seedOf('pub'), encodeUtf8('memory:other'), engine)
  fc.assert(
    fc.property(headers, bytes(24), fc.nat(), (header, nonce, bit) => {
      const sealed = seal(header, nonce)
      const at = bit % (8 * sealed.length)
      const changed = sealed.map((byte, i) => (i === at >> 3 ? byte ^ (1 << (at & 7)) : byte))
      expect(openHeader(changed, KEY, engine)).toBeNull()
      expect(openHeader(sealed.subarray(0, -1), KEY, engine)).toBeNull()
      expect(openHeader(sealed, other, engine)).toBeNull()
    }),
  )
})

test('whatever the peer seals is a header within bounds, or none', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), bytes(24), (text, nonce) => {
      const header = openHeader(engine.sealBox(text, nonce, KEY, nonce), KEY, engine)
      if (header !== null) expect(liveNumbers(header).length).toBeLessThanOrEqual(RING_SLOTS)
      expect(openHeader(text, KEY, engine)).toBeNull()
    }),
  )
})

test('the frames that lie in a ring are at most 16, have slots of their own, and grow', () => {
  fc.assert(
    fc.property(headers, (header) => {
      const live = liveNumbers(header)
      expect(new Set(live.map(slotOf)).size).toBe(live.length)
      expect(live).toEqual(live.toSorted((a, b) => a - b))
      for (const number of live) expect(slotOf(number)).toBeGreaterThan(0)
    }),
  )
})
