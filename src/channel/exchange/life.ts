/** The life of a channel: reading, moves, holding, closing (docs/channel.md, sections 8 and 9). */
import { checkAddress, formatConnectoids, type Address } from '../invite/address.ts'
import { breakChannel, checkOpen, draftOf, type BrokenReason, type Channel, type Step } from './channel.ts'
import { CONTROL, formatNext } from './control.ts'
import type { ChannelEngine } from '../ratchet/engine.ts'
import { ChannelError } from './errors.ts'
import { FRAME_KIND } from '../ratchet/frame.ts'
import { canSend } from '../ratchet/ratchet.ts'
import { settled, takeEarly } from './receive.ts'
import { endClosing, sayBroken } from './repeat.ts'
import { addControl, sealNext, sealWaiting } from './send.ts'

const MOVE_AFTER_MS: number = 7 * 86_400_000 // format: so that a relay learns little from one box
const MOVE_AFTER_FRAMES = 1000 // format: the same

/** The app has taken contents. @param costBytes the sum of contentCost of each */
export function taken(channel: Channel, costBytes: number, nowMs: number, engine: ChannelEngine): Step {
  const draft = draftOf(channel)
  draft.channel.unreadBytes = Math.max(0, channel.unreadBytes - costBytes)
  takeEarly(draft, nowMs, engine)
  return settled(draft, channel, nowMs, engine)
}

/** Stops the exchange for a time: an end that its card does not list, or a candidate. Frames of the peer are kept sealed, as far as there is room. */
export function hold(channel: Channel): Step {
  const draft = draftOf(channel)
  draft.channel.isHeld = true
  return draft
}

export function release(channel: Channel, nowMs: number, engine: ChannelEngine): Step {
  const draft = draftOf(channel)
  draft.channel.isHeld = false
  takeEarly(draft, nowMs, engine)
  return settled(draft, channel, nowMs, engine)
}

/** People have compared the words. */
export function wordsCompared(channel: Channel): Step {
  const draft = draftOf(channel)
  draft.channel.words = null
  return draft
}

/** Whether it is time for new intakes. */
export function isMoveDue({ phase, ownAt, received }: Channel, nowMs: number): boolean {
  if (phase !== 'open' || ownAt.next !== null) return false
  return nowMs - ownAt.sinceMs >= MOVE_AFTER_MS || received - ownAt.sinceCounter >= MOVE_AFTER_FRAMES
}

/**
 * Moves to new intakes. Both are read until a frame came by the new ones.
 * @throws {ChannelError} CHANNEL_NOT_OPEN | MOVE_WAITS @throws {InviteError} INVITE_KEY | INVITE_WHERE
 */
export function moveTo(channel: Channel, address: Address): Step {
  checkOpen(channel)
  if (channel.ownAt.next !== null) {
    throw new ChannelError(
      'MOVE_WAITS',
      'the last move is not finished; wait until a frame of the peer came by the new intakes',
    )
  }
  const next = formatConnectoids(checkAddress(address))
  const draft = draftOf(channel)
  draft.channel.ownAt = { ...channel.ownAt, next }
  addControl(draft, CONTROL.next, formatNext(next))
  return draft
}

/**
 * Closes the channel: seals what waits as far as the window allows, then one last frame, and erases every key. The frames are posted until
 * {@link peerRetired}, for 30 days at most.
 */
export function close(channel: Channel, nowMs: number, engine: ChannelEngine): Step {
  const draft = draftOf(channel)
  const { ownAt, phase } = channel
  if (phase === 'closing' || phase === 'closed') return draft
  if (phase === 'open' && canSend(channel.keys!.ratchet)) {
    sealWaiting(draft, nowMs, engine)
    sealNext(draft, FRAME_KIND.last, [], nowMs, engine)
  }
  const { writes, events } = draft
  for (const { counter } of channel.early) writes.push({ write: 'earlyDone', counter })
  writes.push({ write: 'contentsDone', upTo: channel.outNumber })
  events.push({ event: 'retire', intakes: [...ownAt.current, ...(ownAt.next ?? [])] })
  const erased = { keys: null, headerKeys: null, promise: null, greeting: null, words: null }
  const dropped = { outbox: [], controls: [], early: [], owesAck: false, isHeld: false }
  const isTold = phase === 'open' && draft.channel.window.length > 0
  Object.assign(draft.channel, erased, dropped, { phase: isTold ? 'closing' : 'closed', saidAtMs: nowMs })
  return draft
}

/** A box of the peer answered `Used`: the peer has retired it. @param address its connectoid value; one that the peer has left means nothing */
export function peerRetired(channel: Channel, address: string): Step {
  const draft = draftOf(channel)
  if (!channel.peerAt.includes(address)) return draft
  if (channel.phase === 'closing') return endClosing(draft)
  if (channel.phase === 'open') draft.events.push({ event: 'gone' })
  return draft
}

/** The caller finds that the channel cannot go on: both intakes are lost, or its state was restored or copied. */
export function markBroken(
  channel: Channel,
  reason: Extract<BrokenReason, 'INTAKES_LOST' | 'RESTORED'>,
  nowMs: number,
  engine: ChannelEngine,
): Step {
  const draft = draftOf(channel)
  if (channel.phase !== 'open' && channel.phase !== 'meeting') return draft
  breakChannel(draft, reason)
  sayBroken(draft, nowMs, engine)
  return draft
}
