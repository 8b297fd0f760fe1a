/** Messages of the direct way: proofs, then frames (docs/channel.md, section 14). */
import { equalBytes } from '../../core/encoding/bytes.ts'
import type { Channel } from '../exchange/channel.ts'
import { BOX_TYPE, dataType } from '../ratchet/box-data.ts'
import { otherRole, type ChannelEngine } from '../ratchet/engine.ts'
import { beginOffer, isOfferDue } from './meet.ts'
import { formatProof, isProof, rtcKey, type Fingerprints } from './proof.ts'
import type { RandomBytes } from './signal.ts'
import {
  hangUp,
  isCurrent,
  KNOWN_MS,
  MAX_KNOWN,
  same,
  type DirectAction,
  type DirectStep,
  type DirectWay,
  type Try,
} from './way.ts'

/**
 * The data channel is open: this end proves itself.
 * @param reported the fingerprint of the certificate that the peer has shown, as the library reports it: SHA-256, 32 bytes
 */
export function connected(
  way: DirectWay,
  id: string,
  reported: Uint8Array,
  { keys }: Pick<Channel, 'keys'>,
  nowMs: number,
  engine: ChannelEngine,
): DirectStep {
  if (way.phase !== 'connecting' || !isCurrent(way, id)) return same(way)
  const attempt = way.attempt!
  if (keys === null || !equalBytes(reported, attempt.peerFingerprint!)) return hangUp(way, true, nowMs)
  const message = formatProof(engine, rtcKey(keys.carriers), way.role, fingerprintsOf(way, attempt))
  return { way: { ...way, phase: 'proving' }, actions: [{ act: 'send', id, message }] }
}

function fingerprintsOf({ role }: DirectWay, { ownFingerprint, peerFingerprint }: Try): Fingerprints {
  const [own, peer] = [ownFingerprint!, peerFingerprint!]
  return role === 'host' ? { host: own, guest: peer } : { host: peer, guest: own }
}

/** A message came by the data channel: first the proof of the peer, then frames and nothing else. */
export function takeMessage(
  way: DirectWay,
  id: string,
  message: Uint8Array,
  { keys }: Pick<Channel, 'keys'>,
  nowMs: number,
  engine: ChannelEngine,
): DirectStep {
  if (!isCurrent(way, id)) return same(way)
  if (way.phase === 'proving') {
    const key = keys === null ? null : rtcKey(keys.carriers)
    const fingerprints = fingerprintsOf(way, way.attempt!)
    if (key === null || !isProof(engine, key, otherRole(way.role), fingerprints, message))
      return hangUp(way, true, nowMs)
    return { way: { ...way, phase: 'open', usedMs: nowMs, heardMs: nowMs }, actions: [{ act: 'opened' }] }
  }
  if (way.phase !== 'open' || dataType(message) !== BOX_TYPE.frame) return hangUp(way, true, nowMs)
  const silentSinceMs = way.silentSinceMs === null ? null : nowMs
  const used = { ...way, usedMs: nowMs, heardMs: nowMs, silentSinceMs, hasWorked: true, failures: 0 }
  return { way: used, actions: [{ act: 'receive', data: message }] }
}

/** The effect of a frame of the peer. A known one changes nothing: it was repeated, or is an ack of what was acknowledged. */
export type Taken = 'new' | 'known' | 'refused'

/** @param before the channel before the frame @param after the channel after it */
export function takenOf(before: Channel, after: Channel): Taken {
  if (after.refused > before.refused) return 'refused'
  const areFramesNew = after.received > before.received || after.early !== before.early
  const isAckNew = after.window.length < before.window.length
  return areFramesNew || isAckNew || after.phase !== before.phase ? 'new' : 'known'
}

/**
 * A frame has come by the way and was taken. A peer who is honest seals for this state, and repeats little. At the speed of a direct way, others
 * would take all time of this end.
 */
export function noteTaken(way: DirectWay, id: string, taken: Taken, nowMs: number): DirectStep {
  if (!isCurrent(way, id) || taken === 'new') return same(way)
  if (taken === 'refused') return hangUp(way, !way.hasWorked, nowMs)
  const { sinceMs, count } = nowMs - way.known.sinceMs < KNOWN_MS ? way.known : { sinceMs: nowMs, count: 0 }
  if (count >= MAX_KNOWN) return hangUp(way, true, nowMs)
  return same({ ...way, known: { sinceMs, count: count + 1 } })
}

/**
 * After a step of the channel: its posts go by the way if it is open, and else to the intakes of the peer. Where contents wait, a closed way is
 * offered anew.
 * @param channel as it is after the step
 */
export function route(
  way: DirectWay,
  channel: Channel,
  posts: readonly Uint8Array[],
  nowMs: number,
  engine: RandomBytes,
): DirectStep {
  if (channel.isHeld || channel.phase === 'closed') {
    const { way: closed, actions } = hangUp(way, false, nowMs)
    return { way: closed, actions: [...posts.map((data): DirectAction => ({ act: 'post', data })), ...actions] }
  }
  if (way.phase !== 'open') {
    const offer = isOfferDue(way, channel, nowMs) ? beginOffer(way, nowMs, engine) : same(way)
    return {
      way: offer.way,
      actions: [...posts.map((data): DirectAction => ({ act: 'post', data })), ...offer.actions],
    }
  }
  const id = way.attempt!.id
  // The last frames of an end go both ways: it has no key to wait for acks with.
  const isLeaving = channel.phase === 'closing' || channel.phase === 'broken'
  const actions = posts.flatMap((data): DirectAction[] => {
    const post: DirectAction = { act: 'post', data }
    if (dataType(data) !== BOX_TYPE.frame) return [post]
    const send: DirectAction = { act: 'send', id, message: data }
    return isLeaving ? [send, post] : [send]
  })
  const isAwaiting = channel.phase !== 'closing' && channel.window.length > 0
  const silentSinceMs = isAwaiting ? (way.silentSinceMs ?? nowMs) : null
  const usedMs = actions.length > 0 ? nowMs : way.usedMs
  return { way: { ...way, usedMs, silentSinceMs }, actions }
}
