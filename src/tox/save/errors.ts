/** Errors of Tox profiles, Tox IDs and profile files; each code has one cause. */
import { PersonadError } from '../../errors/personad-error.ts'

export type ToxErrorCode =
  | 'TOX_NOT_A_PROFILE' // starts with the magic of neither a save file nor toxEsave
  | 'TOX_EMPTY' // no bytes, or only zeros: a client or a crash has emptied the file
  | 'TOX_BIG_ENDIAN' // saved by a client on a big-endian processor; no other can load it
  | 'TOX_TRUNCATED' // a header or a section ends before its length
  | 'TOX_TOO_LARGE' // over MAX_PROFILE_BYTES or MAX_SECTIONS
  | 'TOX_ENCRYPTED' // a toxEsave, and no passphrase was given
  | 'TOX_WRONG_PASSPHRASE' // or the file was altered: the tag cannot tell the two apart
  | 'TOX_SECTION_COOKIE' // a section header without its 0x01CE
  | 'TOX_DUPLICATE_SECTION' // a section that we read or write appears twice
  | 'TOX_NO_KEYS' // no NOSPAMKEYS section
  | 'TOX_BAD_KEYS' // NOSPAMKEYS is not 68 bytes, or its public key does not match its secret key
  | 'TOX_FRIENDS_NOT_WHOLE' // FRIENDS is not a whole number of records
  | 'TOX_NO_END' // no end mark after the sections: the file may have been cut between two of them
  | 'TOX_FOREIGN_SECTION' // a section of an unknown type; kept unchanged
  | 'TOX_BAD_NODES' // DHT, TCP_RELAY or PATH_NODE is not what libtoxcore writes
  | 'TOX_BAD_CONFERENCES' // CONFERENCES is not what libtoxcore writes
  | 'TOX_BAD_GROUPS' // GROUPS is not what libtoxcore 0.2.19 and later write
  | 'TOX_BAD_USER_STATUS' // STATUS is not one byte of 0, 1 or 2
  | 'TOX_BAD_FRIEND' // a friend record whose key is not 32 bytes or no X25519 key, or whose time is invalid
  | 'TOX_FRIEND_TWICE' // one key twice among the friends, or added again
  | 'TOX_FRIEND_OWN_KEY' // the profile's own key among its friends, or added to them
  | 'TOX_FRIEND_UNKNOWN' // no friend has that name or key
  | 'TOX_FRIEND_AMBIGUOUS' // several friends have that name
  | 'TOX_REQUEST_INVALID' // the text of a new friend request is empty or too long
  | 'TOX_STATUS_TOO_LONG' // a status message, counted in bytes of UTF-8
  | 'TOX_NAME_TOO_LONG' // a name, counted in bytes of UTF-8
  | 'TOX_TEXT_INVALID' // a text to write holds a lone surrogate or a NUL
  | 'TOX_BAD_ID' // not 64 or 76 hex digits, or a wrong checksum
  | 'TOX_FILE_MISSING'
  | 'TOX_FILE_UNREADABLE' // permissions, not a regular file, an I/O error
  | 'TOX_FILE_EXISTS' // a file already exists where a new profile should go
  | 'TOX_SAME_FILE' // the new profile would overwrite the one it is made from
  | 'TOX_ALREADY_ENCRYPTED' // asked to encrypt an encrypted profile
  | 'TOX_NOT_ENCRYPTED' // asked to decrypt a plain profile
  | 'TOX_FILE_CHANGED' // another program wrote the file after or while we read it
  | 'TOX_QTOX_FILES' // qTox's history or settings beside the profile hang on its passphrase
  | 'TOX_CLIENT_RUNNING' // a Tox client has the profile in memory and would overwrite our edit
  | 'TOX_DISK_FULL' // nothing was changed
  | 'TOX_WRITE_FAILED' // nothing was changed
  | 'TOX_WRITE_UNCERTAIN' // the profile is whole, old or new, but may not be on disk yet

export class ToxError extends PersonadError<ToxErrorCode> {
  override readonly name = 'ToxError'
}
