/**
 * Merges the friends of diverged copies of a profile, or of several devices: the union by key (qTox #3408, uTox
 * #282).
 */
import { concatBytes, equalBytes, formatHex } from '../../core/encoding/bytes.ts'
import { splitRecords } from './edit.ts'
import { readFriends, type ToxFriend } from './friends.ts'
import { SECTION_FRIENDS, readPublicKey, withSection, type ToxSave } from './savefile.ts'

/** How the merge changed one friend. */
export interface MergedFriend {
  /** 32 bytes */
  readonly publicKey: Uint8Array
  readonly name: string
  /** Index, in the list of other profiles, of the profile it came from */
  readonly from: number
  /** `added`: missing here. `accepted`: only requested here. `newer`: seen later there, so we take its record. */
  readonly why: 'added' | 'accepted' | 'newer'
}

export interface Merged {
  readonly save: ToxSave
  readonly changes: readonly MergedFriend[]
}

interface Entry {
  readonly friend: ToxFriend
  readonly record: Uint8Array
}

/**
 * Adds the friends of the other profiles to this one. When several have the same friend, a confirmed record wins over
 * a requested one, then the one seen later, then this profile's own. Whole records are copied. Existing ones keep
 * their place and new ones follow.
 * @throws {ToxError} TOX_FRIENDS_NOT_WHOLE | TOX_NO_KEYS | TOX_BAD_KEYS
 */
export function mergeFriends(save: ToxSave, others: readonly ToxSave[]): Merged {
  const own = readPublicKey(save)
  const records = splitRecords(save)
  const entries = new Map(entriesOf(save).map((entry) => [formatHex(entry.friend.publicKey), entry]))
  const places = new Map([...entries].map(([key, { friend }]) => [key, friend.index]))
  const changes = new Map<string, MergedFriend>()
  for (const [from, other] of others.entries()) {
    for (const entry of entriesOf(other)) {
      const key = formatHex(entry.friend.publicKey)
      // A device made by `persona tox rekey` has the original device as a friend, and this profile may be that one.
      if (equalBytes(entry.friend.publicKey, own)) continue
      const why = reasonToCopy(entry.friend, entries.get(key)?.friend)
      if (why === null) continue
      entries.set(key, entry)
      const wasAdded = changes.get(key)?.why === 'added'
      const { publicKey, name } = entry.friend
      changes.set(key, { publicKey, name: name.text, from, why: wasAdded ? 'added' : why })
    }
  }
  for (const key of changes.keys()) {
    const place = places.get(key)
    if (place === undefined) records.push(entries.get(key)!.record)
    else records[place] = entries.get(key)!.record
  }
  const merged = changes.size === 0 ? save : withSection(save, SECTION_FRIENDS, concatBytes(...records))
  return { save: merged, changes: [...changes.values()] }
}

function entriesOf(save: ToxSave): Entry[] {
  const { friends } = readFriends(save)
  const records = splitRecords(save)
  return friends.map((friend) => ({ friend, record: records[friend.index]! }))
}

function reasonToCopy(offered: ToxFriend, present: ToxFriend | undefined): MergedFriend['why'] | null {
  if (present === undefined) return 'added'
  if (offered.isConfirmed !== present.isConfirmed) return offered.isConfirmed ? 'accepted' : null
  return offered.isConfirmed && offered.lastSeenSec > present.lastSeenSec ? 'newer' : null
}
