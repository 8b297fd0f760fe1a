import { describe, expect, test } from 'vitest'
import { encodeUtf8, formatHex, parseHex } from '../../src/core/encoding/bytes.ts'
import { formatToxId } from '../../src/tox/save/address.ts'
import { decodeConferences } from '../../src/tox/save/conferences.ts'
import { withFriend, withName, withNospam, withUserStatus, withWords, withoutFriends } from '../../src/tox/save/edit.ts'
import { decryptSave, encryptSave } from '../../src/tox/save/esave.ts'
import { encodeFriend, encodeFriendRequest, readFriends } from '../../src/tox/save/friends.ts'
import { mergeFriends } from '../../src/tox/save/merge.ts'
import { rekeySave } from '../../src/tox/save/rekey.ts'
import {
  SECTION_CONFERENCES,
  SECTION_KEYS,
  SECTION_USER_STATUS,
  decodeSave,
  encodeSave,
  readKeys,
  readName,
  readStatusMessage,
  sectionData,
  withSection,
  type ToxSave,
} from '../../src/tox/save/savefile.ts'
import {
  conferInLibtoxcore,
  libtoxcoreAbsence,
  loadInLibtoxcore,
  passInLibtoxcore,
  type LibtoxProfile,
} from '../support/libtoxcore.ts'
import { fixturesAbsence, plainFixtures, readFixture } from '../support/tox-fixtures.ts'
import { engine, nine, publicKeyOf, secretKeyOf } from '../support/tox-people.ts'

const absence = libtoxcoreAbsence()
const NOSPAM = Uint8Array.of(0xca, 0xfe, 0, 1)

/** Checks that the library loads the same person with the same friends and would save as much. */
function expectSame(save: ToxSave): LibtoxProfile {
  const loaded = loadInLibtoxcore(encodeSave(save))
  const keys = readKeys(save, engine)
  const friendsOf = (of: ToxSave): unknown[] =>
    readFriends(of).friends.map(({ publicKey, name, statusMessage, lastSeenSec }) => ({
      publicKey: formatHex(publicKey),
      name: formatHex(name.bytes),
      statusMessage: formatHex(statusMessage.bytes),
      lastSeenSec,
    }))
  expect(loaded).toMatchObject({
    error: 0,
    isNull: false,
    publicKey: formatHex(keys.publicKey),
    address: formatToxId(keys),
    name: formatHex(readName(save).bytes),
    statusMessage: formatHex(readStatusMessage(save).bytes),
    friends: friendsOf(save),
  })
  const resaved = decodeSave(parseHex(loaded.resaved)!)
  expect(friendsOf(resaved)).toEqual(friendsOf(save))
  expect(sectionData(resaved, SECTION_KEYS)).toEqual(sectionData(save, SECTION_KEYS))
  expect(sectionData(resaved, SECTION_USER_STATUS)).toEqual(sectionData(save, SECTION_USER_STATUS))
  return loaded
}

function rekeyed(save: ToxSave): ToxSave {
  return rekeySave(save, { secretKey: secretKeyOf(60), nospam: NOSPAM, dropRelays: false }, engine).save
}

describe.skipIf(absence !== null)(
  `libtoxcore as the judge of edits ${absence === null ? '' : `(skipped: ${absence})`}`,
  () => {
    test.skipIf(fixturesAbsence !== null)(
      `loads a second device of every real profile ${fixturesAbsence ?? ''}`,
      () => {
        let ran = 0
        for (const fixture of plainFixtures) {
          const loaded = expectSame(rekeyed(decodeSave(readFixture(fixture))))
          expect(loaded.publicKey).toBe(formatHex(publicKeyOf(60)))
          expect(loaded.friends.at(-1)?.publicKey).toBe(fixture.publicKey)
          ran++
        }
        expect(ran).toBe(10)
      },
    )

    test.each([
      ['name', withName(nine(), 'Зоя ☕')],
      ['words', withWords(nine(), 'in the garden').save],
      ['nospam', withNospam(nine(), NOSPAM)],
      ['away', withUserStatus(nine(), 'away')],
      ['busy', withUserStatus(nine(), 'busy')],
      ['one friend less', withoutFriends(nine(), [publicKeyOf(1)])],
      ['no friend left', withoutFriends(nine(), [publicKeyOf(1), publicKeyOf(2)])],
    ] as const)('loads an edited profile and saves it again: %s', (_, save) => {
      expectSame(save)
    })

    test('treats an added friend as confirmed, and sends a request to a requested one', () => {
      const name = encodeUtf8('Three')
      const record = encodeFriend({ publicKey: publicKeyOf(3), name, statusMessage: new Uint8Array(0), lastSeenSec: 0 })
      expectSame(withFriend(nine(), record))
      const text = encodeUtf8('it is me')
      const request = encodeFriendRequest({ publicKey: publicKeyOf(4), nospam: NOSPAM, text })
      const loaded = expectSame(withFriend(nine(), request))
      const [, , asked] = readFriends(decodeSave(parseHex(loaded.resaved)!)).friends
      expect(asked).toMatchObject({ publicKey: publicKeyOf(4), nospam: NOSPAM, isConfirmed: false })
      expect(asked?.request.text).toBe('it is me')
    })

    test('loads merged friends', () => {
      const other = nine({
        friends: [
          { publicKey: publicKeyOf(2), name: 'Two', statusMessage: 'seen', lastSeenSec: 5 },
          { publicKey: publicKeyOf(3), name: 'Three', statusMessage: '', lastSeenSec: 0 },
        ],
      })
      expect(expectSame(mergeFriends(nine(), [other]).save).friends).toHaveLength(3)
    })

    test('saves a conference that we report, and that a second device leaves out', () => {
      const { resaved } = conferInLibtoxcore(encodeSave(nine()), 'Сад')
      const save = decodeSave(parseHex(resaved)!)
      const [conference] = decodeConferences(sectionData(save, SECTION_CONFERENCES)!)
      expect(conference).toMatchObject({ kind: 'text', peers: [], ownNumber: 0 })
      expect(conference?.title.text).toBe('Сад')
      expect(sectionData(rekeyed(save), SECTION_CONFERENCES)).toBeNull()
      expectSame(rekeyed(save))
    })

    test('loads a profile with an unknown section and would drop it, as we report', () => {
      const { resaved } = expectSame(withSection(nine(), 99, Uint8Array.of(1, 2, 3)))
      expect(sectionData(decodeSave(parseHex(resaved)!), 99)).toBeNull()
    })

    test('opens a second device that we encrypted, and we open one that it encrypted', async () => {
      const plain = encodeSave(rekeyed(nine()))
      expect(passInLibtoxcore('decrypt', await encryptSave(plain, 'пароль', engine), 'пароль')).toEqual(plain)
      const theirs = passInLibtoxcore('encrypt', plain, 'пароль')!
      expect(await decryptSave(theirs, 'пароль', engine)).toEqual(plain)
    })
  },
)
