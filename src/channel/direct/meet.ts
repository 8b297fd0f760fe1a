/** Offers and answers: how both ends come to one connection (docs/channel.md, section 14). */
import type { Channel } from '../exchange/channel.ts'
import { CONTROL } from '../exchange/control.ts'
import {
  answerMembers,
  fingerprintOf,
  isFresh,
  MAX_OFFERS,
  newTryId,
  OFFER_LIFE_SEC,
  offerMembers,
  type Answer,
  type Offer,
  type RandomBytes,
} from './signal.ts'
import { hangUp, HEARD_MS, isCurrent, same, type DirectStep, type DirectWay, type Try } from './way.ts'

/** Whether it is time for an offer: contents wait for a peer who was heard of lately, and no text waits that would be an earlier offer. */
export function isOfferDue(way: DirectWay, { phase, isHeld, outbox, controls }: Channel, nowMs: number): boolean {
  if (way.phase !== 'closed' || nowMs < way.notBeforeMs || phase !== 'open' || isHeld || controls.length > 0)
    return false
  return outbox.length > 0 && way.heardMs !== null && nowMs - way.heardMs <= HEARD_MS
}

/** Begins a try. A guest also does so for its M1, when there is no channel yet. */
export function beginOffer(way: DirectWay, nowMs: number, engine: RandomBytes): DirectStep {
  if (way.phase !== 'closed') return same(way)
  const id = newTryId(engine)
  return { way: describing(way, { id, isOwnOffer: true }, nowMs), actions: [{ act: 'makeOffer', id }] }
}

function describing(way: DirectWay, { id, isOwnOffer }: Pick<Try, 'id' | 'isOwnOffer'>, nowMs: number): DirectWay {
  const attempt: Try = { id, isOwnOffer, sinceMs: nowMs, ownFingerprint: null, peerFingerprint: null }
  return { ...way, phase: 'describing', attempt }
}

/** The connection has made its own description, with all candidates that it found. */
export function described(way: DirectWay, id: string, sdp: string, nowMs: number): DirectStep {
  if (way.phase !== 'describing' || !isCurrent(way, id)) return same(way)
  const ownFingerprint = fingerprintOf(sdp)
  if (ownFingerprint === null) return hangUp(way, true, nowMs)
  const attempt = { ...way.attempt!, ownFingerprint }
  if (attempt.isOwnOffer) {
    const members = offerMembers({ id, atSec: Math.floor(nowMs / 1000), sdp })
    return { way: { ...way, phase: 'offered', attempt }, actions: [{ act: 'tell', type: CONTROL.offer, members }] }
  }
  const members = answerMembers({ id, sdp })
  return { way: { ...way, phase: 'connecting', attempt }, actions: [{ act: 'tell', type: CONTROL.answer, members }] }
}

/**
 * An offer of the peer came. Texts come in their order, so the peer has given up every try before it. If both ends offer at once, the offer of the
 * guest counts.
 */
export function takeOffer(way: DirectWay, offer: Offer, nowMs: number): DirectStep {
  if (!isFresh(offer, nowMs) || isCurrent(way, offer.id)) return same(way)
  const isOwnOut = way.attempt?.isOwnOffer === true && (way.phase === 'describing' || way.phase === 'offered')
  if (isOwnOut && way.role === 'guest') return same(way)
  const lately = way.tookMs.filter((tookMs) => nowMs - tookMs < OFFER_LIFE_SEC * 1000)
  if (lately.length >= MAX_OFFERS) return same(way)
  const { way: free, actions } = hangUp(way, !way.hasWorked && !isOwnOut, nowMs)
  const { id, sdp } = offer
  const begun = describing(free, { id, isOwnOffer: false }, nowMs)
  const attempt: Try = { ...begun.attempt!, peerFingerprint: fingerprintOf(sdp) }
  const tookMs = [...lately, nowMs]
  return { way: { ...begun, attempt, tookMs }, actions: [...actions, { act: 'makeAnswer', id, sdp }] }
}

/** The answer of the peer came, perhaps for a try that is over. */
export function takeAnswer(way: DirectWay, { id, sdp }: Answer, nowMs: number): DirectStep {
  if (way.phase !== 'offered' || !isCurrent(way, id)) return same(way)
  const attempt: Try = { ...way.attempt!, sinceMs: nowMs, peerFingerprint: fingerprintOf(sdp) }
  return { way: { ...way, phase: 'connecting', attempt }, actions: [{ act: 'takeAnswer', id, sdp }] }
}
