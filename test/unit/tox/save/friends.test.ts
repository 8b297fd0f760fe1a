import { describe, expect, test } from 'vitest'
import { concatBytes, formatHex } from '../../../../src/core/encoding/bytes.ts'
import { FRIEND_BYTES, decodeFriend, encodeFriend, readFriends } from '../../../../src/tox/save/friends.ts'
import { newSave } from '../../../../src/tox/save/new-profile.ts'
import { friendStatuses } from '../../../../src/tox/save/scan.ts'
import {
  SECTION_FRIENDS,
  SECTION_KEYS,
  decodeSave,
  sectionData,
  withSection,
  type ToxSave,
} from '../../../../src/tox/save/savefile.ts'
import { fixturesAbsence, plainFixtures, readFixture } from '../../../support/tox-fixtures.ts'
import { codeOf, engine, nine, publicKeyOf, secretKeyOf } from '../../../support/tox-people.ts'

const NAME_LENGTH = 1188
const STATUS_LENGTH = 2198
const records = sectionData(nine(), SECTION_FRIENDS)!
const one = records.slice(0, FRIEND_BYTES)

function changed(record: Uint8Array, change: (view: DataView) => void): Uint8Array {
  const copy = record.slice()
  change(new DataView(copy.buffer))
  return copy
}

function withRecords(...all: Uint8Array[]): ToxSave {
  return withSection(nine(), SECTION_FRIENDS, concatBytes(...all))
}

const textLengths = (at: number, length: number): number[] => {
  const friend = decodeFriend(
    changed(one, (view) => view.setUint16(at, length)),
    0,
  )!
  return [friend.name.bytes.length, friend.statusMessage.bytes.length]
}
const recordWithKey = (at: number, person: number): Uint8Array => {
  const record = records.slice(at * FRIEND_BYTES, (at + 1) * FRIEND_BYTES)
  record.set(publicKeyOf(person), 1)
  return record
}
const profileSeeing = (lastSeenSec: number): ToxSave =>
  nine({ friends: [{ publicKey: publicKeyOf(1), name: 'One', statusMessage: 'x', lastSeenSec }] })

describe('one record', () => {
  test('decodes to what was encoded', () => {
    expect(decodeFriend(one, 4)).toMatchObject({
      index: 4,
      publicKey: publicKeyOf(1),
      isConfirmed: true,
      name: { text: 'One', isUtf8: true },
      statusMessage: { text: 'one here', isUtf8: true },
      lastSeenSec: 1_700_000_001,
      request: { text: '' },
    })
  })

  test('is not a friend when marked empty, and is confirmed when marked online', () => {
    expect(
      decodeFriend(
        changed(one, (view) => view.setUint8(0, 0)),
        0,
      ),
    ).toBeNull()
    expect(
      decodeFriend(
        changed(one, (view) => view.setUint8(0, 4)),
        0,
      ),
    ).toMatchObject({ isConfirmed: true })
  })

  test.each([1, 2])('of status %i has shown nothing yet, whatever its bytes claim', (status) => {
    const request = changed(one, (view) => {
      view.setUint8(0, status)
      view.setUint8(33, 0x68)
      view.setUint16(1058, 1)
    })
    expect(decodeFriend(request, 0)).toMatchObject({
      isConfirmed: false,
      name: { text: '' },
      statusMessage: { text: '' },
      request: { text: 'h' },
    })
  })

  test('has an empty text when a length exceeds its field, as libtoxcore reads it', () => {
    expect([127, 128, 129, 65_535].map((length) => textLengths(NAME_LENGTH, length)[0])).toEqual([127, 128, 0, 0])
    expect([1006, 1007, 1008, 65_535].map((length) => textLengths(STATUS_LENGTH, length)[1])).toEqual([
      1006, 1007, 0, 0,
    ])
  })

  test('with a time beyond exact integers lies in the far future, not in the past', () => {
    expect(
      decodeFriend(
        changed(one, (view) => view.setBigUint64(2208, 2n ** 64n - 1n)),
        0,
      )!.lastSeenSec,
    ).toBe(Number.MAX_SAFE_INTEGER)
  })

  test('cannot be written when a field does not fit', () => {
    const good = {
      publicKey: publicKeyOf(1),
      name: new Uint8Array(128),
      statusMessage: new Uint8Array(1007),
      lastSeenSec: 0,
    }
    expect(encodeFriend(good)).toHaveLength(FRIEND_BYTES)
    expect(codeOf(() => encodeFriend({ ...good, name: new Uint8Array(129) }))).toBe('TOX_NAME_TOO_LONG')
    expect(codeOf(() => encodeFriend({ ...good, statusMessage: new Uint8Array(1008) }))).toBe('TOX_STATUS_TOO_LONG')
    expect(codeOf(() => encodeFriend({ ...good, publicKey: new Uint8Array(31) }))).toBe('TOX_BAD_FRIEND')
    expect(codeOf(() => encodeFriend({ ...good, publicKey: new Uint8Array(32).fill(255) }))).toBe('TOX_BAD_FRIEND')
    for (const lastSeenSec of [-1, 0.5, Number.NaN, 2 ** 53]) {
      expect(
        codeOf(() => encodeFriend({ ...good, lastSeenSec })),
        String(lastSeenSec),
      ).toBe('TOX_BAD_FRIEND')
    }
  })
})

describe('the list', () => {
  test('reports records that libtoxcore would skip, and continues', () => {
    const topBit = changed(one, (view) => view.setUint8(32, 0x80))
    const empty = changed(one, (view) => view.setUint8(0, 0))
    const { friends, problems } = readFriends(
      withRecords(recordWithKey(0, 1), recordWithKey(1, 1), empty, recordWithKey(0, 9), topBit, recordWithKey(0, 3)),
    )
    expect(friends.map(({ index, name }) => [index, name.text])).toEqual([
      [0, 'One'],
      [5, 'One'],
    ])
    expect(problems.map(({ index, problem }) => [index, problem])).toEqual([
      [1, 'DUPLICATE_KEY'],
      [3, 'OWN_KEY'],
      [4, 'INVALID_KEY'],
    ])
  })

  test.each([1, FRIEND_BYTES - 1, FRIEND_BYTES + 1])('of %i bytes is refused: it ends within a record', (length) => {
    expect(codeOf(() => readFriends(withRecords(records.subarray(0, length))))).toBe('TOX_FRIENDS_NOT_WHOLE')
  })

  test('may be empty or absent', () => {
    const save = nine()
    const without = { ...save, sections: save.sections.filter(({ type }) => type === SECTION_KEYS) }
    expect(readFriends(without).friends).toEqual([])
    expect(readFriends(withRecords()).friends).toEqual([])
  })

  test.skipIf(fixturesAbsence !== null)(
    `of real profiles holds what the manifest says ${fixturesAbsence ?? ''}`,
    () => {
      let ran = 0
      let friendsRan = 0
      for (const fixture of plainFixtures) {
        const { statuses, problems } = friendStatuses(decodeSave(readFixture(fixture)), Number.MAX_SAFE_INTEGER)
        expect(problems).toEqual([])
        expect(statuses).toHaveLength(fixture.friends?.length ?? fixture.friendCount!)
        for (const expected of fixture.friends ?? []) {
          const found = statuses.find(({ publicKey }) => formatHex(publicKey) === expected.publicKey)
          expect(found?.statusText).toBe(expected.status)
          friendsRan++
        }
        ran++
      }
      expect([ran, friendsRan]).toEqual([10, 34])
    },
  )
})

describe('a scan', () => {
  test('dates an observation by when the friend was seen, never later than the file', () => {
    const dates = [0, 99, 100, 101, Number.MAX_SAFE_INTEGER].map(
      (lastSeenSec) => friendStatuses(profileSeeing(lastSeenSec), 100).statuses[0]!.observedAtSec,
    )
    expect(dates).toEqual([0, 99, 100, 100, 100])
  })

  test('finds the words of a status message whose rest is not UTF-8', () => {
    const save = withRecords(changed(one, (view) => view.setUint8(1190 + 7, 0xff)))
    expect(friendStatuses(save, 0).statuses[0]!.statusText).toBe('one her\uFFFD')
  })

  test('refuses a profile without keys', () => {
    const save = nine()
    const nobody = { ...save, sections: save.sections.filter(({ type }) => type !== SECTION_KEYS) }
    expect(codeOf(() => friendStatuses(nobody, 0))).toBe('TOX_NO_KEYS')
  })
})

describe('a new profile', () => {
  const friend = { publicKey: publicKeyOf(1), name: '', statusMessage: '', lastSeenSec: 0 }
  const REFUSED = [
    ['a friend twice', { friends: [friend, friend] }, 'TOX_FRIEND_TWICE'],
    ['itself as a friend', { friends: [{ ...friend, publicKey: publicKeyOf(9) }] }, 'TOX_FRIEND_OWN_KEY'],
    ['a secret key of 31 bytes', { secretKey: new Uint8Array(31) }, 'TOX_BAD_KEYS'],
    ['a nospam of 3 bytes', { nospam: new Uint8Array(3) }, 'TOX_BAD_KEYS'],
    ['a name of 129 bytes', { name: 'n'.repeat(129) }, 'TOX_NAME_TOO_LONG'],
    ['a status message of 1007 bytes', { statusMessage: 's'.repeat(1007) }, 'TOX_STATUS_TOO_LONG'],
    ['a name with a NUL', { name: 'a\0' }, 'TOX_TEXT_INVALID'],
    [
      "half a character in a friend's status",
      { friends: [{ ...friend, statusMessage: '\uD800' }] },
      'TOX_TEXT_INVALID',
    ],
  ] as const
  test.each(REFUSED)('refuses %s', (_, changes, code) => {
    expect(codeOf(() => nine(changes))).toBe(code)
  })

  test('needs no friends', () => {
    const profile = { name: 'n', statusMessage: '', secretKey: secretKeyOf(3), nospam: new Uint8Array(4), friends: [] }
    expect(readFriends(newSave(profile, engine)).friends).toEqual([])
  })
})
