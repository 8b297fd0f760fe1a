/** Reads what each friend's device showed, and when: the observations of a save file (docs/format.md, section 10). */
import { formatHex } from '../../core/encoding/bytes.ts'
import { FRIEND_BYTES, friendRecords, readFriends, type FriendProblem } from './friends.ts'
import { SECTION_FRIENDS, withSection, type ToxSave } from './savefile.ts'

export interface FriendStatus {
  /** 32 bytes, X25519: the device that showed the status message */
  readonly publicKey: Uint8Array
  /** False while we have only sent a request: a friend who has not accepted has shown nothing */
  readonly isConfirmed: boolean
  /** Only for display and as a first name; bytes that are not UTF-8 are U+FFFD */
  readonly name: string
  /** Empty when the friend shows none or has not accepted yet */
  readonly statusText: string
  /** From the record, unix seconds; 0 for never */
  readonly lastSeenSec: number
  /** Time of the observation, unix seconds; 0, before all others, if the friend was never seen */
  readonly observedAtSec: number
}

export interface FriendScan {
  readonly statuses: readonly FriendStatus[]
  /** Records that libtoxcore would skip; they are not observations */
  readonly problems: readonly FriendProblem[]
}

/**
 * Reads the status messages of all friends. An observation dates from when the friend was last seen, and is never
 * newer than the file. Otherwise an old backup, or a record with a future time, would beat later observations.
 * @param fileMtimeSec when the file was last written, unix seconds, from the same open file as its bytes
 * @throws {ToxError} TOX_FRIENDS_NOT_WHOLE | TOX_NO_KEYS | TOX_BAD_KEYS
 */
export function friendStatuses(save: ToxSave, fileMtimeSec: number): FriendScan {
  const { friends, problems } = readFriends(save)
  const statuses = friends.map(({ publicKey, isConfirmed, name, statusMessage, lastSeenSec }) => ({
    publicKey,
    isConfirmed,
    name: name.text,
    statusText: statusMessage.text,
    lastSeenSec,
    observedAtSec: Math.min(lastSeenSec, fileMtimeSec),
  }))
  return { statuses, problems }
}

const PIECE_FRIENDS = 16 // sanity: decodes in under a millisecond, so a caller that pauses between pieces delays nobody

/**
 * Reads the status messages of the friends who accepted, a few at a time, for a caller that serves others in between.
 * A key that appears twice counts once, as in {@link friendStatuses}.
 * @throws {ToxError} TOX_FRIENDS_NOT_WHOLE | TOX_NO_KEYS | TOX_BAD_KEYS at the first piece
 */
export function* confirmedStatuses(save: ToxSave, fileMtimeSec: number): Generator<FriendStatus[]> {
  // The length is checked first: an incomplete record at the end would otherwise surface only after we reported all others.
  const data = friendRecords(save)
  const piece = PIECE_FRIENDS * FRIEND_BYTES
  const seen = new Set<string>()
  for (let at = 0; at < data.length; at += piece) {
    const part = withSection(save, SECTION_FRIENDS, data.subarray(at, at + piece))
    yield friendStatuses(part, fileMtimeSec).statuses.filter(({ publicKey, isConfirmed }) => {
      const key = formatHex(publicKey)
      if (seen.has(key)) return false
      seen.add(key)
      return isConfirmed
    })
  }
}
