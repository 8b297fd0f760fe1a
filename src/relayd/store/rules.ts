/** The rules of boxes, cards and objects for every store: what they cost, and when they end. */
import type { BoxLimits, CardLimits, InboxLimits, ObjectLimits, RelayLimits } from '../../relay/limits.ts'

/** How exactly checks are noted. An app checks each minute, and a write for each would wear out a disk. */
export const CHECK_GRAIN_US: number = 3600 * 1_000_000

/** How far a cursor may lie after the clock of the relay. */
const CURSOR_AHEAD_US: number = 86_400 * 1_000_000 // sanity: a clock that went back by a day; a moment stays far below 2^53

/** The last moment of a box or an inbox, once its owner names a cursor: what comes next gets a later one than both. */
export function lastAfterCursor(lastAtUs: number, cursorUs: number, nowUs: number): number {
  return Math.max(lastAtUs, Math.min(cursorUs, nowUs + CURSOR_AHEAD_US))
}

/** Bytes that a box takes on the disk without its messages, at most: its record, the moment to look at it again, and their keys. */
export const BOX_COST_BYTES = 320
/** Bytes that a message takes on the disk beside its data, at most: its key, and its line in the record of the box. */
export const MESSAGE_COST_BYTES = 160

/** Bytes that a card takes on the disk beside its text, at most: its line in the record of the persona, the moment to look at it, and their keys. */
export const CARD_COST_BYTES = 800

/** Bytes that an object takes on the disk beside its own, at most: the rest of its last block, its inode, the entry of its directory, and its records. */
const OBJECT_COST_BYTES: number = 6 * 1024

/** Bytes for which an object counts. */
export function costOfObject(bytes: number): number {
  return bytes + OBJECT_COST_BYTES
}

export interface StoreLimits
  extends BoxLimits, CardLimits, InboxLimits, Pick<ObjectLimits, 'maxPersonaBytes' | 'objectUs'> {
  /** Bytes that all boxes, messages, cards, inboxes and objects may take together. */
  readonly maxDiskBytes: number
}

/** The limits of a relay that its store holds. */
export function storeLimitsOf({ box, card, inbox, object, maxDiskBytes }: RelayLimits): StoreLimits {
  return { ...box, ...card, ...inbox, ...object, maxDiskBytes }
}

/** The moment at which a box ends, if nobody comes. */
export function endOf(box: { readonly checkedUs: number; readonly sentUs: number }, limits: BoxLimits): number {
  return box.checkedUs === 0 ? box.sentUs + limits.messageUs : box.checkedUs + limits.boxUs
}

/** The moment at which a card ends. */
export function endOfCard(expiresUs: number, nowUs: number, { cardUs }: CardLimits): number {
  return Math.min(expiresUs, nowUs + cardUs)
}
