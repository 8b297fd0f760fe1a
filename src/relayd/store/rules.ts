/** The rules of boxes and cards that need no store: when they end, whether a message has room in a box, and which card counts. */
import type { CardVerdict, KnownCards } from '../../card/order.ts'
import type { BoxLimits, CardLimits, InboxLimits, RelayLimits } from '../../relay/limits.ts'
import type { Box } from './box.ts'
import type { KeptCard, KeptPersona } from './kept-card.ts'

/** How exactly checks are noted. An app checks each minute, and a write for each would wear out a disk. */
export const CHECK_GRAIN_US: number = 3600 * 1_000_000

/** Bytes that a box takes on the disk without its messages, at most: its record, the moment to look at it again, and their keys. */
export const BOX_COST_BYTES = 320
/** Bytes that a message takes on the disk beside its data, at most: its key, and its line in the record of the box. */
export const MESSAGE_COST_BYTES = 160

/** Bytes that a card takes on the disk beside its text, at most: its line in the record of the persona, the moment to look at it, and their keys. */
export const CARD_COST_BYTES = 800

export interface StoreLimits extends BoxLimits, CardLimits, InboxLimits {
  /** Bytes that all boxes, messages, cards and inboxes may take together. */
  readonly maxDiskBytes: number
}

/** The limits of a relay that its store holds. */
export function storeLimitsOf({ box, card, inbox, maxDiskBytes }: RelayLimits): StoreLimits {
  return { ...box, ...card, ...inbox, maxDiskBytes }
}

/** The moment at which a box ends, if nobody comes. */
export function endOf(box: Pick<Box, 'checkedUs' | 'sentUs'>, limits: BoxLimits): number {
  return box.checkedUs === 0 ? box.sentUs + limits.messageUs : box.checkedUs + limits.boxUs
}

/** The first moment at which something in a box has lived its time. */
export function dueOf(box: Box, limits: BoxLimits): number {
  return box.messages.reduce((due, { expiresUs }) => Math.min(due, expiresUs), endOf(box, limits))
}

/** Whether a message of so many bytes has room beside those that are there. @param box null for one that the message makes */
export function hasRoomFor(box: Box | null, bytes: number, limits: BoxLimits): boolean {
  const { messages, isRetired, checkedUs, retiredAtUs } = box ?? NO_BOX
  if (messages.reduce((sum, message) => sum + message.bytes, bytes) > limits.maxBytes) return false
  if (isRetired) return messages.filter(({ atUs }) => atUs > retiredAtUs).length < limits.maxRetired
  return messages.length < (checkedUs === 0 ? Math.min(limits.maxUnchecked, limits.maxMessages) : limits.maxMessages)
}

const NO_BOX = { messages: [], isRetired: false, checkedUs: 0, retiredAtUs: 0 }

/** The moment at which a card ends. */
export function endOfCard(expiresUs: number, nowUs: number, { cardUs }: CardLimits): number {
  return Math.min(expiresUs, nowUs + cardUs)
}

type Persona = Omit<KeptPersona, 'dueUs'> | null

/** Everything that decides on a card of a persona. @param head of its app */
export function knownOf(persona: Persona, head: KeptCard | null): KnownCards {
  if (persona === null) return { root: null, minEpoch: 0, head: null }
  const { root, epoch } = persona
  return { root, minEpoch: epoch, head: head === null ? null : { ...head, root, chain: { epoch } } }
}

/** The outcome of a card that does not count. @returns null for one that does, or that is there already */
export function refusalOf(verdict: CardVerdict): 'newer' | 'held' | 'disputed' | 'ended' | null {
  switch (verdict.verdict) {
    case 'accept':
    case 'same':
      return null
    case 'fork':
      return verdict.wins ? null : 'newer'
    case 'stale':
      return 'newer'
    case 'held':
    case 'disputed':
    case 'ended':
      return verdict.verdict
  }
}
