import { describe, expect, it } from 'vitest'
import { ItemError } from '../../../../src/core/announce/errors.ts'
import {
  formatPublic,
  openItem,
  sealForContacts,
  sealForDevices,
  type Announcement,
  type Openers,
} from '../../../../src/core/announce/item.ts'
import { signItems } from '../../../../src/core/announce/items.ts'
import {
  FORWARD_SEQ,
  itemSeq,
  MAX_ANNOUNCED_SEQ,
  OPEN_SALT,
  readingKey,
  secretSalt,
  TABLE_SEQ_END,
} from '../../../../src/core/announce/place.ts'
import { bencodeValue, MAX_VALUE_BYTES, valueOf, type SignedValue } from '../../../../src/core/announce/signed-value.ts'
import { equalBytes } from '../../../../src/core/encoding/bytes.ts'
import { MAX_BLOB_BYTES } from '../../../../src/core/limits.ts'
import { ada, announcedBlob, forwardsTo, itemsOf, placeOf, READ } from '../../../support/announced.ts'
import { ENGINES, makeDeviceKey, makePersona, NOW_SEC, sodium } from '../../../support/made-persona.ts'

const { signingKey } = ada.positions[0]!
const root = ada.positions[0]!.next
const r = readingKey(root, READ, sodium)
const SECRET = secretSalt(r, signingKey, sodium)
const NOBODY: Openers = { readingKey: null, deviceKeys: [] }
const CONTACT: Openers = { readingKey: r, deviceKeys: [] }

function announcement(blobBytes: number, isForward = false): Announcement {
  return { blob: new Uint8Array(blobBytes).fill(0x55), isForward, signingKey, readingKey: r }
}

function at(salt: Uint8Array, value: Uint8Array): SignedValue {
  return { publicKey: signingKey, salt, seq: 1n, bencoded: bencodeValue(value), signature: new Uint8Array(64) }
}

function codeOf(signed: SignedValue, openers: Openers): string | null {
  try {
    openItem(signed, openers, sodium)
    return null
  } catch (error) {
    if (error instanceof ItemError) return error.code
    throw error
  }
}

describe('an item for contacts', () => {
  it('is padded to one of six lengths, or to the end of its room', () => {
    const lengths = [
      [1, 320],
      [318, 320],
      [319, 448],
      [446, 448],
      [447, 576],
      [574, 576],
      [575, 704],
      [702, 704],
      [703, 832],
      [MAX_BLOB_BYTES, 832],
      [830, 832],
      [831, 952],
      [950, 952],
      [951, 954],
      [952, 954],
    ] as const
    for (const [blobBytes, plainBytes] of lengths) {
      expect(sealForContacts(announcement(blobBytes), sodium).length, `${blobBytes}`).toBe(2 + 24 + 16 + plainBytes)
    }
    expect(lengths.length).toBe(15)
  })

  it('has at most 996 bytes, and a blob too large for that is refused', () => {
    expect(sealForContacts(announcement(952), sodium).length).toBe(MAX_VALUE_BYTES)
    expect(() => sealForContacts(announcement(953), sodium)).toThrow(RangeError)
  })

  it('is the same in both engines, and opens in both', () => {
    for (const isForward of [false, true]) {
      const [one, other] = ENGINES.map((engine) => sealForContacts(announcement(300, isForward), engine))
      expect(one).toEqual(other)
      for (const engine of ENGINES) {
        expect(openItem(at(SECRET, one!), CONTACT, engine)).toEqual({ isForward, blob: announcement(300).blob })
      }
    }
    expect(ENGINES.length).toBe(2)
  })

  it('opens for nobody without the reading key: not by a device key, not with another `read`', () => {
    const signed = at(SECRET, sealForContacts(announcement(300), sodium))
    const other = readingKey(
      root,
      READ.map((byte) => byte ^ 1),
      sodium,
    )
    for (const openers of [
      NOBODY,
      { ...NOBODY, deviceKeys: [makeDeviceKey(0), r] },
      { ...CONTACT, readingKey: other },
    ]) {
      expect(codeOf(signed, openers)).toBe('ITEM_CLOSED')
    }
  })

  it('is refused after the flip of any single bit', () => {
    const value = sealForContacts(announcement(300), sodium)
    const codes = new Map<string, number>()
    for (let bit = 0; bit < value.length * 8; bit++) {
      const flipped = value.slice()
      flipped[bit >> 3]! ^= 1 << (bit & 7)
      const code = String(codeOf(at(SECRET, flipped), CONTACT))
      codes.set(code, (codes.get(code) ?? 0) + 1)
    }
    // Flag bit 0 says that it is a forward: another key.
    expect(codes).toEqual(
      new Map([
        ['ITEM_VERSION', 8],
        ['ITEM_FLAGS', 7],
        ['ITEM_CLOSED', value.length * 8 - 15],
      ]),
    )
  })
})

describe('an item for devices', () => {
  const keys = [0, 1, 2].map((number) => makeDeviceKey(number))
  const { value, deviceSlots } = sealForDevices(announcement(300), keys, sodium)

  it('opens for whoever knows one of the device keys, and for contacts', () => {
    expect(deviceSlots).toBe(3)
    for (const openers of [CONTACT, ...keys.map((key) => ({ ...NOBODY, deviceKeys: [makeDeviceKey(9), key] }))]) {
      expect(openItem(at(OPEN_SALT, value), openers, sodium).blob).toEqual(announcement(300).blob)
    }
    for (const openers of [NOBODY, { ...NOBODY, deviceKeys: [makeDeviceKey(9), signingKey] }]) {
      expect(codeOf(at(OPEN_SALT, value), openers)).toBe('ITEM_CLOSED')
    }
  })

  it('is the same in both engines', () => {
    for (const engine of ENGINES) expect(sealForDevices(announcement(300), keys, engine).value).toEqual(value)
  })

  it('is refused after the flip of any single bit, by each of its readers', () => {
    const codes = new Set<string>()
    for (let bit = 0; bit < value.length * 8; bit++) {
      const flipped = value.slice()
      flipped[bit >> 3]! ^= 1 << (bit & 7)
      for (const openers of [CONTACT, { ...NOBODY, deviceKeys: keys }])
        codes.add(String(codeOf(at(OPEN_SALT, flipped), openers)))
    }
    // Bit 2 of the flags makes 0x06, which is no form.
    expect(codes).toEqual(new Set(['ITEM_VERSION', 'ITEM_FLAGS', 'ITEM_CLOSED', 'ITEM_LENGTH']))
  })

  it('never exceeds 996 bytes: of many keys it leaves the last ones out, and any blob leaves room for eleven', () => {
    const many = Array.from({ length: 300 }, (_, number) => makeDeviceKey(number))
    for (const blobBytes of [208, 300, 500, MAX_BLOB_BYTES]) {
      const sealed = sealForDevices(announcement(blobBytes), many, sodium)
      expect(sealed.value.length).toBeLessThanOrEqual(MAX_VALUE_BYTES)
      expect(sealed.deviceSlots).toBe(Math.floor((951 - blobBytes) / 16) - 1)
      const opens = (number: number): string | null =>
        codeOf(at(OPEN_SALT, sealed.value), { ...NOBODY, deviceKeys: [many[number]!] })
      expect([opens(sealed.deviceSlots - 1), opens(sealed.deviceSlots)]).toEqual([null, 'ITEM_CLOSED'])
    }
    expect(sealForDevices(announcement(MAX_BLOB_BYTES), many, sodium).deviceSlots).toBe(11)
  })
})

describe('a form', () => {
  it('counts only at its place', () => {
    const secret = sealForContacts(announcement(300), sodium)
    const slots = sealForDevices(announcement(300), [], sodium).value
    const open = formatPublic(announcement(300, true))
    expect(openItem(at(OPEN_SALT, open), NOBODY, sodium)).toEqual({ isForward: true, blob: announcement(300).blob })
    expect(codeOf(at(OPEN_SALT, secret), CONTACT)).toBe('ITEM_FLAGS')
    expect(codeOf(at(SECRET, slots), CONTACT)).toBe('ITEM_FLAGS')
    expect(codeOf(at(SECRET, open), CONTACT)).toBe('ITEM_FLAGS')
  })

  it('is refused when it is cut short', () => {
    expect(codeOf(at(SECRET, Uint8Array.of(1)), CONTACT)).toBe('ITEM_LENGTH')
    expect(codeOf(at(SECRET, new Uint8Array(43).fill(1, 0, 1)), CONTACT)).toBe('ITEM_LENGTH')
    expect(codeOf(at(OPEN_SALT, Uint8Array.of(1, 2, ...new Uint8Array(24), 200, 1)), CONTACT)).toBe('ITEM_LENGTH')
    expect(codeOf({ ...at(SECRET, SECRET), bencoded: Uint8Array.of(0x69, 0x31, 0x65) }, CONTACT)).toBe('ITEM_NOT_BYTES')
    expect(valueOf({ bencoded: bencodeValue(new Uint8Array(997)) })).toBeNull()
  })
})

describe('the seq of an item', () => {
  it('grows with the seq of the table and with its time, and stays below 2^53', () => {
    const cases = [
      [1, 0, 2n ** 31n],
      [1, 1_600_000_000, 2n ** 31n],
      [1, 1_600_000_001, 2n ** 31n + 1n],
      [1, 0xffff_ffff, 2n ** 32n - 1n],
      [2, 0, 2n ** 32n],
      [MAX_ANNOUNCED_SEQ, 0xffff_ffff, TABLE_SEQ_END - 1n],
      [MAX_ANNOUNCED_SEQ + 1, 0, null],
    ] as const
    for (const [seq, timeSec, expected] of cases)
      expect(itemSeq({ seq, timeSec }), `${seq} at ${timeSec}`).toBe(expected)
    expect(cases.length).toBe(7)
  })
})

describe('the items of a table', () => {
  const blob = announcedBlob(ada, { seq: 7 })

  it('are one for contacts, and a second one at the open place for the other kinds', () => {
    for (const [kind, salts] of [
      ['contacts', [SECRET]],
      ['devices', [SECRET, OPEN_SALT]],
      ['public', [SECRET, OPEN_SALT]],
    ] as const) {
      const { items, devicesLeftOut } = itemsOf(ada, blob, { kind })
      expect(items.map(({ salt }) => salt)).toEqual(salts)
      expect(items.map(({ seq }) => seq)).toEqual(
        salts.map(() => BigInt(7) * 2n ** 31n + BigInt(NOW_SEC - 1_600_000_000)),
      )
      expect(devicesLeftOut).toBe(0)
    }
  })

  it('are none for a table with a seq of 2^22 or more, but a forward may lead to it', () => {
    const late = announcedBlob(ada, { seq: MAX_ANNOUNCED_SEQ + 1, epoch: 1 })
    expect(itemsOf(ada, late).items).toEqual([])
    expect(forwardsTo(ada, late, 0).items.map(({ seq }) => seq)).toEqual([FORWARD_SEQ])
  })

  it('say how many devices found no room', () => {
    const devices = Array.from({ length: 18 }, (_, number) => number)
    const full = announcedBlob(ada, { devices, document: '' })
    expect(itemsOf(ada, full, { kind: 'devices', removedKeys: [makeDeviceKey(30)] }).devicesLeftOut).toBeGreaterThan(0)
  })

  it('are the same bytes for each sibling', () => {
    const draft = { blob, read: READ, kind: 'devices', removedKeys: [] } as const
    const [one, other] = ENGINES.map((engine) => signItems(draft, engine, (message) => ada.sign(0, message)))
    expect(one).toEqual(other)
  })

  it('of two personas with the same `read` are at different places, sealed by different keys', () => {
    const bob = makePersona(2)
    const [mine, theirs] = [placeOf(ada), placeOf(bob)]
    expect(equalBytes(mine.readingKey!, theirs.readingKey!)).toBe(false)
  })
})
