/** The rules of inboxes that need no store: what they cost, who has room, and for which devices an entry waits. */
import type { InboxLimits } from '../../relay/limits.ts'
import type { DeviceTag } from './inbox-store.ts'

/** How long the same body of the same sender is known after its entry was deleted: a sender whose answer got lost tries again within it. */
export const REPEAT_US: number = 86_400 * 1_000_000

/** Bytes that an inbox takes on the disk without its entries, at most: its record with 20 devices, the moment to look at it, and their keys. */
export const INBOX_COST_BYTES = 2600
/** Bytes that an entry takes on the disk beside its encId, at most: its members, the acknowledgements of 20 devices, and its key. */
export const ENTRY_COST_BYTES = 840
/** Bytes that the mark of an entry takes, which may outlive it, at most: its record and the moment to delete it, and their keys. */
export const MARK_COST_BYTES = 660
/** Bytes that a sender takes who is allowed or blocked, or of whom an entry waits, at most. */
export const SENDER_COST_BYTES = 300

/** A device as an inbox knows it. */
export interface InboxDevice {
  readonly tag: DeviceTag
  /** The last entry that was there when the device first stood in the card. The entries up to it do not wait for the device. */
  readonly sinceN: number
  /** The last call of the device, noted to the hour; at first the moment at which the card listed it. */
  readonly heardUs: number
  /** The device was not heard of for so long that no entry waits for it. */
  readonly isSilent: boolean
}

/** Whether all devices for which an entry waits have it. An entry that nobody acknowledged waits in any case. */
export function isSettled(
  n: number,
  acknowledged: readonly DeviceTag[],
  devices: readonly InboxDevice[],
  nowUs: number,
  { silentUs }: InboxLimits,
): boolean {
  if (acknowledged.length === 0) return false
  return devices.every(
    ({ tag, sinceN, heardUs, isSilent }) =>
      isSilent || heardUs + silentUs <= nowUs || sinceN >= n || acknowledged.includes(tag),
  )
}

/**
 * Whether an inbox has no room for one more entry of a sender. Somebody else has at most as many as there are places left: alone they get half of the
 * inbox, and whoever comes after them finds room.
 */
export function isFull(
  inbox: { readonly waiting: number },
  sender: { readonly waiting: number; readonly isOwner: boolean },
  { maxEntries }: InboxLimits,
): boolean {
  return maxEntries - inbox.waiting <= (sender.isOwner ? 0 : sender.waiting)
}

/** How many entries of strangers the owner takes. */
export function strangersOf(wish: number | null, { maxStrangers }: InboxLimits): number {
  return Math.min(wish ?? maxStrangers, maxStrangers)
}

/** The moment at which an inbox ends, if no device comes and no entry is left. */
export function endOfInbox(devices: readonly InboxDevice[], { entryUs, silentUs }: InboxLimits): number {
  return Math.max(0, ...devices.map(({ heardUs }) => heardUs)) + entryUs + silentUs
}
