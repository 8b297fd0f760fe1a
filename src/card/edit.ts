/** How a device makes the next card of its persona (docs/card.md, section 5). */
import type { ChainPosition } from '../core/chain.ts'
import { equalBytes } from '../core/encoding/bytes.ts'
import { CARD_LIFE_SEC, CARD_RESIGN_SEC, type Card, type CardEntry } from './card.ts'
import type { VerifiedCard } from './verify.ts'

/** A place in the line of cards. */
export interface CardPosition {
  readonly epoch: number
  readonly seq: number
}

export interface CardEdit {
  /** The card that counts, from all stores and the own memory; null if there is none. */
  readonly head: VerifiedCard | null
  /** The chain at the epoch that signs. */
  readonly chain: ChainPosition
  readonly app: string
  /** The keys of this device from now on; null takes it out. */
  readonly own: CardEntry | null
  /** The tag of this device. */
  readonly ownTag: Uint8Array
  readonly inboxes: readonly string[]
  readonly stores: readonly string[]
  /** At a rotation: which other entries the owner approved here. All, within an epoch. */
  readonly keeps?: (entry: CardEntry) => boolean
  readonly nowSec: number
}

/** The next card: the entries of other devices stay as they are. */
export function nextCard({ head, chain, own, ownTag, nowSec, keeps = () => true, ...edit }: CardEdit): Card {
  const others = (head?.devices ?? []).filter(({ tag }) => !equalBytes(tag, ownTag)).filter(keeps)
  return {
    chain,
    app: edit.app,
    seq: (head?.seq ?? 0) + 1,
    prev: head?.hash ?? null,
    issuedAtSec: nowSec,
    expiresAtSec: nowSec + CARD_LIFE_SEC,
    devices: own === null ? others : [...others, own],
    inboxes: edit.inboxes,
    stores: edit.stores,
  }
}

/** Whether the card lists this device, with these keys. */
export function lists(card: Card, { tag, sig, enc }: CardEntry): boolean {
  return card.devices.some(
    (entry) => equalBytes(entry.tag, tag) && equalBytes(entry.sig, sig) && equalBytes(entry.enc, enc),
  )
}

/**
 * Whether somebody took this device out of the card. Then it does not add itself again: the owner is asked. A card that never knew of the
 * entry, because two devices wrote at one time, is no such case.
 * @param listedAt the latest card with an entry of this device that was read back as the one that counts; null if there was none
 */
export function wasTakenOut(head: VerifiedCard | null, ownTag: Uint8Array, listedAt: CardPosition | null): boolean {
  if (head === null || listedAt === null || head.devices.some(({ tag }) => equalBytes(tag, ownTag))) return false
  return head.chain.epoch > listedAt.epoch || (head.chain.epoch === listedAt.epoch && head.seq > listedAt.seq)
}

/** Whether it is time to sign a card again. The device then draws a new key `enc` too. */
export function isDue(card: Card, nowSec: number): boolean {
  return nowSec >= card.issuedAtSec + CARD_RESIGN_SEC
}
