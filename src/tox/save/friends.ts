/**
 * Friend records: 2216 bytes each. Unlike the rest of the file, their numbers are big-endian (c-toxcore Messenger.c,
 * struct Saved_Friend).
 */
import { equalBytes, formatHex } from '../../core/encoding/bytes.ts'
import { ToxError } from './errors.ts'
import {
  MAX_TOX_NAME_BYTES,
  MAX_TOX_STATUS_BYTES,
  SECTION_FRIENDS,
  readPublicKey,
  sectionData,
  toxText,
  type ToxSave,
  type ToxText,
} from './savefile.ts'

export const FRIEND_BYTES = 2216 // toxcore: the packed size of Saved_Friend
export const MAX_REQUEST_BYTES = 1016 // toxcore: MAX_FRIEND_REQUEST_DATA_SIZE

const STATUS = 0
const PUBLIC_KEY = 1
const REQUEST = 33
const REQUEST_LENGTH = 1058
const NAME = 1060
const NAME_LENGTH = 1188
const STATUS_MESSAGE = 1190
const STATUS_MESSAGE_LENGTH = 2198
const USER_STATUS = 2200
const NOSPAM = 2204
const LAST_SEEN = 2208
const ADDED = 1 // toxcore: FRIEND_ADDED, a request that the client sends when it starts; 2 means already sent
const CONFIRMED = 3 // toxcore: FRIEND_CONFIRMED

export interface ToxFriend {
  /** Place in the FRIENDS section, from 0 */
  readonly index: number
  /** 32 bytes, X25519 */
  readonly publicKey: Uint8Array
  /** 1 added, 2 requested, 3 confirmed, 4 online (saved as 3); other values unchanged */
  readonly status: number
  /** False while we have only sent a request: such a friend has shown neither name nor status message */
  readonly isConfirmed: boolean
  readonly name: ToxText
  readonly statusMessage: ToxText
  /** 0 none, 1 away, 2 busy; other values unchanged */
  readonly userStatus: number
  /** Unix seconds, 0 for never; Number.MAX_SAFE_INTEGER if the value does not fit exactly */
  readonly lastSeenSec: number
  /** The text of our friend request; empty once confirmed */
  readonly request: ToxText
  /** 4 bytes, zeros once confirmed: the file keeps only a friend's key, not the Tox ID */
  readonly nospam: Uint8Array
  /** Whether one of its texts claims to be longer than its field; that text reads as empty */
  readonly hasOverlongText: boolean
}

/** A record that libtoxcore skips silently when it loads a profile, and drops at the next save. */
export interface FriendProblem {
  readonly index: number
  /** 32 bytes */
  readonly publicKey: Uint8Array
  readonly problem: 'OWN_KEY' | 'DUPLICATE_KEY' | 'INVALID_KEY'
}

export interface FriendList {
  readonly friends: readonly ToxFriend[]
  readonly problems: readonly FriendProblem[]
}

/**
 * Decodes one record. Any content is a friend: a text with a length over its field reads as empty, as in libtoxcore.
 * @param bytes FRIEND_BYTES bytes; not copied
 * @returns null for a record that is marked empty
 */
export function decodeFriend(bytes: Uint8Array, index: number): ToxFriend | null {
  if (bytes[STATUS] === 0) return null
  const view = new DataView(bytes.buffer, bytes.byteOffset, FRIEND_BYTES)
  const isConfirmed = view.getUint8(STATUS) >= CONFIRMED
  let hasOverlongText = false
  const text = (present: boolean, at: number, lengthAt: number, maxBytes: number): ToxText => {
    const length = view.getUint16(lengthAt)
    if (present && length > maxBytes) hasOverlongText = true
    return present && length > 0 && length <= maxBytes ? toxText(bytes.subarray(at, at + length)) : EMPTY_TEXT
  }
  const lastSeen = view.getBigUint64(LAST_SEEN)
  const friend = {
    index,
    publicKey: bytes.subarray(PUBLIC_KEY, REQUEST),
    status: view.getUint8(STATUS),
    isConfirmed,
    name: text(isConfirmed, NAME, NAME_LENGTH, MAX_TOX_NAME_BYTES),
    statusMessage: text(isConfirmed, STATUS_MESSAGE, STATUS_MESSAGE_LENGTH, MAX_TOX_STATUS_BYTES),
    userStatus: view.getUint8(USER_STATUS),
    lastSeenSec: lastSeen > MAX_SAFE ? Number.MAX_SAFE_INTEGER : Number(lastSeen),
    request: text(!isConfirmed, REQUEST, REQUEST_LENGTH, MAX_REQUEST_BYTES),
    nospam: bytes.subarray(NOSPAM, LAST_SEEN),
  }
  return { ...friend, hasOverlongText }
}

const EMPTY_TEXT: ToxText = { bytes: new Uint8Array(0), text: '', isUtf8: true }
const MAX_SAFE = BigInt(Number.MAX_SAFE_INTEGER)

export interface ConfirmedFriend {
  /** 32 bytes */
  readonly publicKey: Uint8Array
  /** UTF-8, at most MAX_TOX_NAME_BYTES */
  readonly name: Uint8Array
  /** UTF-8, at most MAX_TOX_STATUS_BYTES */
  readonly statusMessage: Uint8Array
  readonly lastSeenSec: number
}

/**
 * Encodes the record of a confirmed friend, FRIEND_BYTES bytes.
 * @throws {ToxError} TOX_BAD_FRIEND | TOX_NAME_TOO_LONG | TOX_STATUS_TOO_LONG
 */
export function encodeFriend(friend: ConfirmedFriend): Uint8Array {
  const { publicKey, name, statusMessage, lastSeenSec } = friend
  checkKey(publicKey)
  if (!Number.isSafeInteger(lastSeenSec) || lastSeenSec < 0)
    throw badFriend(`${lastSeenSec} is not a time in unix seconds`)
  checkLength('TOX_NAME_TOO_LONG', 'name', name, MAX_TOX_NAME_BYTES)
  checkLength('TOX_STATUS_TOO_LONG', 'status message', statusMessage, MAX_TOX_STATUS_BYTES)
  const [bytes, view] = newRecord(CONFIRMED, publicKey)
  bytes.set(name, NAME)
  view.setUint16(NAME_LENGTH, name.length)
  bytes.set(statusMessage, STATUS_MESSAGE)
  view.setUint16(STATUS_MESSAGE_LENGTH, statusMessage.length)
  view.setBigUint64(LAST_SEEN, BigInt(lastSeenSec))
  return bytes
}

export interface FriendRequest {
  /** 32 bytes */
  readonly publicKey: Uint8Array
  /** 4 bytes of the friend's Tox ID */
  readonly nospam: Uint8Array
  /** UTF-8, 1..MAX_REQUEST_BYTES bytes, shown to the other person */
  readonly text: Uint8Array
}

/**
 * Encodes the record of a friend request, FRIEND_BYTES bytes. The client sends it at its next start, and keeps trying
 * until it is sent.
 * @throws {ToxError} TOX_BAD_FRIEND | TOX_REQUEST_INVALID
 */
export function encodeFriendRequest({ publicKey, nospam, text }: FriendRequest): Uint8Array {
  checkKey(publicKey)
  if (nospam.length !== 4) throw badFriend('its nospam is not 4 bytes')
  // libtoxcore refuses an empty request and drops the friend at the next start.
  if (text.length === 0 || text.length > MAX_REQUEST_BYTES) {
    throw new ToxError(
      'TOX_REQUEST_INVALID',
      `a friend request needs 1 to ${MAX_REQUEST_BYTES} bytes of text, this one has ${text.length}: write another`,
    )
  }
  const [bytes, view] = newRecord(ADDED, publicKey)
  bytes.set(text, REQUEST)
  view.setUint16(REQUEST_LENGTH, text.length)
  bytes.set(nospam, NOSPAM)
  return bytes
}

function newRecord(status: number, publicKey: Uint8Array): [Uint8Array, DataView] {
  const bytes = new Uint8Array(FRIEND_BYTES)
  bytes[STATUS] = status
  bytes.set(publicKey, PUBLIC_KEY)
  return [bytes, new DataView(bytes.buffer)]
}

/** The records of all friends, not copied. @throws {ToxError} TOX_FRIENDS_NOT_WHOLE */
export function friendRecords(save: ToxSave): Uint8Array {
  const data = sectionData(save, SECTION_FRIENDS) ?? new Uint8Array(0)
  if (data.length % FRIEND_BYTES === 0) return data
  throw new ToxError(
    'TOX_FRIENDS_NOT_WHOLE',
    `the friend list ends in the middle of a record (${data.length} bytes): use a backup of the profile`,
  )
}

/**
 * Reads all friends as libtoxcore loads them: the first record of a key counts, and the profile's own key is not a
 * friend. Records that libtoxcore skips are listed as problems and stop nothing.
 * @throws {ToxError} TOX_FRIENDS_NOT_WHOLE | TOX_NO_KEYS | TOX_BAD_KEYS
 */
export function readFriends(save: ToxSave): FriendList {
  const own = readPublicKey(save)
  const data = friendRecords(save)
  const friends: ToxFriend[] = []
  const problems: FriendProblem[] = []
  const seen = new Set<string>()
  for (let index = 0; index * FRIEND_BYTES < data.length; index++) {
    const friend = decodeFriend(data.subarray(index * FRIEND_BYTES, (index + 1) * FRIEND_BYTES), index)
    if (friend === null) continue
    const { publicKey } = friend
    const key = formatHex(publicKey)
    const problem = !isValidKey(publicKey)
      ? 'INVALID_KEY'
      : equalBytes(publicKey, own)
        ? 'OWN_KEY'
        : seen.has(key)
          ? 'DUPLICATE_KEY'
          : null
    if (problem === null) friends.push(friend)
    else problems.push({ index, publicKey, problem })
    seen.add(key)
  }
  return { friends, problems }
}

/** toxcore: public_key_valid() refuses only a set top bit. */
function isValidKey(publicKey: Uint8Array): boolean {
  return publicKey.length === 32 && publicKey[31]! < 128
}

function checkKey(publicKey: Uint8Array): void {
  if (!isValidKey(publicKey)) throw badFriend('the key is not an X25519 public key of 32 bytes')
}

/** @throws {ToxError} `code`, if a text is longer than `maxBytes` */
export function checkLength(
  code: 'TOX_NAME_TOO_LONG' | 'TOX_STATUS_TOO_LONG',
  what: string,
  bytes: Uint8Array,
  maxBytes: number,
): void {
  if (bytes.length <= maxBytes) return
  throw new ToxError(code, `the ${what} has ${bytes.length} bytes, ${bytes.length - maxBytes} too many: shorten it`)
}

function badFriend(why: string): ToxError {
  return new ToxError('TOX_BAD_FRIEND', `a friend cannot be written: ${why}`)
}
