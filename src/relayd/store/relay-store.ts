/**
 * The contract of a relay's store. One suite holds it for every implementation (test/contract/relay-store.test.ts). It asks for nothing that a
 * database with transactions and row locks cannot promise: no order between boxes, no memory that only one process has.
 */

import type { CardRank } from '../../card/order.ts'
import type { CardPlace } from '../../relay/paths/card-place.ts'
import type { InboxStore } from './inbox-store.ts'
import type { ObjectStore } from './object-store.ts'
import type { PersonaId } from './persona-id.ts'

/** A box: the canonical key in base64url, which is X25519 of 32 bytes or compressed P-384 of 49 bytes. */
export type BoxId = string

export interface Message {
  /** Microseconds since 1970: strictly rising in a box, below 2^53. */
  readonly atUs: number
  readonly data: string
}

/** A message that goes to the disk. Its sender has no answer yet, and a crash may take it back. */
export interface Coming extends Message {
  /** No message lies between this moment and its own. */
  readonly afterUs: number
}

/** Proof of the box's owner, good for one call before it expires. */
export interface UsedAnswer {
  /** Tells one answer from all others. */
  readonly id: string
  /** An answer never comes back with another moment here: the relay's HMAC binds it. */
  readonly expiresUs: number
}

export interface SendOutcome {
  /**
   * stored: durable as a new message. renewed: the same bytes were there, and their hour begins anew. full: neither the box nor the disk has
   * room for it. used: the owner retired the box, which keeps the message if it has room. crowded: this address has made too many boxes that
   * no owner has claimed.
   */
  readonly outcome: 'stored' | 'renewed' | 'full' | 'used' | 'crowded'
  /** The moment of the message, where it is stored or renewed; else 0. A renewed message keeps its moment: who has processed it need not see it again. */
  readonly atUs: number
}

/** A verified card that somebody puts. */
export interface OfferedCard {
  readonly persona: PersonaId
  readonly app: string
  /** The place that belongs to it: persona, app and root give it. */
  readonly at: string
  readonly rank: CardRank
  /** At most 8 KiB. */
  readonly text: string
  readonly expiresUs: number
  /** The address that counts for it, as HMAC; null where the caller proved a right to keep cards here. */
  readonly guest: string | null
  /** Whether everybody may find it by persona and app. */
  readonly isPublic: boolean
}

/** A card as the store has it. */
export interface HeldCard {
  readonly at: string
  readonly text: string
  /** Whether nobody has proven a right to keep it here. */
  readonly isGuest: boolean
}

/**
 * kept: durable, as a new card or as the one that is there. newer: the card there counts before it. held: its seq is too far above that of
 * the card there. disputed: the store has a card of another root of this persona. ended: it has a card of a later epoch. crowded: this address
 * has put too many cards without a right. apps: the persona has too many cards. full: the disk has no room.
 */
export type CardOutcome =
  | { readonly outcome: 'kept' | 'crowded' | 'apps' | 'full' }
  /** `card`: the one that is there for this app. */
  | { readonly outcome: 'newer' | 'held' | 'disputed'; readonly card: string | null }
  | { readonly outcome: 'ended'; readonly epoch: number }

/** A bucket of tokens: `burst` at first, and `perSec` more each second, never above `burst`. */
export interface Bucket {
  /** The thing that is counted: an address as HMAC under the key of the day, or a box. */
  readonly key: string
  readonly burst: number
  readonly perSec: number
}

export interface StoreStats {
  readonly boxes: number
  readonly messages: number
  readonly cards: number
  readonly inboxes: number
  readonly entries: number
  readonly objects: number
  /** Bytes of all data, cards, entries and objects, and of what it takes to keep it. */
  readonly bytes: number
  /** Nothing new is stored, because the disk, or the part of it that the relay may use, is full. */
  readonly isFull: boolean
}

/** @param coming null once a message can be read */
export type BoxListener = (box: BoxId, coming: Coming | null) => void

export interface RelayStore {
  readonly inboxes: InboxStore
  readonly objects: ObjectStore
  /** Puts a message into a box and makes the box if there is none. Durable when it resolves. @param address that sends, as HMAC */
  send(box: BoxId, data: string, address: string, nowUs: number): Promise<SendOutcome>
  /**
   * Notes that the owner asked, and makes the box if there is none. Deletes nothing: a check proves no key.
   * @returns whether there is a message after `atUs`; null if there is no box, because the address has made too many or the disk is full
   */
  check(box: BoxId, atUs: number, address: string, nowUs: number): Promise<{ readonly found: boolean } | null>
  /**
   * Uses the answer, claims the box, deletes the messages up to `atUs`, and gives those after it: at most `limit`, the oldest first. All in one
   * step. A full disk puts the deletion off.
   * @returns null if the answer was used before, has expired, or may have been used before this process started
   */
  receive(
    box: BoxId,
    answer: UsedAnswer,
    atUs: number,
    limit: number,
    nowUs: number,
  ): Promise<readonly Message[] | null>
  /** Gives the messages after `atUs`: at most `limit`, the oldest first. It changes nothing. The caller knows that the owner asks. */
  read(box: BoxId, atUs: number, limit: number, nowUs: number): Promise<readonly Message[]>
  /**
   * Uses the answer, claims the box, and closes it to senders, in one step. Makes the box if there is none.
   * @returns used: as null of {@link receive}; full: nothing changed, because the disk is full
   */
  retire(box: BoxId, answer: UsedAnswer, nowUs: number): Promise<'retired' | 'used' | 'full'>
  /** Takes one token from each bucket, or from none. @returns 0, or the milliseconds until all have one */
  spend(buckets: readonly Bucket[], nowUs: number): Promise<number>
  /**
   * Deletes what has lived its time, in at most `limit` boxes, personas, inboxes and marks of entries. Nothing gives that out before, but it counts until then against the disk, and a
   * box against the address. Call it every few seconds: after a full disk it also looks for room.
   * @returns how many of them it looked at, because something in them may have lived its time; call again while it is `limit`
   */
  expire(nowUs: number, limit: number): Promise<number>
  /** Deletes a box and all in it, for the operator. @returns whether there was one */
  forget(box: BoxId): Promise<boolean>
  /**
   * Keeps a card if it counts (docs/card.md, section 4), in the place of the one of its persona and app. Cards of a lower epoch of that persona
   * are deleted in the same step. A card is kept until it expires, and for 30 days at most. The same card again may only gain: a right, or
   * everybody. Durable when it resolves.
   */
  putCard(card: OfferedCard, nowUs: number): Promise<CardOutcome>
  /** @returns the text of a card; null if there is none at this place. By persona and app it finds only what is for everybody */
  getCard(place: CardPlace, nowUs: number): Promise<string | null>
  /** @returns the card of a persona for an app, whoever may find it; null if there is none */
  cardOf(persona: PersonaId, app: string, nowUs: number): Promise<HeldCard | null>
  /** @returns the epoch of the cards of a persona; 0 without one */
  epochOf(persona: PersonaId): Promise<number>
  /** Deletes all cards of a persona, and all that is known of it. @returns how many cards there were */
  forgetCards(persona: PersonaId): Promise<number>
  /** Takes what was deleted of personas off the disk, where the store would keep it for a while. */
  scrub(): Promise<void>
  /**
   * Calls the listener after a message became readable, whichever process stored it. A store may also call it before, with a message that still
   * goes to the disk.
   * @returns the end of it
   */
  watch(listener: BoxListener): () => void
  stats(): Promise<StoreStats>
  close(): Promise<void>
}
