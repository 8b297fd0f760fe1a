/** The contacts of diverged copies of a profile, or of several devices, put together: the union by key (qTox #3408, uTox #282). */
import { concatBytes, equalBytes, formatHex } from '../../core/encoding/bytes.ts'
import { splitRecords } from './edit.ts'
import { readFriends, type ToxFriend } from './friends.ts'
import { SECTION_FRIENDS, readPublicKey, withSection, type ToxSave } from './savefile.ts'

/** What happened to one contact. */
export interface MergedFriend {
  /** 32 bytes */
  readonly publicKey: Uint8Array
  readonly name: string
  /** Place in the list of other profiles that it was taken from */
  readonly from: number
  /** `added`: was not here. `accepted`: was only requested here. `newer`: was seen later there, and is shown as it was then. */
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
 * This profile with the friends of the others. Of a contact that is in several, the confirmed record wins over the requested one, then
 * the one that was seen later; on a tie this profile's own. Records are taken whole, and keep their places; new ones follow.
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
      // A device made by rekeying has the other one as a friend.
      if (equalBytes(entry.friend.publicKey, own)) continue
      const why = reasonToTake(entry.friend, entries.get(key)?.friend)
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

function reasonToTake(offered: ToxFriend, present: ToxFriend | undefined): MergedFriend['why'] | null {
  if (present === undefined) return 'added'
  if (offered.isConfirmed !== present.isConfirmed) return offered.isConfirmed ? 'accepted' : null
  return offered.isConfirmed && offered.lastSeenSec > present.lastSeenSec ? 'newer' : null
}
