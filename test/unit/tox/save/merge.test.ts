import { describe, expect, test } from 'vitest'
import { concatBytes, encodeUtf8 } from '../../../../src/core/encoding/bytes.ts'
import { splitRecords } from '../../../../src/tox/save/edit.ts'
import { encodeFriend, encodeFriendRequest, readFriends } from '../../../../src/tox/save/friends.ts'
import { mergeFriends, type MergedFriend } from '../../../../src/tox/save/merge.ts'
import { SECTION_FRIENDS, encodeSave, withSection, type ToxSave } from '../../../../src/tox/save/savefile.ts'
import { codeOf, nine, publicKeyOf, secretKeyOf } from '../../../support/tox-people.ts'

const seen = (person: number, name: string, lastSeenSec: number): Uint8Array =>
  encodeFriend({
    publicKey: publicKeyOf(person),
    name: encodeUtf8(name),
    statusMessage: encodeUtf8(`${name}!`),
    lastSeenSec,
  })
const asked = (person: number, text = 'hi'): Uint8Array =>
  encodeFriendRequest({ publicKey: publicKeyOf(person), nospam: new Uint8Array(4), text: encodeUtf8(text) })
const knowing = (...records: Uint8Array[]): ToxSave => withSection(nine(), SECTION_FRIENDS, concatBytes(...records))
const why = (changes: readonly MergedFriend[]): [string, string, number][] =>
  changes.map(({ name, why: reason, from }) => [name, reason, from])

describe('merged friends', () => {
  test('are the union by key: old ones keep their place, new ones follow', () => {
    const { save, changes } = mergeFriends(knowing(seen(1, 'a', 5), seen(2, 'b', 5)), [
      knowing(seen(3, 'c', 1), seen(1, 'a', 5)),
      knowing(seen(4, 'd', 1)),
    ])
    expect(readFriends(save).friends.map(({ name }) => name.text)).toEqual(['a', 'b', 'c', 'd'])
    expect(why(changes)).toEqual([
      ['c', 'added', 0],
      ['d', 'added', 1],
    ])
  })

  test('have the record of the profile that saw them last', () => {
    const { save, changes } = mergeFriends(knowing(seen(1, 'old', 5), seen(2, 'same', 9)), [
      knowing(seen(1, 'newer', 6), seen(2, 'older', 8)),
      knowing(seen(1, 'newest', 7), seen(2, 'tie', 9)),
    ])
    expect(splitRecords(save)).toEqual([seen(1, 'newest', 7), seen(2, 'same', 9)])
    expect(why(changes)).toEqual([['newest', 'newer', 1]])
  })

  test('are confirmed if they accepted one device, even if another sent a request later', () => {
    const { save, changes } = mergeFriends(knowing(asked(1), seen(2, 'b', 0)), [knowing(seen(1, 'a', 0), asked(2))])
    expect(splitRecords(save)).toEqual([seen(1, 'a', 0), seen(2, 'b', 0)])
    expect(why(changes)).toEqual([['a', 'accepted', 0]])
    expect(mergeFriends(knowing(asked(1, 'mine')), [knowing(asked(1, 'theirs'))]).changes).toEqual([])
  })

  test('list a new friend of two other profiles once, with its source', () => {
    const { changes } = mergeFriends(knowing(), [knowing(seen(1, 'a', 1)), knowing(seen(1, 'A', 2))])
    expect(why(changes)).toEqual([['A', 'added', 1]])
  })

  test('leave out the profile itself, which is a friend on the second device', () => {
    const phone = nine({ secretKey: secretKeyOf(10) })
    const knowsNine = withSection(phone, SECTION_FRIENDS, concatBytes(seen(9, 'laptop', 1), seen(1, 'a', 1)))
    expect(splitRecords(mergeFriends(knowing(), [knowsNine]).save)).toEqual([seen(1, 'a', 1)])
  })

  test('never include the profile itself or records that clients skip', () => {
    const odd = knowing(seen(9, 'me', 1), seen(1, 'a', 1), seen(1, 'twice', 9))
    expect(splitRecords(mergeFriends(knowing(), [odd]).save)).toEqual([seen(1, 'a', 1)])
  })

  test('return the very same profile when there is nothing new', () => {
    const save = nine()
    expect(mergeFriends(save, [nine(), knowing()]).save).toBe(save)
    expect(encodeSave(mergeFriends(knowing(), [knowing()]).save)).toEqual(encodeSave(knowing()))
  })

  test('are refused when a list ends within a record', () => {
    expect(codeOf(() => mergeFriends(nine(), [knowing(new Uint8Array(100))]))).toBe('TOX_FRIENDS_NOT_WHOLE')
  })
})
