/**
 * The contract of a relay's store. One suite holds it for every implementation (test/contract/relay-store.test.ts). It asks for nothing that a
 * database with transactions and row locks cannot promise: no order between boxes, no memory that only one process has.
 */

/** A box: the canonical key in base64url, which is X25519 of 32 bytes or compressed P-384 of 49 bytes. */
export type BoxId = string

export interface Message {
  /** Microseconds since 1970: strictly rising in a box, below 2^53. */
  readonly atUs: number
  readonly data: string
}

/** Proof of the box's owner, good for one call. */
export interface UsedAnswer {
  /** Tells one answer from all others. */
  readonly id: string
  readonly expiresUs: number
}

export interface SendOutcome {
  /**
   * stored: durable as a new message. renewed: the same bytes were there, and their hour begins anew. full: the box has no room. used: the
   * owner retired the box. crowded: this address has made too many boxes that nobody checked.
   */
  readonly outcome: 'stored' | 'renewed' | 'full' | 'used' | 'crowded'
  /** The moment of the message, where it is stored or renewed. */
  readonly atUs: number
}

export interface BoxLimits {
  /** Messages of a box; those that `at` names as processed are gone. */
  readonly maxMessages: number
  readonly maxBytes: number
  /** Messages of a box that was never checked. */
  readonly maxUnchecked: number
  /** Boxes never checked that one address has made. */
  readonly maxUncheckedBoxes: number
  /** Sends that a retired box keeps for its owner. */
  readonly maxRetired: number
  /** How long a message lives, in microseconds. */
  readonly messageUs: number
  /** How long a box lives after its last check, in microseconds. */
  readonly boxUs: number
}

/** A bucket of tokens: `burst` at first, and `perSec` more each second, never above `burst`. */
export interface Bucket {
  /** What is counted: an address as HMAC under the key of the day, or a box. */
  readonly key: string
  readonly burst: number
  readonly perSec: number
}

export interface StoreStats {
  readonly boxes: number
  readonly messages: number
  /** Bytes of all data that is stored. */
  readonly bytes: number
}

export interface RelayStore {
  /** Puts a message into a box and makes the box if there is none. Durable when it resolves. @param address that sends, as HMAC */
  send(box: BoxId, data: string, address: string, nowUs: number): Promise<SendOutcome>
  /** Notes that the owner asked, and makes the box if there is none. @returns whether there is a message after `atUs`; null if the address has made too many boxes */
  check(box: BoxId, atUs: number, address: string, nowUs: number): Promise<{ readonly found: boolean } | null>
  /**
   * Uses the answer, deletes the messages up to `atUs`, and gives those after it: at most `limit`, the oldest first. All in one step.
   * @returns null if the answer was used before
   */
  receive(
    box: BoxId,
    answer: UsedAnswer,
    atUs: number,
    limit: number,
    nowUs: number,
  ): Promise<readonly Message[] | null>
  /** Uses the answer and closes the box to senders, in one step. @returns false if the answer was used before */
  retire(box: BoxId, answer: UsedAnswer, nowUs: number): Promise<boolean>
  /** Takes one token from each bucket, or from none. @returns 0, or the milliseconds until all have one */
  spend(buckets: readonly Bucket[], nowUs: number): Promise<number>
  /** Deletes what has lived its time: at most `limit` records. @returns how many it deleted; call again while it is `limit` */
  expire(nowUs: number, limit: number): Promise<number>
  /** Deletes a box and all in it, for the operator. @returns whether there was one */
  forget(box: BoxId): Promise<boolean>
  /** Calls the listener after a message became readable, whichever process stored it. @returns the end of it */
  watch(listener: (box: BoxId) => void): () => void
  stats(): Promise<StoreStats>
  close(): Promise<void>
}
