import { describe, expect, test } from 'vitest'
import { concatBytes, encodeUtf8, formatHex } from '../../src/core/encoding/bytes.ts'
import { MAX_STATUS_BYTES } from '../../src/core/limits.ts'
import { formatToxId } from '../../src/tox/save/address.ts'
import { decryptSave, encryptSave } from '../../src/tox/save/esave.ts'
import { FRIEND_BYTES, readFriends } from '../../src/tox/save/friends.ts'
import { withStatusMessage } from '../../src/tox/save/status-message.ts'
import {
  SECTION_FRIENDS,
  SECTION_KEYS,
  SECTION_STATUS_MESSAGE,
  decodeSave,
  encodeSave,
  readKeys,
  readName,
  sectionData,
  withSection,
  type ToxSave,
} from '../../src/tox/save/savefile.ts'
import { libtoxcoreAbsence, loadInLibtoxcore, passInLibtoxcore, type LibtoxProfile } from '../support/libtoxcore.ts'
import { fixturesAbsence, plainFixtures, readFixture } from '../support/tox-fixtures.ts'
import { codeOf, codeOfAsync, engine, nine, publicKeyOf } from '../support/tox-people.ts'

const absence = libtoxcoreAbsence()
const textHex = (text: string): string => formatHex(encodeUtf8(text))

/** The report that the library must give about a save, according to our own readers. */
function expected(save: ToxSave, statusMessage: string): Omit<LibtoxProfile, 'resaved'> {
  const keys = readKeys(save, engine)
  return {
    error: 0,
    isNull: false,
    publicKey: formatHex(keys.publicKey),
    address: formatToxId(keys),
    name: formatHex(readName(save).bytes),
    statusMessage: textHex(statusMessage),
    friends: readFriends(save).friends.map(({ publicKey, name, statusMessage, lastSeenSec }) => ({
      publicKey: formatHex(publicKey),
      name: formatHex(name.bytes),
      statusMessage: formatHex(statusMessage.bytes),
      lastSeenSec,
    })),
  }
}

/** Replaces the friends by these records. */
function withRecords(...records: Uint8Array[]): ToxSave {
  return withSection(nine(), SECTION_FRIENDS, concatBytes(...records))
}

describe.skipIf(absence !== null)(`libtoxcore as the judge ${absence === null ? '' : `(skipped: ${absence})`}`, () => {
  const TEXTS = ['', 'На зв’язку ☕', 'x'.repeat(MAX_STATUS_BYTES)]

  test.each(TEXTS)('loads a new profile, with the status message %#', (text) => {
    const save = nine({ statusMessage: text })
    expect(loadInLibtoxcore(encodeSave(save))).toMatchObject(expected(save, text))
  })

  test('saves a new profile with the same friends, name and status message', () => {
    const save = nine()
    const { resaved } = loadInLibtoxcore(encodeSave(save))
    const again = decodeSave(Buffer.from(resaved, 'hex'))
    let ran = 0
    for (const { type, data } of save.sections) {
      expect(formatHex(sectionData(again, type)!), `section ${type}`).toBe(formatHex(data))
      ran++
    }
    expect(ran).toBe(5)
  })

  test.skipIf(fixturesAbsence !== null)(`loads every real profile after publishing ${fixturesAbsence ?? ''}`, () => {
    let ran = 0
    for (const fixture of plainFixtures) {
      const text = `${fixture.file} ☕ ${'x'.repeat(800)}`
      const save = withStatusMessage(decodeSave(readFixture(fixture)), text)
      const loaded = loadInLibtoxcore(encodeSave(save))
      expect(loaded).toMatchObject(expected(save, text))
      expect([loaded.publicKey, loaded.friends.length]).toEqual([
        fixture.publicKey,
        fixture.friends?.length ?? fixture.friendCount,
      ])
      ran++
    }
    expect(ran).toBe(10)
  })

  test('decrypts what we encrypted, and encrypts what we can decrypt', async () => {
    const plain = encodeSave(nine())
    let ran = 0
    for (const passphrase of ['correct horse', 'пароль ☕']) {
      const ours = await encryptSave(plain, passphrase, engine)
      expect(passInLibtoxcore('decrypt', ours, passphrase)).toEqual(plain)
      expect(passInLibtoxcore('decrypt', ours, 'wrong')).toBeNull()
      const theirs = passInLibtoxcore('encrypt', plain, passphrase)!
      expect(await decryptSave(theirs, passphrase, engine)).toEqual(plain)
      expect(await codeOfAsync(decryptSave(theirs, 'wrong', engine))).toBe('TOX_WRONG_PASSPHRASE')
      ran++
    }
    expect(ran).toBe(2)
    expect(loadInLibtoxcore(await encryptSave(plain, 'x', engine))).toMatchObject({ error: 8, isNull: true })
  })

  test('skips exactly the friends that we report', () => {
    const records = sectionData(nine(), SECTION_FRIENDS)!
    const one = records.subarray(0, FRIEND_BYTES)
    const keyed = (publicKey: Uint8Array): Uint8Array => concatBytes(one.subarray(0, 1), publicKey, one.subarray(33))
    const topBit = publicKeyOf(4).map((byte, i) => (i === 31 ? byte | 128 : byte))
    const save = withRecords(records, one, keyed(publicKeyOf(9)), keyed(topBit), keyed(publicKeyOf(5)))
    expect(readFriends(save).problems.map(({ problem }) => problem)).toEqual([
      'DUPLICATE_KEY',
      'OWN_KEY',
      'INVALID_KEY',
    ])
    const loaded = loadInLibtoxcore(encodeSave(save))
    expect(loaded).toMatchObject(expected(save, 'at home'))
    expect(loaded.friends).toHaveLength(3)
  })

  test('reads friends with overlong fields and odd states as we do', () => {
    const records = sectionData(nine(), SECTION_FRIENDS)!.slice()
    const view = new DataView(records.buffer)
    view.setUint16(1188, 129)
    view.setUint16(2198, 1008)
    view.setUint8(FRIEND_BYTES, 7)
    const save = withRecords(records)
    expect(readFriends(save).friends.map(({ name }) => name.text)).toEqual(['', 'Two'])
    expect(loadInLibtoxcore(encodeSave(save))).toMatchObject(expected(save, 'at home'))
  })

  test('reads the last of two status messages, so we refuse such a profile', () => {
    const save = nine()
    const twice = { ...save, sections: [...save.sections, { type: SECTION_STATUS_MESSAGE, data: encodeUtf8('last') }] }
    expect(loadInLibtoxcore(encodeSave(twice)).statusMessage).toBe(textHex('last'))
    expect(codeOf(() => decodeSave(encodeSave(twice)))).toBe('TOX_DUPLICATE_SECTION')
  })

  test('loses all friends if the keys do not match, so we refuse such a profile', () => {
    const keys = sectionData(nine(), SECTION_KEYS)!.slice()
    keys[40]! ^= 8
    const save = withSection(nine(), SECTION_KEYS, keys)
    expect(loadInLibtoxcore(encodeSave(save))).toMatchObject({ error: 9, isNull: false, friends: [] })
    expect(codeOf(() => readKeys(save, engine))).toBe('TOX_BAD_KEYS')
  })
})
