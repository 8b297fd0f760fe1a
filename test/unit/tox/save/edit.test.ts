import { describe, expect, test } from 'vitest'
import { escapeText } from '../../../../src/cli/io/escape.ts'
import { concatBytes, encodeUtf8, formatHex } from '../../../../src/core/encoding/bytes.ts'
import { MAX_STATUS_BYTES } from '../../../../src/core/limits.ts'
import { formatToken } from '../../../../src/core/token.ts'
import {
  findFriend,
  splitRecords,
  withFriend,
  withName,
  withNospam,
  withUserStatus,
  withWords,
  withoutFriends,
  withoutToken,
} from '../../../../src/tox/save/edit.ts'
import { encodeFriend, encodeFriendRequest, readFriends } from '../../../../src/tox/save/friends.ts'
import {
  SECTION_FRIENDS,
  SECTION_NAME,
  SECTION_STATUS_MESSAGE,
  decodeSave,
  encodeSave,
  readKeys,
  readName,
  readStatusMessage,
  sectionData,
  withSection,
  type ToxSave,
} from '../../../../src/tox/save/savefile.ts'
import { codeOf, engine, nine, publicKeyOf } from '../../../support/tox-people.ts'

const TOKEN = formatToken(new Uint8Array(200).fill(1))
const friend = (person: number, name = ''): Uint8Array =>
  encodeFriend({
    publicKey: publicKeyOf(person),
    name: encodeUtf8(name),
    statusMessage: new Uint8Array(0),
    lastSeenSec: 0,
  })
const keysOf = (save: ToxSave): string[] => readFriends(save).friends.map(({ publicKey }) => formatHex(publicKey))
const statusOf = (save: ToxSave): string => readStatusMessage(save).text

/** Types of the sections that differ. */
function changedSections(before: ToxSave, after: ToxSave): number[] {
  return after.sections
    .filter(({ type, data }) => formatHex(sectionData(before, type) ?? Uint8Array.of(1)) !== formatHex(data))
    .map(({ type }) => type)
}

describe('an edit changes one thing', () => {
  test.each([
    ['name', withName(nine(), 'Zoë'), [4]],
    ['away', withUserStatus(nine(), 'busy'), [6]],
    ['nospam', withNospam(nine(), Uint8Array.of(9, 9, 9, 9)), [1]],
    ['status', withWords(nine(), 'out').save, [5]],
    ['friends', withFriend(nine(), friend(3)), [3]],
  ] as const)('%s', (_, after, types) => {
    expect(changedSections(nine(), decodeSave(encodeSave(after)))).toEqual(types)
    expect(after.sections).toHaveLength(nine().sections.length)
  })

  test('the nospam changes the Tox ID and not the keys', () => {
    const keys = readKeys(withNospam(nine(), Uint8Array.of(9, 9, 9, 9)), engine)
    expect(keys).toMatchObject({ nospam: Uint8Array.of(9, 9, 9, 9), publicKey: publicKeyOf(9) })
    expect(codeOf(() => withNospam(nine(), new Uint8Array(5)))).toBe('TOX_BAD_KEYS')
  })

  test.each([
    ['n'.repeat(128), 'none'],
    ['n'.repeat(129), 'TOX_NAME_TOO_LONG'],
    ['ж'.repeat(65), 'TOX_NAME_TOO_LONG'],
    ['a\0b', 'TOX_TEXT_INVALID'],
  ])('a name is at most 128 bytes of text: case %#', (name, code) => {
    expect(codeOf(() => expect(readName(withName(nine(), name)).text).toBe(name))).toBe(code)
  })

  test('a profile without keys is never edited', () => {
    const save: ToxSave = { sections: [], tail: new Uint8Array(0) }
    const edits = [
      () => withName(save, 'x'),
      () => withUserStatus(save, 'away'),
      () => withNospam(save, new Uint8Array(4)),
      () => withWords(save, 'x'),
      () => withFriend(save, friend(1)),
      () => withoutFriends(save, []),
    ]
    for (const edit of edits) expect(codeOf(edit)).toBe('TOX_NO_KEYS')
    expect(edits).toHaveLength(6)
  })
})

describe('own words', () => {
  test('are replaced, and the token stays after them', () => {
    const shown = nine({ statusMessage: `old ${TOKEN}` })
    expect(withWords(shown, 'new words')).toMatchObject({ tokenKept: true })
    expect(statusOf(withWords(shown, 'new words').save)).toBe(`new words ${TOKEN}`)
    expect(statusOf(withWords(shown, '').save)).toBe(TOKEN)
    expect(statusOf(withWords(nine(), 'new').save)).toBe('new')
  })

  test('that contain a token replace the old token', () => {
    const other = formatToken(new Uint8Array(200).fill(2))
    const { save, tokenKept } = withWords(nine({ statusMessage: `old ${TOKEN}` }), `new ${other}`)
    expect([statusOf(save), tokenKept]).toEqual([`new ${other}`, false])
  })

  test('are refused when they do not fit beside the token, with the number of bytes over', () => {
    const shown = nine({ statusMessage: `old ${TOKEN}` })
    const room = MAX_STATUS_BYTES - TOKEN.length - 1
    expect(codeOf(() => withWords(shown, 'x'.repeat(room)))).toBe('none')
    expect(() => withWords(shown, 'x'.repeat(room + 1))).toThrow(/1 too many/)
  })

  test('remain when the token is removed, and a status message without a token stays unchanged', () => {
    expect(statusOf(withoutToken(nine({ statusMessage: `a  b ${TOKEN}` })))).toBe('a  b')
    expect(statusOf(withoutToken(nine({ statusMessage: TOKEN })))).toBe('')
    const odd = withSection(nine(), SECTION_STATUS_MESSAGE, Uint8Array.of(32, 255, 32))
    expect(withoutToken(odd)).toBe(odd)
    const broken = withSection(
      nine(),
      SECTION_STATUS_MESSAGE,
      concatBytes(new Uint8Array(400).fill(255), encodeUtf8(` ${TOKEN}`)),
    )
    expect(statusOf(withoutToken(broken))).toBe('')
  })
})

describe('friends', () => {
  test("are added once, at the end, and never with the profile's own key", () => {
    const more = withFriend(nine(), friend(3))
    expect(keysOf(more)).toEqual([1, 2, 3].map((person) => formatHex(publicKeyOf(person))))
    expect(codeOf(() => withFriend(more, friend(3)))).toBe('TOX_FRIEND_TWICE')
    expect(codeOf(() => withFriend(more, friend(9)))).toBe('TOX_FRIEND_OWN_KEY')
  })

  test('are added to a profile that has no list', () => {
    const none: ToxSave = { ...nine(), sections: nine().sections.filter(({ type }) => type !== SECTION_FRIENDS) }
    const more = withFriend(none, friend(3))
    expect(more.sections.map(({ type }) => type)).toEqual([1, 3, 4, 5, 6])
  })

  test('are removed by key with their duplicates, while others stay byte for byte', () => {
    const twice = withSection(nine(), SECTION_FRIENDS, concatBytes(...splitRecords(nine()), friend(1, 'again')))
    const less = withoutFriends(twice, [publicKeyOf(1)])
    expect(splitRecords(less)).toEqual([splitRecords(nine())[1]])
  })

  test('are found by key or by a unique name', () => {
    const save = withFriend(withFriend(nine(), friend(3, 'Two')), friend(4, 'Four'))
    expect(findFriend(save, 'Four', null, escapeText).publicKey).toEqual(publicKeyOf(4))
    expect(findFriend(save, '', publicKeyOf(3), escapeText).index).toBe(2)
    expect(codeOf(() => findFriend(save, 'Two', null, escapeText))).toBe('TOX_FRIEND_AMBIGUOUS')
    expect(codeOf(() => findFriend(save, 'Five', null, escapeText))).toBe('TOX_FRIEND_UNKNOWN')
    expect(codeOf(() => findFriend(save, 'Four', publicKeyOf(5), escapeText))).toBe('TOX_FRIEND_UNKNOWN')
    const odd = withFriend(withFriend(nine(), friend(3, 'Bob\0')), friend(4, 'Ann\u200B'))
    for (const typed of ['Bob', 'Bob\\u{0}', 'Bob\0'])
      expect(findFriend(odd, typed, null, escapeText).publicKey).toEqual(publicKeyOf(3))
    expect(findFriend(odd, 'Ann\\u{200B}', null, escapeText).publicKey).toEqual(publicKeyOf(4))
    const both = withFriend(odd, friend(5, 'Bob'))
    expect(findFriend(both, 'Bob', null, escapeText).publicKey).toEqual(publicKeyOf(5))
    expect(codeOf(() => findFriend(withFriend(odd, friend(5, 'Bob\0x')), 'Bob', null, escapeText))).toBe(
      'TOX_FRIEND_AMBIGUOUS',
    )
  })

  test('are not touched when the list ends within a record', () => {
    const cut = withSection(nine(), SECTION_FRIENDS, splitRecords(nine())[0]!.subarray(0, 2215))
    expect(codeOf(() => withFriend(cut, friend(3)))).toBe('TOX_FRIENDS_NOT_WHOLE')
    expect(codeOf(() => withoutFriends(cut, []))).toBe('TOX_FRIENDS_NOT_WHOLE')
  })

  test.each([
    [0, 'TOX_REQUEST_INVALID'],
    [1, 'none'],
    [1016, 'none'],
    [1017, 'TOX_REQUEST_INVALID'],
  ])('receive a request of %i bytes: %s', (length, code) => {
    const nospam = Uint8Array.of(1, 2, 3, 4)
    const request = { publicKey: publicKeyOf(3), nospam, text: new Uint8Array(length).fill(97) }
    expect(
      codeOf(() => {
        const asked = readFriends(withFriend(nine(), encodeFriendRequest(request))).friends[2]!
        expect(asked).toMatchObject({ status: 1, isConfirmed: false, nospam, publicKey: publicKeyOf(3) })
        expect(asked.request.bytes).toHaveLength(length)
      }),
    ).toBe(code)
  })
})

test('the name of a profile may be absent', () => {
  const unnamed: ToxSave = { ...nine(), sections: nine().sections.filter(({ type }) => type !== SECTION_NAME) }
  expect(withName(unnamed, 'x').sections.map(({ type }) => type)).toEqual([1, 3, 4, 5, 6])
})
