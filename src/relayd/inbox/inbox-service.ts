/** The seam between the relay's HTTP server and its inboxes. */
import type { InboxPath } from '../../relay/paths/inbox-path.ts'
import type { InboxEntry } from '../../relay/wire.ts'
import type { DeviceRefusal } from '../cards/devices.ts'

export interface InboxRequest extends InboxPath {
  readonly method: string
  /** Path and query below the address of the relay, as sent. It begins with a slash. */
  readonly path: string
  /** The body as text; empty for none. */
  readonly body: string
  /** The token of the header Authorization; null without one. */
  readonly bearer: string | null
  /** The caller's address as HMAC under the key of the day: never the address itself. */
  readonly address: string
}

/** `busy`: the caller has asked too often; `retryAfterSec` says when they may again. `request form`: the body or the query is not of the form. */
export type InboxRefusal =
  DeviceRefusal | { readonly outcome: 'busy'; readonly retryAfterSec: number } | { readonly outcome: 'request form' }

/**
 * - `taken`: the entry is durable, or was before, or its sender is blocked: nobody can tell which.
 * - `none`: there is no inbox.
 * - `full`: the inbox has no room. `no strangers`: its owner takes nothing from this sender. `disk`: the relay has no room.
 */
export type PostAnswer = InboxRefusal | { readonly outcome: 'taken' | 'none' | 'full' | 'no strangers' | 'disk' }

export interface ReadEntries {
  readonly entries: readonly InboxEntry[]
  /** The cursor from which the next ones come; null if there are no more. */
  readonly next: number | null
}

export type ListAnswer = InboxRefusal | ({ readonly outcome: 'listed' } & ReadEntries)

/** `crowded`: the inbox would know too many senders. */
export type OwnerAnswer = InboxRefusal | { readonly outcome: 'done' | 'crowded' | 'disk' }

/** An entry that still goes to the disk, and the number after which it is the first one. */
export interface ComingInboxEntry {
  readonly after: number
  readonly entry: InboxEntry
}

/** An inbox that a device reads as entries come. */
export interface FollowedInbox {
  /** The cursor that the device named. */
  readonly after: number
  /** Reads some entries after a cursor. @returns null once the newest card does not list the device */
  read(after: number): Promise<ReadEntries | null>
  /** Whether the newest card still lists the device. */
  isListed(): Promise<boolean>
  /** Calls the listener with null after an entry came, and perhaps before, with the entry. @returns the end of it */
  watch(listener: (coming: ComingInboxEntry | null) => void): () => void
}

export type FollowAnswer = InboxRefusal | { readonly outcome: 'followed'; readonly inbox: FollowedInbox }

export interface InboxService {
  /** Takes an entry from anybody whose card lies here. */
  post(request: InboxRequest): Promise<PostAnswer>
  /** Gives the owner the entries that this device has not acknowledged. */
  list(request: InboxRequest): Promise<ListAnswer>
  acknowledge(request: InboxRequest): Promise<OwnerAnswer>
  setSenders(request: InboxRequest): Promise<OwnerAnswer>
  follow(request: InboxRequest): Promise<FollowAnswer>
}
