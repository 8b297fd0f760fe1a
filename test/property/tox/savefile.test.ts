import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { concatBytes, equalBytes } from '../../../src/core/encoding/bytes.ts'
import { MAX_STATUS_BYTES } from '../../../src/core/limits.ts'
import { formatToxId, parseToxId, parseToxPk } from '../../../src/tox/save/address.ts'
import { decryptSave } from '../../../src/tox/save/esave.ts'
import { FRIEND_BYTES, decodeFriend, encodeFriend } from '../../../src/tox/save/friends.ts'
import { withStatusMessage } from '../../../src/tox/save/status-message.ts'
import { friendStatuses } from '../../../src/tox/save/scan.ts'
import {
  SECTION_FRIENDS,
  SECTION_STATUS_MESSAGE,
  decodeSave,
  encodeSave,
  endMark,
  readKeys,
  readName,
  readStatusMessage,
  type ToxSave,
} from '../../../src/tox/save/savefile.ts'
import { codeOf, codeOfAsync, engine, nine } from '../../support/tox-people.ts'

const bytes = (maxLength: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ maxLength })
const exactly = (length: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ minLength: length, maxLength: length })

/** Records with random ends. The middle matters little, so it repeats one random byte, which makes 1000 records cheap. */
const friendRecord: fc.Arbitrary<Uint8Array> = fc
  .tuple(exactly(40), fc.nat(255), exactly(30))
  .map(([head, fill, tail]) => concatBytes(head, new Uint8Array(FRIEND_BYTES - 70).fill(fill), tail))

const friendList: fc.Arbitrary<Uint8Array> = fc
  .tuple(fc.array(friendRecord, { maxLength: 20 }), fc.constantFrom(1, 1, 1, 1, 1, 50))
  .map(([records, times]) => concatBytes(...Array.from({ length: times }, () => records).flat()))

const knownSections: fc.Arbitrary<readonly [number, Uint8Array][]> = fc.tuple(
  fc.tuple(fc.constant(1), exactly(68)),
  fc.tuple(fc.constant(3), friendList),
  fc.tuple(fc.constant(4), bytes(140)),
  fc.tuple(fc.constant(5), bytes(1020)),
  fc.tuple(fc.constant(6), bytes(2)),
)
const otherSection = fc.tuple(fc.constantFrom(2, 7, 10, 11, 20, 0, 99, 254, 256, 65_535), bytes(60))

const save: fc.Arbitrary<ToxSave> = fc
  .record({
    known: knownSections.chain((sections) => fc.shuffledSubarray([...sections])),
    others: fc.array(otherSection, { maxLength: 8 }),
    tail: fc.oneof(
      fc.constant(new Uint8Array(0)),
      fc.nat(816).map((slack) => concatBytes(endMark(), new Uint8Array(slack))),
      bytes(40).map((slack) => concatBytes(endMark(), slack)),
    ),
  })
  .chain(({ known, others, tail }) =>
    fc.shuffledSubarray([...known, ...others], { minLength: known.length + others.length }).map((sections) => ({
      sections: sections.map(([type, data]) => ({ type, data })),
      tail,
    })),
  )

/** Like toEqual(), which takes seconds for megabytes. */
function isSame(a: ToxSave, b: ToxSave): boolean {
  return (
    a.sections.length === b.sections.length &&
    a.sections.every(({ type, data }, i) => type === b.sections[i]!.type && equalBytes(data, b.sections[i]!.data)) &&
    equalBytes(a.tail, b.tail)
  )
}

function withoutStatusMessage({ sections, tail }: ToxSave): ToxSave {
  return { sections: sections.filter(({ type }) => type !== SECTION_STATUS_MESSAGE), tail }
}

/** Calls every function on a decoded save. A ToxError is fine, any other error is not. */
function askEverything(decoded: ToxSave): void {
  codeOf(() => readKeys(decoded, engine))
  codeOf(() => friendStatuses(decoded, 1_800_000_000))
  codeOf(() => withStatusMessage(decoded, 'text'))
  readName(decoded)
  readStatusMessage(decoded)
}

describe('save files', () => {
  test('an encoded save decodes to the same value and encodes to the same bytes', () => {
    fc.assert(
      fc.property(save, (original) => {
        const file = encodeSave(original)
        const decoded = decodeSave(file)
        expect(isSame(decoded, original)).toBe(true)
        expect(equalBytes(encodeSave(decoded), file)).toBe(true)
        askEverything(decoded)
      }),
      { numRuns: 100 },
    )
  })

  test('any bytes give a save that encodes back to them, or a ToxError', () => {
    const head = encodeSave({ sections: [], tail: new Uint8Array(0) })
    fc.assert(
      fc.property(fc.boolean(), bytes(200), (hasHead, rest) => {
        const file = hasHead ? concatBytes(head, rest) : rest
        codeOf(() => {
          const decoded = decodeSave(file)
          expect(equalBytes(encodeSave(decoded), file)).toBe(true)
          askEverything(decoded)
        })
      }),
      { numRuns: 1000 },
    )
  })

  test('a profile with flipped bits or cut short gives a save that encodes back to it, or a ToxError', () => {
    const whole = encodeSave(nine())
    const flips = fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(7)), { maxLength: 4 })
    let decodedCount = 0
    fc.assert(
      fc.property(flips, fc.oneof(fc.constant(whole.length), fc.nat(whole.length)), (places, length) => {
        const file = whole.slice()
        for (const [at, bit] of places) file[at]! ^= 1 << bit
        const damaged = file.subarray(0, length)
        codeOf(() => {
          const decoded = decodeSave(damaged)
          decodedCount++
          expect(equalBytes(encodeSave(decoded), damaged)).toBe(true)
          askEverything(decoded)
        })
      }),
      { numRuns: 1000 },
    )
    expect(decodedCount).toBeGreaterThan(100)
  })

  test('publishing any text leaves all other sections, their order and the slack', () => {
    fc.assert(
      fc.property(save, fc.string({ unit: 'grapheme', maxLength: 300 }), (original, text) => {
        const code = codeOf(() => {
          const published = decodeSave(encodeSave(withStatusMessage(original, text)))
          expect(readStatusMessage(published).text).toBe(text)
          expect(isSame(withoutStatusMessage(published), withoutStatusMessage(original))).toBe(true)
        })
        const isWritable = new TextEncoder().encode(text).length <= MAX_STATUS_BYTES && !text.includes('\0')
        const hasKeys = original.sections.some(({ type }) => type === 1)
        expect(code === 'none').toBe(isWritable && hasKeys)
      }),
      { numRuns: 200 },
    )
  })
})

describe('friend records', () => {
  test('any 2216 bytes are a friend or an empty record, whose texts lie within it', () => {
    fc.assert(
      fc.property(friendRecord, fc.nat(9), (record, index) => {
        const friend = decodeFriend(record, index)
        expect(friend === null).toBe(record[0] === 0)
        if (friend === null) return
        expect(friend.name.bytes.length).toBeLessThanOrEqual(128)
        expect(friend.statusMessage.bytes.length).toBeLessThanOrEqual(1007)
        expect(friend.lastSeenSec).toBeGreaterThanOrEqual(0)
      }),
      { numRuns: 500 },
    )
  })

  test('a written record reads back', () => {
    const key = exactly(32).map((random) => random.with(31, random[31]! & 127))
    const friends = fc.record({
      publicKey: key,
      name: bytes(128),
      statusMessage: bytes(1007),
      lastSeenSec: fc.maxSafeNat(),
    })
    fc.assert(
      fc.property(friends, (written) => {
        const read = decodeFriend(encodeFriend(written), 0)!
        expect({
          publicKey: read.publicKey,
          name: read.name.bytes,
          statusMessage: read.statusMessage.bytes,
          lastSeenSec: read.lastSeenSec,
        }).toEqual(written)
      }),
    )
  })

  test('a list of any length is read completely or refused', () => {
    fc.assert(
      fc.property(friendList, fc.constantFrom(0, 0, 0, 1, FRIEND_BYTES - 1), (list, extra) => {
        const data = concatBytes(list, new Uint8Array(extra))
        const profile = nine()
        const sections = profile.sections.map((section) =>
          section.type === SECTION_FRIENDS ? { ...section, data } : section,
        )
        const code = codeOf(() => {
          const { statuses, problems } = friendStatuses({ ...profile, sections }, 1_800_000_000)
          let present = 0
          for (let at = 0; at < data.length; at += FRIEND_BYTES) if (data[at] !== 0) present++
          expect(statuses.length + problems.length).toBe(present)
          expect(statuses.every(({ observedAtSec }) => observedAtSec <= 1_800_000_000)).toBe(true)
        })
        expect(code).toBe(extra === 0 ? 'none' : 'TOX_FRIENDS_NOT_WHOLE')
      }),
      { numRuns: 50 },
    )
  })
})

describe('Tox IDs and encrypted profiles', () => {
  test('an ID reads back from its text', () => {
    fc.assert(
      fc.property(exactly(32), exactly(4), (publicKey, nospam) => {
        const text = formatToxId({ publicKey, nospam })
        expect(parseToxId(text)).toEqual({ publicKey, nospam })
        expect(parseToxPk(text)).toEqual(publicKey)
      }),
    )
  })

  test('any text is an ID that formats back to it, or a ToxError', () => {
    const hex = fc.string({ unit: fc.constantFrom(...'0123456789abcdefABCDEFg '.split('')), maxLength: 80 })
    fc.assert(
      fc.property(fc.oneof(hex, fc.string({ maxLength: 80 })), (text) => {
        codeOf(() => expect(formatToxId(parseToxId(text))).toBe(text.toUpperCase()))
        codeOf(() => expect(parseToxPk(text)).toHaveLength(32))
      }),
      { numRuns: 1000 },
    )
  })

  test('any bytes after the magic are refused with a ToxError', async () => {
    const magic = new TextEncoder().encode('toxEsave')
    await fc.assert(
      fc.asyncProperty(bytes(120), async (rest) => {
        expect(await codeOfAsync(decryptSave(concatBytes(magic, rest), 'x', engine))).toBe(
          rest.length <= 72 ? 'TOX_TRUNCATED' : 'TOX_WRONG_PASSPHRASE',
        )
      }),
      { numRuns: 30 },
    )
  })
})
