/**
 * The part of a relay's store that is about inboxes (docs/relay.md, "Inboxes"). As the rest of the contract it asks for nothing that a
 * database with row locks cannot promise: one row of an inbox gives the numbers of its entries, so they become readable in their order.
 */
import type { PersonaId } from './persona-id.ts'

/** An inbox: the persona and the app, as {@link inboxIdOf} writes them. */
export type InboxId = string

/** The tag of a device in the cards of its persona, in base64url. It stays when the keys of the device change. */
export type DeviceTag = string

export function inboxIdOf(persona: PersonaId, app: string): InboxId {
  return `${persona}/${app}`
}

export interface OfferedEntry {
  readonly from: PersonaId
  /** The key of the device that posts, in base64url. */
  readonly kid: string
  /** The place of the sender's card here. */
  readonly at: string
  /** SHA-256 of the body that the device signed, in base64url. */
  readonly bodyHash: string
  /** Sealed to the owner's devices, in base64url. */
  readonly encId: string
}

/** An entry as its owner reads it. */
export interface ListedEntry extends Omit<OfferedEntry, 'bodyHash'> {
  /** Microseconds since 1970: strictly rising in an inbox, below 2^53. */
  readonly n: number
}

/** An entry that goes to the disk, and the number after which it is the first one. */
export interface ComingEntry {
  readonly after: number
  readonly entry: ListedEntry
}

/** @param coming null once an entry can be read */
export type InboxListener = (inbox: InboxId, coming: ComingEntry | null) => void

/**
 * stored: durable as a new entry. repeated: the same body of the same sender is there, or was within a day. blocked: nothing happened. full: the inbox, or its
 * part for senders who are not allowed, has no room. no strangers: the owner takes nothing from them. disk: the disk has no room.
 */
export type PostOutcome = 'stored' | 'repeated' | 'blocked' | 'full' | 'no strangers' | 'disk'

/** A device of the owner that asks, and all devices of the newest card. */
export interface AskingDevice {
  readonly tag: DeviceTag
  readonly listed: readonly DeviceTag[]
}

export interface Page {
  /** The entries that this device has not acknowledged, the oldest first. */
  readonly entries: readonly ListedEntry[]
  /** The cursor of the next page; null for the last one. A page may be empty, and yet have a next one. */
  readonly next: number | null
}

export interface SenderRules {
  readonly allow: readonly PersonaId[]
  readonly block: readonly PersonaId[]
  /** These are strangers again. */
  readonly forget: readonly PersonaId[]
  /** Entries of all strangers together; null leaves it as it is. */
  readonly strangers: number | null
}

export interface InboxStore {
  /**
   * Puts an entry into an inbox, and makes the inbox if there is none. Durable when it resolves. An entry of the owner itself is as one of an allowed sender.
   * @param listed the devices of the owner's newest card
   */
  post(inbox: InboxId, entry: OfferedEntry, listed: readonly DeviceTag[], nowUs: number): Promise<PostOutcome>
  /**
   * Reads at most `limit` entries after `after`, and notes that the device was heard of. The next entry gets a later number than `after`, which may be that
   * of an entry that was given and never stored; a number counts up to a day after the clock.
   */
  list(inbox: InboxId, device: AskingDevice, after: number, limit: number, nowUs: number): Promise<Page>
  /**
   * Notes that the device has these entries. An entry is deleted once all devices that it waits for have it: those of the newest card that were
   * there before the entry, and were heard of in the last 30 days. Numbers that are not there change nothing.
   * @returns false if nothing changed, because the disk is full
   */
  acknowledge(inbox: InboxId, device: AskingDevice, numbers: readonly number[], nowUs: number): Promise<boolean>
  /** @returns crowded: nothing changed, because the inbox would know too many senders by name; full: so would the disk have no room */
  setSenders(
    inbox: InboxId,
    device: AskingDevice,
    rules: SenderRules,
    nowUs: number,
  ): Promise<'done' | 'crowded' | 'full'>
  /**
   * Forgets all senders by name at all inboxes of a persona, and what it wishes of strangers. The entries stay.
   * @returns false if a part is left, because the disk is full
   */
  endRules(persona: PersonaId, nowUs: number): Promise<boolean>
  /** Deletes all inboxes of a persona, and all that they know. @returns how many there were */
  forget(persona: PersonaId): Promise<number>
  /**
   * Calls the listener after an entry became readable, whichever process stored it. It may tell of an entry before, while that goes to the disk of this process, with
   * the entry itself: a crash may take it back, and its sender repeats it. @returns the end of it
   */
  watch(listener: InboxListener): () => void
}
