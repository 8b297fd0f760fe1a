/** Creates a new profile with the sections that libtoxcore needs, for `persona tox new`, the demo and the tests. */
import { concatBytes, equalBytes, formatHex } from '../../core/encoding/bytes.ts'
import type { CryptoEngine } from '../../crypto/engine.ts'
import { encodeToxName } from './edit.ts'
import { ToxError } from './errors.ts'
import { encodeFriend } from './friends.ts'
import { encodeToxText, withStatusMessage } from './status-message.ts'
import {
  SECTION_FRIENDS,
  SECTION_KEYS,
  SECTION_NAME,
  SECTION_USER_STATUS,
  endMark,
  withSection,
  type ToxSave,
} from './savefile.ts'

export interface NewFriend {
  /** 32 bytes */
  readonly publicKey: Uint8Array
  readonly name: string
  readonly statusMessage: string
  /** Unix seconds, 0 for never */
  readonly lastSeenSec: number
}

export interface NewProfile {
  readonly name: string
  readonly statusMessage: string
  /** 32 random bytes */
  readonly secretKey: Uint8Array
  /** 4 random bytes */
  readonly nospam: Uint8Array
  readonly friends: readonly NewFriend[]
}

/**
 * Makes a save that libtoxcore loads. Its friends are confirmed.
 * @throws {ToxError} TOX_BAD_KEYS | TOX_BAD_FRIEND | TOX_FRIEND_TWICE | TOX_FRIEND_OWN_KEY | TOX_NAME_TOO_LONG |
 *   TOX_STATUS_TOO_LONG | TOX_TEXT_INVALID
 */
export function newSave(profile: NewProfile, engine: CryptoEngine): ToxSave {
  const { secretKey, nospam } = profile
  if (secretKey.length !== 32 || nospam.length !== 4) {
    throw new ToxError('TOX_BAD_KEYS', 'a profile needs a secret key of 32 bytes and a nospam of 4')
  }
  const publicKey = engine.boxPublicKey(secretKey)
  const keys = { type: SECTION_KEYS, data: concatBytes(nospam, publicKey, secretKey) }
  const empty: ToxSave = { sections: [keys], tail: endMark() }
  const friends = withSection(empty, SECTION_FRIENDS, encodeFriends(profile.friends, publicKey))
  const named = withSection(friends, SECTION_NAME, encodeToxName(profile.name))
  return withSection(withStatusMessage(named, profile.statusMessage), SECTION_USER_STATUS, Uint8Array.of(0))
}

function encodeFriends(friends: readonly NewFriend[], own: Uint8Array): Uint8Array {
  const seen = new Set<string>()
  const records = friends.map((friend) => {
    const key = formatHex(friend.publicKey)
    // libtoxcore skips such a record silently.
    if (seen.has(key)) throw new ToxError('TOX_FRIEND_TWICE', `friend ${key} is listed twice: list it once`)
    if (equalBytes(friend.publicKey, own))
      throw new ToxError('TOX_FRIEND_OWN_KEY', "the profile's own key is listed as a friend: leave it out")
    seen.add(key)
    const { publicKey, lastSeenSec } = friend
    return encodeFriend({
      publicKey,
      name: encodeToxName(friend.name),
      statusMessage: encodeToxText(friend.statusMessage),
      lastSeenSec,
    })
  })
  return concatBytes(...records)
}
