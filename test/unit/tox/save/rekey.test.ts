import { describe, expect, test } from 'vitest'
import { concatBytes, encodeUtf8, formatHex } from '../../../../src/core/encoding/bytes.ts'
import { formatToken } from '../../../../src/core/token.ts'
import { splitRecords, withFriend } from '../../../../src/tox/save/edit.ts'
import { encodeFriend, encodeFriendRequest, readFriends } from '../../../../src/tox/save/friends.ts'
import { rekeySave, type RekeyOptions, type Rekeyed } from '../../../../src/tox/save/rekey.ts'
import {
  SECTION_CONFERENCES,
  SECTION_FRIENDS,
  SECTION_GROUPS,
  SECTION_KEYS,
  SECTION_PATH_NODES,
  SECTION_STATUS_MESSAGE,
  SECTION_TCP_RELAYS,
  decodeSave,
  encodeSave,
  readKeys,
  readName,
  readStatusMessage,
  sectionData,
  withSection,
  type ToxSave,
} from '../../../../src/tox/save/savefile.ts'
import { fixturesAbsence, plainFixtures, readFixture } from '../../../support/tox-fixtures.ts'
import { codeOf, engine, nine, publicKeyOf, secretKeyOf } from '../../../support/tox-people.ts'

const NEW: RekeyOptions = { secretKey: secretKeyOf(50), nospam: Uint8Array.of(5, 5, 5, 5), dropRelays: false }

function rekeyed(save: ToxSave = nine(), options: Partial<RekeyOptions> = {}): Rekeyed {
  return rekeySave(save, { ...NEW, ...options }, engine)
}

test('a new key for the same device replaces the old one, which does not become a friend', () => {
  const friends = (save: ToxSave): string[] => readFriends(save).friends.map(({ publicKey }) => formatHex(publicKey))
  expect(friends(rekeyed(nine(), { replacesOld: true }).save)).toEqual(friends(nine()))
  expect(friends(rekeyed().save)).toContain(formatHex(readKeys(nine(), engine).publicKey))
})

describe('a second device', () => {
  test('has its own matching key pair and another Tox ID', () => {
    const { save, publicKey } = rekeyed()
    const keys = readKeys(decodeSave(encodeSave(save)), engine)
    expect(keys).toEqual({ nospam: NEW.nospam, publicKey: publicKeyOf(50), secretKey: secretKeyOf(50) })
    expect(publicKey).toEqual(keys.publicKey)
  })

  test('keeps the nospam when asked to', () => {
    expect(readKeys(rekeyed(nine(), { nospam: null }).save, engine).nospam).toEqual(Uint8Array.of(1, 2, 3, 4))
  })

  test('has all friends unchanged, and the old device under its name', () => {
    const { save } = rekeyed()
    const records = splitRecords(save)
    expect(records.slice(0, 2)).toEqual(splitRecords(nine()))
    const last = readFriends(save).friends[2]!
    expect(last).toMatchObject({ publicKey: publicKeyOf(9), isConfirmed: true, lastSeenSec: 0 })
    expect([last.name.text, last.statusMessage.text, records.length]).toEqual(['Nine', '', 3])
  })

  test('leaves out only what two devices would both claim', () => {
    const extra: [number, Uint8Array][] = [
      [2, Uint8Array.of(1)],
      [SECTION_GROUPS, Uint8Array.of(7)],
      [SECTION_TCP_RELAYS, Uint8Array.of(10)],
      [SECTION_PATH_NODES, new Uint8Array(0)],
      [SECTION_CONFERENCES, Uint8Array.of(20)],
      [99, Uint8Array.of(9, 9, 9)],
    ]
    const full = extra.reduce((save, [type, data]) => withSection(save, type, data), nine())
    const { save, dropped } = rekeyed(full)
    expect(dropped.toSorted((a, b) => a - b)).toEqual([SECTION_GROUPS, SECTION_CONFERENCES])
    expect(save.sections.map(({ type }) => type)).toEqual([1, 2, 3, 4, 5, 6, 10, 11, 99])
    let ran = 0
    for (const { type, data } of save.sections) {
      if (type === SECTION_KEYS || type === SECTION_FRIENDS) continue
      expect(data, `section ${type}`).toEqual(sectionData(full, type))
      ran++
    }
    expect(ran).toBe(7)
    const bare = rekeyed(full, { dropRelays: true })
    expect(bare.save.sections.map(({ type }) => type)).toEqual([1, 2, 3, 4, 5, 6, 99])
    expect(bare.dropped.toSorted((a, b) => a - b)).toEqual([7, 10, 20])
  })

  test("shows the old device's words without the token, which does not list the new one", () => {
    const token = formatToken(new Uint8Array(200).fill(1))
    expect(readStatusMessage(rekeyed(nine({ statusMessage: `at home ${token}` })).save).text).toBe('at home')
    expect(readStatusMessage(rekeyed().save).text).toBe('at home')
    const odd = withSection(nine(), SECTION_STATUS_MESSAGE, Uint8Array.of(0xff, 0xfe))
    expect(readStatusMessage(rekeyed(odd).save).bytes).toEqual(Uint8Array.of(0xff, 0xfe))
  })

  test('repeats unanswered friend requests and counts them', () => {
    const request = encodeFriendRequest({
      publicKey: publicKeyOf(3),
      nospam: new Uint8Array(4),
      text: encodeUtf8('hi'),
    })
    const { save, requests } = rekeyed(withFriend(nine(), request))
    expect(requests).toBe(1)
    expect(splitRecords(save)[2]).toEqual(request)
  })

  test('has the old device once, even if the old profile had itself as a friend', () => {
    const own = encodeFriend({
      publicKey: publicKeyOf(9),
      name: encodeUtf8('me'),
      statusMessage: encodeUtf8('x'),
      lastSeenSec: 5,
    })
    const odd = withSection(nine(), SECTION_FRIENDS, concatBytes(own, ...splitRecords(nine())))
    const { friends, problems } = readFriends(rekeyed(odd).save)
    expect(problems).toEqual([])
    expect(friends.map(({ name }) => name.text)).toEqual(['One', 'Two', 'Nine'])
  })

  test('is refused for a broken profile and for the old key', () => {
    const mismatched = withSection(nine(), SECTION_KEYS, sectionData(nine(), SECTION_KEYS)!.with(40, 77))
    expect(codeOf(() => rekeyed(mismatched))).toBe('TOX_BAD_KEYS')
    expect(codeOf(() => rekeyed(nine(), { secretKey: secretKeyOf(9) }))).toBe('TOX_BAD_KEYS')
    expect(codeOf(() => rekeyed(nine(), { secretKey: new Uint8Array(31) }))).toBe('TOX_BAD_KEYS')
    const cut = withSection(nine(), SECTION_FRIENDS, new Uint8Array(2217))
    expect(codeOf(() => rekeyed(cut))).toBe('TOX_FRIENDS_NOT_WHOLE')
  })

  test.skipIf(fixturesAbsence !== null)(`can be made from every real profile ${fixturesAbsence ?? ''}`, () => {
    let ran = 0
    for (const fixture of plainFixtures) {
      const old = decodeSave(readFixture(fixture))
      const { save } = rekeyed(old)
      const names = (of: ToxSave): string[] => readFriends(of).friends.map(({ publicKey }) => formatHex(publicKey))
      expect(names(save)).toEqual([...names(old), fixture.publicKey])
      expect(readName(save).text).toBe(readName(old).text)
      ran++
    }
    expect(ran).toBe(10)
  })
})
