/** Changes of one thing in a profile; every other byte of it stays as it is. */
import { concatBytes, encodeUtf8, equalBytes, formatHex } from '../../core/encoding/bytes.ts'
import { MAX_STATUS_BYTES } from '../../core/limits.ts'
import { ownWords } from '../../core/token.ts'
import { ToxError } from './errors.ts'
import { FRIEND_BYTES, checkLength, readFriends, type ToxFriend } from './friends.ts'
import { encodeToxText, withStatusMessage } from './publish.ts'
import {
  MAX_TOX_NAME_BYTES,
  SECTION_FRIENDS,
  SECTION_KEYS,
  SECTION_NAME,
  SECTION_USER_STATUS,
  readPublicKey,
  readStatusMessage,
  sectionData,
  withSection,
  type ToxSave,
} from './savefile.ts'

/** toxcore: TOX_USER_STATUS_NONE, _AWAY, _BUSY, by their numbers in the file. */
export const USER_STATUSES = ['none', 'away', 'busy'] as const
export type UserStatus = (typeof USER_STATUSES)[number]

/**
 * UTF-8 of a name that goes into a profile.
 * @throws {ToxError} TOX_NAME_TOO_LONG | TOX_TEXT_INVALID
 */
export function encodeToxName(name: string): Uint8Array {
  const bytes = encodeToxText(name)
  checkLength('TOX_NAME_TOO_LONG', 'name', bytes, MAX_TOX_NAME_BYTES)
  return bytes
}

/** @throws {ToxError} TOX_NAME_TOO_LONG | TOX_TEXT_INVALID | TOX_NO_KEYS | TOX_BAD_KEYS */
export function withName(save: ToxSave, name: string): ToxSave {
  readPublicKey(save)
  return withSection(save, SECTION_NAME, encodeToxName(name))
}

/** @throws {ToxError} TOX_NO_KEYS | TOX_BAD_KEYS */
export function withUserStatus(save: ToxSave, status: UserStatus): ToxSave {
  readPublicKey(save)
  return withSection(save, SECTION_USER_STATUS, Uint8Array.of(USER_STATUSES.indexOf(status)))
}

/**
 * The same person under a new Tox ID: who has the old one can no longer send a friend request, friends notice nothing.
 * @param nospam 4 bytes
 * @throws {ToxError} TOX_NO_KEYS | TOX_BAD_KEYS
 */
export function withNospam(save: ToxSave, nospam: Uint8Array): ToxSave {
  readPublicKey(save)
  if (nospam.length !== 4) throw new ToxError('TOX_BAD_KEYS', 'a nospam has 4 bytes: give 8 hex digits')
  return withSection(save, SECTION_KEYS, concatBytes(nospam, sectionData(save, SECTION_KEYS)!.subarray(4)))
}

/**
 * Other words in the status message. A token that stands there stays, since the table is not what the user is typing about; a token
 * among the new words takes its place.
 * @throws {ToxError} TOX_STATUS_TOO_LONG with the bytes over | TOX_TEXT_INVALID | TOX_NO_KEYS | TOX_BAD_KEYS
 */
export function withWords(save: ToxSave, words: string): { save: ToxSave; tokenKept: boolean } {
  const present = readStatusMessage(save).text
  const token = tokenPart(present)
  if (token === '' || tokenPart(words) !== '') return { save: withStatusMessage(save, words), tokenKept: false }
  const own = ownWords(words)
  return { save: withStatusMessage(save, own === '' ? token : `${own} ${token}`), tokenKept: true }
}

/** The tokens of a text, as they stand, damaged ones too: what ownWords() leaves out. */
function tokenPart(text: string): string {
  return text
    .split(/[\t\n\v\f\r ]/)
    .filter((word) => word !== '' && ownWords(word) === '')
    .join(' ')
}

/** The own words alone, where there is a token; words that would not fit with what is not UTF-8 in them replaced are given up. */
export function withoutToken(save: ToxSave): ToxSave {
  const { text } = readStatusMessage(save)
  if (tokenPart(text) === '') return save
  const words = ownWords(text).replaceAll('\0', '')
  return withStatusMessage(save, encodeUtf8(words).length > MAX_STATUS_BYTES ? '' : words)
}

/** The same save without these sections. */
export function withoutSections(save: ToxSave, types: ReadonlySet<number>): ToxSave {
  return { sections: save.sections.filter(({ type }) => !types.has(type)), tail: save.tail }
}

/**
 * One record more, at the end.
 * @param record FRIEND_BYTES bytes, see encodeFriend and encodeFriendRequest
 * @throws {ToxError} TOX_FRIEND_TWICE | TOX_FRIEND_OWN_KEY | TOX_FRIENDS_NOT_WHOLE | TOX_NO_KEYS | TOX_BAD_KEYS
 */
export function withFriend(save: ToxSave, record: Uint8Array): ToxSave {
  const key = record.subarray(1, 33)
  if (equalBytes(key, readPublicKey(save))) {
    throw new ToxError('TOX_FRIEND_OWN_KEY', 'this is the key of the profile itself: give that of somebody else')
  }
  const present = readFriends(save).friends.find(({ publicKey }) => equalBytes(publicKey, key))
  if (present !== undefined) {
    throw new ToxError('TOX_FRIEND_TWICE', `${formatHex(key)} is a friend already: remove it first to add it anew`)
  }
  return withSection(save, SECTION_FRIENDS, concatBytes(recordsOf(save), record))
}

/**
 * Without all records of these keys, also those that clients skip.
 * @throws {ToxError} TOX_FRIENDS_NOT_WHOLE | TOX_NO_KEYS | TOX_BAD_KEYS
 */
export function withoutFriends(save: ToxSave, keys: readonly Uint8Array[]): ToxSave {
  readFriends(save)
  const gone = new Set(keys.map(formatHex))
  const kept = splitRecords(save).filter((record) => !gone.has(formatHex(record.subarray(1, 33))))
  return withSection(save, SECTION_FRIENDS, concatBytes(...kept))
}

/**
 * The friend that is meant: by key, or by a name that only one of them has.
 * @param key 32 bytes, or null when it is no key
 * @throws {ToxError} TOX_FRIEND_UNKNOWN | TOX_FRIEND_AMBIGUOUS | TOX_FRIENDS_NOT_WHOLE | TOX_NO_KEYS | TOX_BAD_KEYS
 */
export function findFriend(save: ToxSave, name: string, key: Uint8Array | null): ToxFriend {
  const matches = readFriends(save).friends.filter((friend) =>
    key === null ? friend.name.text === name : equalBytes(friend.publicKey, key),
  )
  const [first] = matches
  if (first === undefined)
    throw new ToxError('TOX_FRIEND_UNKNOWN', `no friend is called "${name}": give the name as it stands, or the key`)
  if (matches.length === 1) return first
  const keys = matches.map(({ publicKey }) => formatHex(publicKey)).join(', ')
  throw new ToxError('TOX_FRIEND_AMBIGUOUS', `${matches.length} friends are called "${name}": give one key of ${keys}`)
}

/** The records as they stand, each FRIEND_BYTES bytes; call readFriends() first, which refuses a part of one. */
export function splitRecords(save: ToxSave): Uint8Array[] {
  const data = recordsOf(save)
  return Array.from({ length: Math.floor(data.length / FRIEND_BYTES) }, (_, i) =>
    data.subarray(i * FRIEND_BYTES, (i + 1) * FRIEND_BYTES),
  )
}

function recordsOf(save: ToxSave): Uint8Array {
  return sectionData(save, SECTION_FRIENDS) ?? new Uint8Array(0)
}
