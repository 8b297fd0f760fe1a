/**
 * The device keys with which the daemon tries announcements of the kind `devices`, for a contact of whom it has only a link: one of the
 * owner's friends may be a device of that contact (docs/announce.md, sections 4 and 6).
 */
import { parseHex } from '../../core/encoding/bytes.ts'
import type { Records } from '../state/records.ts'

export const MAX_TRIED_KEYS = 256 // sanity: some 5 us for each key and slot; an announcement of 11 devices takes 15 ms, and 58 slots in each of 8 values half a second

/** Keys of friends that belong to no persona as far as is known, those seen last first; at most MAX_TRIED_KEYS. */
export async function triedKeys({ devices }: Pick<Records, 'devices'>): Promise<Uint8Array[]> {
  const found: { readonly key: string; readonly lastSec: number }[] = []
  for await (const [key, { bound, entry, seenAtSec, heardAtSec }] of devices.iterate())
    if (bound === null && (entry !== null || seenAtSec !== null)) found.push({ key, lastSec: seenAtSec ?? heardAtSec })
  const latest = found.toSorted((a, b) => b.lastSec - a.lastSec).slice(0, MAX_TRIED_KEYS)
  return latest.map(({ key }) => parseHex(key)!)
}
