/** Why a Tox profile, Tox ID or profile file is refused; each code has one cause. */
import { PersonadError } from '../../errors/personad-error.ts'

export type ToxErrorCode =
  | 'TOX_NOT_A_PROFILE' // neither the magic of a save file nor that of toxEsave
  | 'TOX_TRUNCATED' // a header or a section ends before its length
  | 'TOX_TOO_LARGE' // over MAX_PROFILE_BYTES or MAX_SECTIONS
  | 'TOX_ENCRYPTED' // a toxEsave where a plain profile is needed, and no passphrase
  | 'TOX_WRONG_PASSPHRASE' // or the file was altered: the tag cannot tell these apart
  | 'TOX_SECTION_COOKIE' // a section header without its 0x01CE
  | 'TOX_DUPLICATE_SECTION' // a section that this program reads or writes stands there twice
  | 'TOX_NO_KEYS' // no NOSPAMKEYS section
  | 'TOX_BAD_KEYS' // NOSPAMKEYS is not 68 bytes, or its public key is not that of its secret key
  | 'TOX_FRIENDS_NOT_WHOLE' // FRIENDS is not a whole number of records
  | 'TOX_NO_END' // the sections end without an end mark: the file may have been cut between two of them
  | 'TOX_FOREIGN_SECTION' // a section of a type that this program does not know; kept as it is
  | 'TOX_BAD_NODES' // DHT, TCP_RELAY or PATH_NODE is not what libtoxcore writes
  | 'TOX_BAD_CONFERENCES' // CONFERENCES is not what libtoxcore writes
  | 'TOX_BAD_GROUPS' // GROUPS is not what libtoxcore 0.2.19 and later write
  | 'TOX_BAD_USER_STATUS' // STATUS is not one byte of 0, 1 or 2
  | 'TOX_BAD_FRIEND' // a friend record: key not 32 bytes or no X25519 key, or a time that is none
  | 'TOX_FRIEND_TWICE' // a key twice among the friends, or added again
  | 'TOX_FRIEND_OWN_KEY' // the profile's own key among its friends, or added to them
  | 'TOX_FRIEND_UNKNOWN' // no friend of that name or key
  | 'TOX_FRIEND_AMBIGUOUS' // several friends of that name
  | 'TOX_REQUEST_INVALID' // the text of a friend request to be written is empty or too long
  | 'TOX_STATUS_TOO_LONG' // a status message, in bytes of UTF-8
  | 'TOX_NAME_TOO_LONG' // a name, in bytes of UTF-8
  | 'TOX_TEXT_INVALID' // a text to be written with a lone surrogate or a NUL
  | 'TOX_BAD_ID' // not 64 or 76 hex digits, or a wrong checksum
  | 'TOX_FILE_MISSING'
  | 'TOX_FILE_UNREADABLE' // permissions, not a regular file, an I/O error
  | 'TOX_FILE_EXISTS' // a new profile is to be written where a file stands
  | 'TOX_SAME_FILE' // a new profile is to be written over the one that it is made from
  | 'TOX_ALREADY_ENCRYPTED' // a profile to be encrypted
  | 'TOX_NOT_ENCRYPTED' // a profile to be decrypted
  | 'TOX_FILE_CHANGED' // somebody else wrote the file since, or while, it was read
  | 'TOX_CLIENT_RUNNING' // a Tox client has the profile in memory and would write over ours
  | 'TOX_DISK_FULL' // nothing was changed
  | 'TOX_WRITE_FAILED' // nothing was changed
  | 'TOX_WRITE_UNCERTAIN' // the profile is whole, old or new, but not known to be on disk

export class ToxError extends PersonadError<ToxErrorCode> {
  override readonly name = 'ToxError'
}
