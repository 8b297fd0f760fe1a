import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { concatBytes, equalBytes, formatHex } from '../../../src/core/encoding/bytes.ts'
import { ownWords } from '../../../src/core/token.ts'
import { decodeConferences, type Conference } from '../../../src/tox/save/conferences.ts'
import { splitRecords, withWords, withoutFriends } from '../../../src/tox/save/edit.ts'
import { findingsOf } from '../../../src/tox/save/findings.ts'
import { FRIEND_BYTES, readFriends } from '../../../src/tox/save/friends.ts'
import { decodeGroups, type Group } from '../../../src/tox/save/groups.ts'
import { mergeFriends } from '../../../src/tox/save/merge.ts'
import { decodeDht, decodeNodes } from '../../../src/tox/save/nodes.ts'
import { rekeySave } from '../../../src/tox/save/rekey.ts'
import {
  SECTION_CONFERENCES,
  SECTION_DHT,
  SECTION_FRIENDS,
  SECTION_GROUPS,
  SECTION_PATH_NODES,
  SECTION_TCP_RELAYS,
  decodeSave,
  encodeSave,
  readKeys,
  readStatusMessage,
  sectionData,
  toxText,
  withSection,
  type ToxSave,
} from '../../../src/tox/save/savefile.ts'
import { codeOf, engine, nine } from '../../support/tox-people.ts'
import { packConferences, packDht, packGroups, packNodes, type PackedNode } from '../../support/tox-sections.ts'

const exactly = (length: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ minLength: length, maxLength: length })
const label = (maxLength: number): fc.Arbitrary<ReturnType<typeof toxText>> => fc.uint8Array({ maxLength }).map(toxText)
const u8 = fc.nat(0xff)
const u16 = fc.nat(0xffff)
const u32 = fc.nat(0xffffffff)

const node: fc.Arbitrary<PackedNode> = fc
  .constantFrom(2 as const, 10 as const, 130 as const, 138 as const)
  .chain((family) =>
    fc.record({ family: fc.constant(family), ip: exactly(family % 128 === 2 ? 4 : 16), port: u16, key: exactly(32) }),
  )

const conference: fc.Arbitrary<Conference> = fc.record({
  kind: fc.constantFrom('text', 'audio'),
  id: exactly(32),
  title: label(128),
  messageNumber: u32,
  lossyMessageNumber: u16,
  ownNumber: u16,
  peers: fc.array(
    fc.record({
      publicKey: exactly(32),
      dhtKey: exactly(32),
      number: u16,
      lastActiveSec: fc.maxSafeNat(),
      nick: label(128),
    }),
    { maxLength: 4 },
  ),
})

const group: fc.Arbitrary<Group> = fc.record({
  chatId: exactly(32),
  name: label(48),
  topic: label(512),
  isDisconnected: fc.boolean(),
  privacyState: u8,
  voiceState: u8,
  topicLock: u32,
  maxPeers: u16,
  version: u32,
  founderKey: exactly(64),
  moderators: fc.array(exactly(32), { maxLength: 30 }),
  self: fc.record({ publicKey: exactly(64), nick: label(128), role: u8, userStatus: u8 }),
  savedPeers: fc.uint8Array({ maxLength: 600 }),
  secrets: fc.record({
    chatSecretKey: exactly(96),
    selfSecretKey: exactly(96),
    password: fc.uint8Array({ maxLength: 32 }),
  }),
})

/** A whole profile with every known section, some unknown ones, and up to 1000 friends. */
const profile: fc.Arbitrary<ToxSave> = fc
  .record({
    nodes: fc.array(node, { maxLength: 8 }),
    conferences: fc.array(conference, { maxLength: 3 }),
    groups: fc.array(group, { maxLength: 2 }),
    foreign: fc.uint8Array({ maxLength: 50 }),
    friends: fc.oneof(fc.nat(8), fc.constantFrom(999, 1000)),
    seed: fc.nat(),
  })
  .map(({ nodes, conferences, groups, foreign, friends, seed }) =>
    [
      [SECTION_DHT, packDht(nodes, nodes)],
      [SECTION_FRIENDS, records(friends, seed)],
      [SECTION_GROUPS, packGroups(groups)],
      [SECTION_TCP_RELAYS, packNodes(nodes)],
      [SECTION_PATH_NODES, packNodes(nodes)],
      [SECTION_CONFERENCES, packConferences(conferences)],
      [99, foreign],
    ].reduce((save, [type, data]) => withSection(save, type as number, data as Uint8Array), nine()),
  )

/** Records of odd but valid friends, cheap to make: key and status differ, the rest repeats one byte. */
function records(count: number, seed: number): Uint8Array {
  const bytes = new Uint8Array(count * FRIEND_BYTES)
  for (let i = 0; i < count; i++) {
    const record = bytes.subarray(i * FRIEND_BYTES, (i + 1) * FRIEND_BYTES).fill((seed + i) & 0x7f)
    record[0] = (seed + i) % 5
    new DataView(record.buffer, record.byteOffset).setUint32(1, i)
  }
  return bytes
}

const keysOf = (save: ToxSave): string[] => readFriends(save).friends.map(({ publicKey }) => formatHex(publicKey))

describe('every section', () => {
  test('decodes to the written value', () => {
    fc.assert(
      fc.property(fc.array(node, { maxLength: 12 }), (nodes) => {
        const told = decodeNodes(packNodes(nodes))
        expect(told.map(({ port, publicKey }) => ({ port, key: publicKey }))).toEqual(
          nodes.map(({ port, key }) => ({ port, key })),
        )
        expect(told.map(({ transport }) => transport)).toEqual(
          nodes.map(({ family }) => (family < 128 ? 'udp' : 'tcp')),
        )
        expect(decodeDht(packDht(nodes))).toEqual(told)
      }),
    )
    fc.assert(
      fc.property(fc.array(conference, { maxLength: 4 }), (list) => {
        expect(decodeConferences(packConferences(list))).toEqual(list)
      }),
    )
    fc.assert(
      fc.property(fc.array(group, { maxLength: 3 }), fc.boolean(), (list, isWide) => {
        expect(decodeGroups(packGroups(list, isWide))).toEqual(list)
      }),
    )
  })

  test('survives in a whole profile byte for byte, with 0 to 1000 friends', () => {
    fc.assert(
      fc.property(profile, (save) => {
        const bytes = encodeSave(save)
        const again = decodeSave(bytes)
        expect(equalBytes(encodeSave(again), bytes)).toBe(true)
        expect(again.sections.map(({ type }) => type)).toEqual([1, 2, 3, 4, 5, 6, 7, 10, 11, 20, 99])
      }),
      { numRuns: 40 },
    )
  })
})

describe('a damaged profile', () => {
  /** Every function on it gives a value or a ToxError; codeOf rethrows any other error. */
  function useUp(bytes: Uint8Array): void {
    codeOf(() => {
      const save = decodeSave(bytes)
      codeOf(() => findingsOf(save))
      codeOf(() => mergeFriends(nine(), [save]))
      codeOf(() => rekeySave(save, { secretKey: new Uint8Array(32).fill(60), nospam: null, dropRelays: false }, engine))
    })
  }

  test('with flipped bits gives a value or a ToxError', () => {
    fc.assert(
      fc.property(profile, fc.array(fc.tuple(fc.nat(), fc.nat(7)), { minLength: 1, maxLength: 6 }), (save, flips) => {
        const bytes = encodeSave(save).slice()
        for (const [at, bit] of flips) bytes[at % bytes.length]! ^= 1 << bit
        useUp(bytes)
      }),
      { numRuns: 60 },
    )
  })

  test('cut anywhere gives a value or a ToxError, and reports a missing end', () => {
    fc.assert(
      fc.property(profile, fc.nat(), (save, at) => {
        const bytes = encodeSave(save)
        const cut = bytes.subarray(0, at % bytes.length)
        useUp(cut)
        const code = codeOf(() => {
          const codes = findingsOf(decodeSave(cut)).map((finding) => finding.code)
          // No cut profile counts as whole.
          expect(codes).toContain('TOX_NO_END')
        })
        expect(['none', 'TOX_EMPTY', 'TOX_TRUNCATED', 'TOX_NOT_A_PROFILE', 'TOX_NO_KEYS']).toContain(code)
      }),
      { numRuns: 60 },
    )
  })

  test('with any four-byte number anywhere gives a value or a ToxError', () => {
    const numbers = fc.constantFrom(0, 1, 0x7fffffff, 0xffffffff, 0xffff, 0xffff0000)
    fc.assert(
      fc.property(profile, fc.nat(), numbers, (save, at, number) => {
        const bytes = encodeSave(save).slice()
        new DataView(bytes.buffer).setUint32(at % (bytes.length - 4), number)
        useUp(bytes)
      }),
      { numRuns: 60 },
    )
  })

  test('with any bytes in one section is refused there or read completely', () => {
    const decoders = [decodeNodes, decodeDht, decodeConferences, decodeGroups] as const
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.constantFrom(...decoders), (bytes, decode) => {
        expect(['none', 'TOX_BAD_NODES', 'TOX_BAD_CONFERENCES', 'TOX_BAD_GROUPS']).toContain(
          codeOf(() => decode(bytes)),
        )
      }),
      { numRuns: 1000 },
    )
  })
})

describe('edits of any profile', () => {
  test('a second device keeps every friend, every foreign byte and its old self', () => {
    fc.assert(
      fc.property(profile, exactly(32), (save, secretKey) => {
        const rekeyed = rekeySave(save, { secretKey, nospam: null, dropRelays: false }, engine)
        const again = decodeSave(encodeSave(rekeyed.save))
        expect(readKeys(again, engine).publicKey).toEqual(rekeyed.publicKey)
        expect(keysOf(again)).toEqual([...keysOf(save), formatHex(readKeys(save, engine).publicKey)])
        expect(equalBytes(sectionData(again, 99)!, sectionData(save, 99)!)).toBe(true)
        expect(sectionData(again, SECTION_GROUPS)).toBeNull()
        expect(sectionData(again, SECTION_CONFERENCES)).toBeNull()
      }),
      { numRuns: 40 },
    )
  })

  test('merging is a union, removes nothing, and changes nothing the second time', () => {
    fc.assert(
      fc.property(profile, profile, (mine, theirs) => {
        const { save } = mergeFriends(mine, [theirs])
        expect(keysOf(save).slice(0, keysOf(mine).length)).toEqual(keysOf(mine))
        expect(new Set(keysOf(save))).toEqual(new Set([...keysOf(mine), ...keysOf(theirs)]))
        expect(mergeFriends(save, [theirs, mine]).changes).toEqual([])
      }),
      { numRuns: 30 },
    )
  })

  test('removing a friend keeps the others byte for byte', () => {
    fc.assert(
      fc.property(profile, fc.nat(), (save, which) => {
        const { friends } = readFriends(save)
        if (friends.length === 0) return
        const gone = friends[which % friends.length]!
        const all = splitRecords(save)
        const left = splitRecords(withoutFriends(save, [gone.publicKey]))
        expect(left).toHaveLength(all.length - 1)
        expect(equalBytes(concatBytes(...left), concatBytes(...all.toSpliced(gone.index, 1)))).toBe(true)
      }),
      { numRuns: 30 },
    )
  })

  test('words read back as they were set', () => {
    const words = fc.string({ unit: 'grapheme', maxLength: 60 }).filter((text) => !text.includes('\0'))
    fc.assert(
      fc.property(words, (text) => {
        expect(readStatusMessage(withWords(nine(), text).save).text).toBe(text)
        const shown = nine({ statusMessage: `x persona:${'A'.repeat(300)}` })
        expect(ownWords(readStatusMessage(withWords(shown, text).save).text)).toBe(ownWords(text))
      }),
    )
  })
})
