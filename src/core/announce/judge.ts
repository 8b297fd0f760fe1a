/** Judges an item: which blob it brings, and whether it proves that a thief has the key (docs/announce.md, section 6). */
import { decodeBlob } from '../blob.ts'
import { equalBytes } from '../encoding/bytes.ts'
import type { BoxEngine } from '../engine.ts'
import { BlobError, type BlobErrorCode } from '../errors.ts'
import { pickHead } from '../order.ts'
import { verifyBlob, type InceptionCache, type VerifiedBlob } from '../verify.ts'
import { ItemError, type ItemErrorCode } from './errors.ts'
import { openItem } from './item.ts'
import { FORWARD_SEQ, itemSeq, OPEN_SALT, secretSalt, TABLE_SEQ_END } from './place.ts'
import { isGoodSignedValue, type SignedValue } from './signed-value.ts'

/** A place in the chain of a persona, as a verified blob showed it: where its announcements are, and what opens them. */
export interface ChainPlace {
  /** K_0, 32 bytes. */
  readonly personaId: Uint8Array
  /** The pinned c_0; null for a reader who knows only the PersonaID. */
  readonly root: Uint8Array | null
  readonly epoch: number
  /** K_e, 32 bytes. */
  readonly signingKey: Uint8Array
  /** r, 32 bytes; null for a reader who never saw a blob of the persona. */
  readonly readingKey: Uint8Array | null
}

/** The means of a reader to judge an item. */
export interface JudgeContext {
  readonly engine: BoxEngine
  /** Device keys that may open an item of the open place. */
  readonly deviceKeys: readonly Uint8Array[]
  readonly inceptions?: InceptionCache
}

/**
 * - `blob`: a verified blob of the persona and the pinned chain. It goes through the same judgement as any other blob.
 * - `otherChain`: a verified blob of the persona with another c_0. It goes there too, as a violation.
 * - `refused`
 *
 * `provesTheft`: somebody who should not have the key of this epoch signed the item.
 */
export type ItemVerdict =
  | { readonly verdict: 'blob' | 'otherChain'; readonly blob: VerifiedBlob; readonly provesTheft: boolean }
  | { readonly verdict: 'refused'; readonly code: ItemErrorCode | BlobErrorCode; readonly provesTheft: boolean }

/** Judges a value that a node gave. The place where it was found means nothing: only signatures count. */
export function judgeItem(signed: SignedValue, place: ChainPlace, context: JudgeContext): ItemVerdict {
  try {
    checkPlace(signed, place, context)
    return judgeBlob(signed, place, blobOf(signed, place, context))
  } catch (error) {
    if (!(error instanceof ItemError) && !(error instanceof BlobError)) throw error
    const { code } = error
    const isForeign = code === 'ITEM_SIGNATURE' || code === 'ITEM_OTHER_PLACE'
    return { verdict: 'refused', code, provesTheft: !isForeign && provesUnread(signed) }
  }
}

function checkPlace(signed: SignedValue, place: ChainPlace, { engine }: JudgeContext): void {
  const { readingKey, signingKey } = place
  const isAtSecret = readingKey !== null && equalBytes(signed.salt, secretSalt(readingKey, signingKey, engine))
  if (!equalBytes(signed.publicKey, signingKey) || !(isAtSecret || equalBytes(signed.salt, OPEN_SALT)))
    throw new ItemError('ITEM_OTHER_PLACE', 'the item is refused: it is not at a place of this key')
  if (!isGoodSignedValue(signed, (signature, message, key) => engine.verify(signature, message, key)))
    throw new ItemError('ITEM_SIGNATURE', 'the item is refused: its signature is bad')
}

function blobOf(signed: SignedValue, place: ChainPlace, context: JudgeContext): VerifiedBlob {
  const { engine, inceptions } = context
  const { blob: bytes } = openItem(signed, { readingKey: place.readingKey, deviceKeys: context.deviceKeys }, engine)
  const blob = verifyBlob(decodeBlob(bytes), engine, inceptions)
  if (!equalBytes(blob.personaId, place.personaId))
    throw new ItemError('ITEM_OTHER_PERSONA', 'the item is refused: its blob is of another persona')
  return blob
}

function judgeBlob(signed: SignedValue, place: ChainPlace, blob: VerifiedBlob): ItemVerdict {
  if (place.root !== null && !equalBytes(blob.root, place.root))
    return { verdict: 'otherChain', blob, provesTheft: provesUnread(signed) }
  // The owner's devices use no other seq than these two.
  const isOwn = signed.seq === itemSeq(blob) || (signed.seq === FORWARD_SEQ && blob.epoch > place.epoch)
  return { verdict: 'blob', blob, provesTheft: !isOwn }
}

/**
 * Whether an item that brings no blob of the chain proves a theft. It closes its place for good, and at the secret place every item of the
 * owner opens for every contact. At the open place it may be sealed for others.
 */
function provesUnread({ seq, salt }: SignedValue): boolean {
  return seq >= TABLE_SEQ_END && !equalBytes(salt, OPEN_SALT)
}

/** The best of several blobs of one chain, in the order of docs/format.md, section 8. Null for none. */
export function bestBlob(blobs: readonly VerifiedBlob[], nowSec: number): VerifiedBlob | null {
  return blobs.reduce<VerifiedBlob | null>((best, blob) => (best === null ? blob : pickHead(best, blob, nowSec)), null)
}
