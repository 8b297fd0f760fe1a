/** Verifies a card: keys, signature, chain, inception, in that order (docs/card.md, section 3). */
import { chainRoot } from '../core/chain.ts'
import { isStrictPublicKey } from '../core/curve/ed25519.ts'
import { isCanonicalU, isImageOf, isLowOrderU, signingKeyImage } from '../core/curve/x25519.ts'
import { encodeUtf8, equalBytes, formatHex, isZero } from '../core/encoding/bytes.ts'
import type { Engine, Sha256 } from '../core/engine.ts'
import { MAX_EPOCH } from '../core/limits.ts'
import { isCommitted, type InceptionCache } from '../core/verify.ts'
import { parseCard, type CardEntry, type ParsedCard } from './card.ts'
import { CardError } from './errors.ts'

declare const verified: unique symbol

/** A card whose signature, chain and inception are good. Only {@link verifyCard} makes one, and every decision requires one. */
export interface VerifiedCard extends ParsedCard {
  readonly [verified]: true
  /** c_0, 32 bytes; compare it with the pinned one. */
  readonly root: Uint8Array
  /** SHA-256 of the text, 32 bytes. */
  readonly hash: Uint8Array
}

export type CardEngine = Engine & Sha256

/**
 * Reads and verifies a card. Time plays no part: see {@link isExpired}.
 * @throws {CardError} the codes of parseCard | CARD_KEY | CARD_CHAIN | CARD_SIGNATURE | CARD_INCEPTION
 */
export function verifyCard(text: string, engine: CardEngine, inceptions?: InceptionCache): VerifiedCard {
  const card = parseCard(text)
  const { chain } = card
  checkKeys(card)
  if (!engine.verify(card.signature, card.signed, chain.signingKey))
    throw new CardError('CARD_SIGNATURE', `the card of persona ${formatHex(chain.personaId)} has a bad signature`)
  if (isZero(chain.next) !== (chain.epoch === MAX_EPOCH))
    throw new CardError('CARD_CHAIN', 'the chain ends at the last epoch, and at no other')
  const root = chainRoot(chain, engine)
  if (!isCommitted(chain, root, engine, inceptions)) {
    const message = `persona ${formatHex(chain.personaId)} did not commit to the chain of this card`
    throw new CardError('CARD_INCEPTION', message)
  }
  return { ...card, root, hash: engine.sha256(encodeUtf8(text)) } as VerifiedCard
}

function checkKeys({ chain, devices }: ParsedCard): void {
  const { personaId, signingKey, epoch } = chain
  if (!isStrictPublicKey(signingKey)) throw badKey('the signing key')
  if (epoch > 0 && equalBytes(signingKey, personaId)) throw badKey('the signing key')
  const images = [personaId, signingKey].map(signingKeyImage)
  const seen = new Set([formatHex(personaId), formatHex(signingKey)])
  for (const entry of devices) checkEntry(entry, images, seen)
}

/** One key has one purpose, also in its other form. */
function checkEntry(
  { tag, sig, enc }: CardEntry,
  images: readonly ReturnType<typeof signingKeyImage>[],
  seen: Set<string>,
): void {
  const isGood =
    isStrictPublicKey(sig) && isCanonicalU(enc) && !isLowOrderU(enc) && !images.some((image) => isImageOf(enc, image))
  if (!isGood) throw badKey('a key of a device')
  for (const text of [formatHex(tag), formatHex(sig), formatHex(enc)]) {
    if (seen.has(text)) throw badKey('a key of a device')
    seen.add(text)
  }
}

function badKey(which: string): CardError {
  return new CardError('CARD_KEY', `${which} in the card is not valid, or stands there twice`)
}

/** Whether a card is over. Relays refuse such a card, readers warn. */
export function isExpired({ expiresAtSec }: Pick<ParsedCard, 'expiresAtSec'>, nowSec: number): boolean {
  return nowSec >= expiresAtSec
}
