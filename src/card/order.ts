/** Which of two cards counts, and the verdict on a card that comes in (docs/card.md, section 4). */
import { compareBytes, equalBytes } from '../core/encoding/bytes.ts'
import { MAX_SEQ_STEP } from '../core/limits.ts'

/** The parts of a verified card that decide. A relay keeps them beside the text of each card that it has verified. */
export interface CardRank {
  readonly chain: { readonly epoch: number }
  readonly seq: number
  readonly hash: Uint8Array
  readonly root: Uint8Array
}

/** Positive when `a` wins: by higher epoch, then higher seq, then lower hash. Times never decide. */
export function compareCards(a: CardRank, b: CardRank): number {
  return a.chain.epoch - b.chain.epoch || a.seq - b.seq || compareBytes(b.hash, a.hash)
}

/** Everything known before a card of one persona and app comes in. */
export interface KnownCards {
  /** The pinned c_0; null if nothing of this persona was verified before. */
  readonly root: Uint8Array | null
  /** The highest epoch seen of this persona: in a card of whatever app, or in a head. */
  readonly minEpoch: number
  /** The card that counts so far. */
  readonly head: CardRank | null
}

/**
 * - `accept`: it counts from now on.
 * - `same`: it is the one that counts already.
 * - `fork`: the same seq as the one that counts. `wins`: it counts from now on. Two devices made a card at one time, or a thief did.
 * - `stale`: a later one is known.
 * - `ended`: its epoch is over. Nothing of it is taken, because the owner may have rotated to shut somebody out.
 * - `held`: its seq is too far ahead, so that one thief cannot use up all seqs.
 * - `disputed`: a second chain of the same PersonaID, so K_0 was stolen.
 */
export type CardVerdict =
  | { readonly verdict: 'accept' | 'same' | 'stale' | 'ended' | 'held' | 'disputed' }
  | { readonly verdict: 'fork'; readonly wins: boolean }

/** Judges a card of the persona and app that `known` is about. */
export function judgeCard(incoming: CardRank, { root, minEpoch, head }: KnownCards): CardVerdict {
  if (root !== null && !equalBytes(root, incoming.root)) return { verdict: 'disputed' }
  if (incoming.chain.epoch < minEpoch) return { verdict: 'ended' }
  if (head === null || incoming.chain.epoch > head.chain.epoch) return { verdict: 'accept' }
  if (incoming.chain.epoch < head.chain.epoch) return { verdict: 'ended' }
  if (equalBytes(incoming.hash, head.hash)) return { verdict: 'same' }
  if (incoming.seq > head.seq + MAX_SEQ_STEP) return { verdict: 'held' }
  if (incoming.seq === head.seq) return { verdict: 'fork', wins: compareCards(incoming, head) > 0 }
  return { verdict: incoming.seq > head.seq ? 'accept' : 'stale' }
}
