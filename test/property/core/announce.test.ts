/** Announcements: what is sealed opens to the same blob for exactly its readers, in both engines, and any bytes give a verdict. */
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ItemError } from '../../../src/core/announce/errors.ts'
import { openItem, sealForContacts, sealForDevices, type Announcement } from '../../../src/core/announce/item.ts'
import { judgeItem } from '../../../src/core/announce/judge.ts'
import { OPEN_SALT } from '../../../src/core/announce/place.ts'
import {
  bencodeValue,
  MAX_DHT_SEQ,
  MAX_VALUE_BYTES,
  type SignedValue,
} from '../../../src/core/announce/signed-value.ts'
import { MAX_BLOB_BYTES } from '../../../src/core/limits.ts'
import { ada, announcedBlob, itemsOf, placeOf, resigned } from '../../support/announced.ts'
import { ENGINES, makeDeviceKey, sodium } from '../../support/made-persona.ts'

const bytes32 = fc.uint8Array({ minLength: 32, maxLength: 32 })
const blobs = fc.oneof(
  fc.uint8Array({ minLength: 1, maxLength: MAX_BLOB_BYTES }),
  fc.nat(MAX_BLOB_BYTES - 1).map((length) => new Uint8Array(length + 1).fill(7)),
)
const announcements: fc.Arbitrary<Announcement> = fc.record({
  blob: blobs,
  isForward: fc.boolean(),
  signingKey: bytes32,
  readingKey: bytes32,
})
const deviceKeys = fc
  .uniqueArray(fc.nat(60), { maxLength: 20 })
  .map((numbers) => numbers.map((number) => makeDeviceKey(number)))

function at(salt: Uint8Array, { signingKey }: Announcement, value: Uint8Array): SignedValue {
  return { publicKey: signingKey, salt, seq: 1n, bencoded: bencodeValue(value), signature: new Uint8Array(64) }
}

function openedOrCode(...args: Parameters<typeof openItem>): Uint8Array | string {
  try {
    return openItem(...args).blob
  } catch (error) {
    if (error instanceof ItemError) return error.code
    throw error
  }
}

describe('an announcement', () => {
  it('for contacts opens by its reading key alone, in both engines', () => {
    fc.assert(
      fc.property(announcements, bytes32, (announcement, other) => {
        const [one, two] = ENGINES.map((engine) => sealForContacts(announcement, engine))
        expect(one).toEqual(two)
        expect(one!.length).toBeLessThanOrEqual(MAX_VALUE_BYTES)
        const signed = at(new Uint8Array(20), announcement, one!)
        const opens = (readingKey: Uint8Array): Uint8Array | string =>
          openedOrCode(signed, { readingKey, deviceKeys: [] }, sodium)
        expect(opens(announcement.readingKey)).toEqual(announcement.blob)
        expect(opens(other)).toBe('ITEM_CLOSED')
      }),
      { numRuns: 200 },
    )
  })

  it('for devices opens by exactly the keys that have a slot', () => {
    fc.assert(
      fc.property(announcements, deviceKeys, (announcement, keys) => {
        const { value, deviceSlots } = sealForDevices(announcement, keys, sodium)
        expect(value.length).toBeLessThanOrEqual(MAX_VALUE_BYTES)
        const signed = at(OPEN_SALT, announcement, value)
        const openers = keys.map((key) => openedOrCode(signed, { readingKey: null, deviceKeys: [key] }, sodium))
        expect(openers.map((opened) => typeof opened === 'object')).toEqual(keys.map((_, i) => i < deviceSlots))
        expect(openedOrCode(signed, { readingKey: announcement.readingKey, deviceKeys: [] }, sodium)).toEqual(
          announcement.blob,
        )
        expect(openedOrCode(signed, { readingKey: null, deviceKeys: [makeDeviceKey(99)] }, sodium)).toBe('ITEM_CLOSED')
      }),
      { numRuns: 100 },
    )
  })

  it('of any value that the owner or a thief signed gives a verdict, and a good table never proves a theft', () => {
    const table = announcedBlob(ada, { seq: 7 })
    const good = itemsOf(ada, table, { kind: 'devices' }).items
    const changes = fc.array(fc.tuple(fc.nat(1000), fc.nat(255)), { maxLength: 3 })
    let proofs = 0
    fc.assert(
      fc.property(
        fc.constantFrom(...good),
        changes,
        fc.option(fc.bigInt({ min: 0n, max: MAX_DHT_SEQ })),
        (item, list, seq) => {
          const bencoded = item.bencoded.slice()
          for (const [place, byte] of list) if (place < bencoded.length) bencoded[place] = byte
          const signed = resigned(ada, 0, item, { bencoded, seq: seq ?? item.seq })
          const verdict = judgeItem(signed, placeOf(ada), { engine: sodium, deviceKeys: [] })
          if (verdict.provesTheft) proofs++
          if (signed.seq === item.seq) expect(verdict.provesTheft).toBe(false)
        },
      ),
      { numRuns: 1000 },
    )
    expect(proofs).toBeGreaterThan(50)
  })
})
