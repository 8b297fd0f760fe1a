/** Edits one part of a profile; every other byte stays the same. */
import { concatBytes, encodeUtf8, equalBytes, formatHex } from '../../core/encoding/bytes.ts'
import { MAX_STATUS_BYTES } from '../../core/limits.ts'
import { ownWords } from '../../core/token.ts'
import { ToxError } from './errors.ts'
import { FRIEND_BYTES, checkLength, readFriends, type ToxFriend } from './friends.ts'
import { encodeToxText, withStatusMessage } from './status-message.ts'
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

/** Indexed by their number in the file (toxcore: TOX_USER_STATUS_NONE, _AWAY, _BUSY). */
export const USER_STATUSES = ['none', 'away', 'busy'] as const
export type UserStatus = (typeof USER_STATUSES)[number]

/**
 * Encodes a name for a profile as UTF-8.
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
 * Gives the same person a new Tox ID. Holders of the old ID can no longer send a friend request; friends notice
 * nothing.
 * @param nospam 4 bytes
 * @throws {ToxError} TOX_NO_KEYS | TOX_BAD_KEYS
 */
export function withNospam(save: ToxSave, nospam: Uint8Array): ToxSave {
  readPublicKey(save)
  if (nospam.length !== 4) throw new ToxError('TOX_BAD_KEYS', 'a nospam must be 8 hex digits (4 bytes)')
  return withSection(save, SECTION_KEYS, concatBytes(nospam, sectionData(save, SECTION_KEYS)!.subarray(4)))
}

/**
 * Replaces the words in the status message. An existing token stays, because the user is not editing the table. A
 * token among the new words replaces it.
 * @throws {ToxError} TOX_STATUS_TOO_LONG with the number of bytes over | TOX_TEXT_INVALID | TOX_NO_KEYS |
 *   TOX_BAD_KEYS
 */
export function withWords(save: ToxSave, words: string): { save: ToxSave; tokenKept: boolean } {
  const present = readStatusMessage(save).text
  const token = tokenPart(present)
  if (token === '' || tokenPart(words) !== '') return { save: withStatusMessage(save, words), tokenKept: false }
  const own = ownWords(words)
  return { save: withStatusMessage(save, own === '' ? token : `${own} ${token}`), tokenKept: true }
}

/** The tokens of a text, unchanged and including damaged ones: whatever ownWords() leaves out. */
function tokenPart(text: string): string {
  return text
    .split(/[\t\n\v\f\r ]/)
    .filter((word) => word !== '' && ownWords(word) === '')
    .join(' ')
}

/**
 * Removes the token and keeps the user's own words. Drops the words as well if they no longer fit once invalid UTF-8
 * is replaced.
 * @throws {ToxError} TOX_NO_KEYS | TOX_BAD_KEYS
 */
export function withoutToken(save: ToxSave): ToxSave {
  const { text } = readStatusMessage(save)
  if (tokenPart(text) === '') return save
  const words = ownWords(text).replaceAll('\0', '')
  return withStatusMessage(save, encodeUtf8(words).length > MAX_STATUS_BYTES ? '' : words)
}

/** Removes the sections of these types. */
export function withoutSections(save: ToxSave, types: ReadonlySet<number>): ToxSave {
  return { sections: save.sections.filter(({ type }) => !types.has(type)), tail: save.tail }
}

/**
 * Appends one friend record.
 * @param record FRIEND_BYTES bytes, see encodeFriend and encodeFriendRequest
 * @throws {ToxError} TOX_FRIEND_TWICE | TOX_FRIEND_OWN_KEY | TOX_FRIENDS_NOT_WHOLE | TOX_NO_KEYS | TOX_BAD_KEYS
 */
export function withFriend(save: ToxSave, record: Uint8Array): ToxSave {
  const key = record.subarray(1, 33)
  if (equalBytes(key, readPublicKey(save))) {
    throw new ToxError('TOX_FRIEND_OWN_KEY', "this is the profile's own key: give the key of a friend")
  }
  const present = readFriends(save).friends.find(({ publicKey }) => equalBytes(publicKey, key))
  if (present !== undefined) {
    throw new ToxError('TOX_FRIEND_TWICE', `${formatHex(key)} is already a friend: to add it again, remove it first`)
  }
  return withSection(save, SECTION_FRIENDS, concatBytes(recordsOf(save), record))
}

/**
 * Removes all records with these keys, including records that clients skip.
 * @throws {ToxError} TOX_FRIENDS_NOT_WHOLE | TOX_NO_KEYS | TOX_BAD_KEYS
 */
export function withoutFriends(save: ToxSave, keys: readonly Uint8Array[]): ToxSave {
  readFriends(save)
  const gone = new Set(keys.map(formatHex))
  const kept = splitRecords(save).filter((record) => !gone.has(formatHex(record.subarray(1, 33))))
  return withSection(save, SECTION_FRIENDS, concatBytes(...kept))
}

/**
 * Finds one friend by key, or by a name that only one friend has. A name that cannot be typed, because it holds a NUL or
 * another invisible character, is found as it is shown, and also by the part before the NUL, at which clients cut.
 * @param key 32 bytes, or null to search by name
 * @param showText writes a name as people see it here
 * @throws {ToxError} TOX_FRIEND_UNKNOWN | TOX_FRIEND_AMBIGUOUS | TOX_FRIENDS_NOT_WHOLE | TOX_NO_KEYS | TOX_BAD_KEYS
 */
export function findFriend(
  save: ToxSave,
  name: string,
  key: Uint8Array | null,
  showText: (text: string) => string,
): ToxFriend {
  const { friends } = readFriends(save)
  const exact = friends.filter(({ publicKey, name: { text } }) =>
    key === null ? text === name : equalBytes(publicKey, key),
  )
  const matches =
    exact.length > 0 || key !== null ? exact : friends.filter(({ name: { text } }) => isCalled(text, name, showText))
  const [first] = matches
  if (first === undefined)
    throw new ToxError('TOX_FRIEND_UNKNOWN', `no friend is called "${name}": give the exact name, or the key`)
  if (matches.length === 1) return first
  const keys = matches.map(({ publicKey }) => formatHex(publicKey)).join(', ')
  throw new ToxError(
    'TOX_FRIEND_AMBIGUOUS',
    `${matches.length} friends are called "${name}": give one of the keys ${keys}`,
  )
}

function isCalled(text: string, typed: string, showText: (text: string) => string): boolean {
  const [beforeNul] = text.split('\0')
  return typed !== '' && (showText(text) === typed || (text.includes('\0') && beforeNul === typed))
}

/** The raw records, FRIEND_BYTES bytes each. Call readFriends() first: it refuses an incomplete record. */
export function splitRecords(save: ToxSave): Uint8Array[] {
  const data = recordsOf(save)
  return Array.from({ length: Math.floor(data.length / FRIEND_BYTES) }, (_, i) =>
    data.subarray(i * FRIEND_BYTES, (i + 1) * FRIEND_BYTES),
  )
}

function recordsOf(save: ToxSave): Uint8Array {
  return sectionData(save, SECTION_FRIENDS) ?? new Uint8Array(0)
}
