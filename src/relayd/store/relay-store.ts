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
  /** Bytes of all data, and of what it takes to keep it. */
  readonly bytes: number
  /** Nothing new is stored, because the disk, or the part of it that the relay may use, is full. */
  readonly isFull: boolean
}

export interface RelayStore {
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
  /**
   * Uses the answer, claims the box, and closes it to senders, in one step. Makes the box if there is none.
   * @returns used: as null of {@link receive}; full: nothing changed, because the disk is full
   */
  retire(box: BoxId, answer: UsedAnswer, nowUs: number): Promise<'retired' | 'used' | 'full'>
  /** Takes one token from each bucket, or from none. @returns 0, or the milliseconds until all have one */
  spend(buckets: readonly Bucket[], nowUs: number): Promise<number>
  /**
   * Deletes what has lived its time, in at most `limit` boxes. Nothing gives that out before, but it counts until then against the disk, and a
   * box against the address. Call it every few seconds: after a full disk it also looks for room.
   * @returns how many boxes it looked at, because something in them may have lived its time; call again while it is `limit`
   */
  expire(nowUs: number, limit: number): Promise<number>
  /** Deletes a box and all in it, for the operator. @returns whether there was one */
  forget(box: BoxId): Promise<boolean>
  /** Calls the listener after a message became readable, whichever process stored it. @returns the end of it */
  watch(listener: (box: BoxId) => void): () => void
  stats(): Promise<StoreStats>
  close(): Promise<void>
}
