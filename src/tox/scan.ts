/** Reads out of a profile what every friend's device showed, and when: the observations of a save file (design section 5). */
import { readFriends, type FriendProblem } from './friends.ts'
import type { ToxSave } from './savefile.ts'

export interface FriendStatus {
  /** 32 bytes, X25519: the device that showed the status message */
  readonly publicKey: Uint8Array
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
 * old backup, or a record with a time in the future, would beat what was seen since (attack 45).
 * @param fileMtimeSec when the file was last written, unix seconds, taken from the same open file as its bytes
 * @throws {ToxError} TOX_FRIENDS_NOT_WHOLE | TOX_NO_KEYS | TOX_BAD_KEYS
 */
export function friendStatuses(save: ToxSave, fileMtimeSec: number): FriendScan {
  const { friends, problems } = readFriends(save)
  const statuses = friends.map(({ publicKey, name, statusMessage, lastSeenSec }) => ({
    publicKey,
    name: name.text,
    statusText: statusMessage.text,
    lastSeenSec,
    observedAtSec: Math.min(lastSeenSec, fileMtimeSec),
  }))
  return { statuses, problems }
}
