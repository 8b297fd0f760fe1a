/** Reads out of a profile what every friend's device showed, and when: the observations of a save file (docs/format.md, section 10). */
import { formatHex } from '../../core/encoding/bytes.ts'
import { FRIEND_BYTES, readFriends, type FriendProblem } from './friends.ts'
import { SECTION_FRIENDS, sectionData, withSection, type ToxSave } from './savefile.ts'

export interface FriendStatus {
  /** 32 bytes, X25519: the device that showed the status message */
  readonly publicKey: Uint8Array
  /** False while only a request was sent: who has not accepted has shown nothing */
  readonly isConfirmed: boolean
  /** For display and first names only; what was not UTF-8 is U+FFFD */
  readonly name: string
  /** Empty when the friend showed none, or has not accepted yet */
  readonly statusText: string
  /** As the record has it, unix seconds; 0 for never */
  readonly lastSeenSec: number
  /** The time of the observation, unix seconds; 0, before all others, when the friend was never seen */
  readonly observedAtSec: number
}

export interface FriendScan {
  readonly statuses: readonly FriendStatus[]
  /** Records that libtoxcore would skip; they are no observations */
  readonly problems: readonly FriendProblem[]
}

/**
 * The status messages of all friends. An observation is as old as the friend was last seen, and never younger than the file: else an
 * old backup, or a record with a time in the future, would beat what was seen since.
 * @param fileMtimeSec when the file was last written, unix seconds, taken from the same open file as its bytes
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

const PIECE_FRIENDS = 16 // sanity: under a millisecond of decoding; what reads on between pieces stalls nobody

/**
 * The same for who serves others meanwhile: the status messages of the friends who accepted, some at a time. A key that comes twice
 * counts once, as in the whole.
 * @throws {ToxError} TOX_FRIENDS_NOT_WHOLE | TOX_NO_KEYS | TOX_BAD_KEYS at the first piece
 */
export function* confirmedStatuses(save: ToxSave, fileMtimeSec: number): Generator<FriendStatus[]> {
  const data = sectionData(save, SECTION_FRIENDS) ?? new Uint8Array(0)
  const piece = PIECE_FRIENDS * FRIEND_BYTES
  const seen = new Set<string>()
  // A part of a record at the end would otherwise be found only after all others were reported.
  if (data.length % FRIEND_BYTES !== 0) readFriends(save)
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
