/** Sending: contents wait in the outbox, are cut into frames, and each frame is sealed once (docs/channel.md, sections 7 and 8). */
import {
  checkOpen,
  CONTENT_COST_BYTES,
  draftOf,
  MAX_OUTBOX_BYTES,
  WINDOW,
  type Channel,
  type Draft,
  type Step,
} from './channel.ts'
import { controlItem, controlText, cutItem, MAX_CONTENT_BYTES, MAX_CONTROL_BYTES } from '../ratchet/body.ts'
import type { ChannelEngine } from '../ratchet/engine.ts'
import { ChannelError } from './errors.ts'
import { FRAME_KIND, MAX_BODY_BYTES, paddedBody, sealFrame, sealNotice } from '../ratchet/frame.ts'
import { canSend, nextToSend } from '../ratchet/ratchet.ts'

/**
 * Hands in a content. It is sealed by the next {@link flush}.
 * @param bytes 0..MAX_CONTENT_BYTES; kept, so the caller must not change them
 * @throws {ChannelError} CHANNEL_NOT_OPEN | CONTENT_TOO_LARGE | OUTBOX_FULL
 */
export function submit(channel: Channel, bytes: Uint8Array): Step {
  checkOpen(channel)
  if (bytes.length > MAX_CONTENT_BYTES) {
    throw new ChannelError(
      'CONTENT_TOO_LARGE',
      `the content has ${bytes.length} bytes, and may have ${MAX_CONTENT_BYTES}`,
    )
  }
  // A content that is larger than the outbox goes into an empty one.
  const waiting = outboxBytes(channel)
  if (waiting > 0 && waiting + contentCost(bytes.length) > MAX_OUTBOX_BYTES) {
    throw new ChannelError(
      'OUTBOX_FULL',
      'too much waits for the peer; send the content again when the peer has taken some',
    )
  }
  const draft = draftOf(channel)
  const number = channel.outNumber + 1
  draft.channel.outNumber = number
  draft.channel.outbox = [...channel.outbox, { number, bytes }]
  draft.writes.push({ write: 'content', number, bytes })
  return draft
}

/** The cost of a content in the outbox, and at the receiver until its app has taken it. */
export function contentCost(bytes: number): number {
  return bytes + CONTENT_COST_BYTES
}

function outboxBytes({ outbox }: Channel): number {
  let sum = 0
  for (const { bytes } of outbox) sum += contentCost(bytes.length)
  return sum
}

/**
 * Hands in a text for the daemon of the peer. It goes before all contents that are not sealed.
 * @param type 0..255 @param bytes at most MAX_CONTROL_BYTES
 * @param replaces whether a text of the same type that waits, and is not sealed, is worth nothing after this one
 * @throws {ChannelError} CHANNEL_NOT_OPEN | CONTENT_TOO_LARGE
 */
export function submitControl(
  channel: Channel,
  type: number,
  bytes: Uint8Array,
  replaces: (waiting: Uint8Array) => boolean = () => false,
): Step {
  checkOpen(channel)
  const draft = draftOf(channel)
  draft.channel.controls = channel.controls.filter((item) => {
    const waiting = controlText(item, type)
    return waiting === null || !replaces(waiting)
  })
  addControl(draft, type, bytes)
  return draft
}

export function addControl({ channel }: Draft, type: number, bytes: Uint8Array): void {
  if (bytes.length > MAX_CONTROL_BYTES)
    throw new ChannelError('CONTENT_TOO_LARGE', `the text has ${bytes.length} bytes, and may have ${MAX_CONTROL_BYTES}`)
  channel.controls = [...channel.controls, controlItem(type, bytes)]
}

/**
 * Seals what waits, as far as the window allows, and answers with an ack alone if nothing else carries it. The caller calls it after each
 * batch of other steps.
 */
export function flush(channel: Channel, nowMs: number, engine: ChannelEngine): Step {
  const draft = draftOf(channel)
  sealWaiting(draft, nowMs, engine)
  const { phase, isHeld, owesAck, headerKeys, received } = draft.channel
  if (phase === 'open' && !isHeld && owesAck && draft.posts.length === 0) {
    draft.posts.push(sealNotice(FRAME_KIND.ack, received, headerKeys!.own, engine))
    draft.channel.owesAck = false
  }
  return draft
}

export function sealWaiting(draft: Draft, nowMs: number, engine: ChannelEngine): void {
  const { phase, isHeld, keys } = draft.channel
  if (phase !== 'open' || isHeld || !canSend(keys!.ratchet)) return
  while (draft.channel.window.length < WINDOW && hasWaiting(draft.channel)) {
    sealNext(draft, FRAME_KIND.contents, takeItems(draft), nowMs, engine)
    noteMove(draft)
  }
}

/** The frame that was just sealed, or one before it, tells the peer of the new intakes. */
function noteMove({ channel }: Draft): void {
  const { ownAt, controls, sent } = channel
  if (ownAt.next === null || ownAt.nextCounter !== null || controls.length > 0) return
  channel.ownAt = { ...ownAt, nextCounter: sent }
}

function hasWaiting({ controls, cut, outNumber }: Channel): boolean {
  return controls.length > 0 || cut.number <= outNumber
}

/** Takes as many items as a frame holds: controls first, then contents. */
function takeItems({ channel }: Draft): Uint8Array[] {
  const items: Uint8Array[] = []
  let room = MAX_BODY_BYTES
  let taken = 0
  for (const control of channel.controls) {
    if (control.length > room) break
    items.push(control)
    room -= control.length
    taken++
  }
  if (taken > 0) channel.controls = channel.controls.slice(taken)
  let { number, offset } = channel.cut
  const first = channel.outbox[0]?.number ?? number
  for (; number <= channel.outNumber; number++, offset = 0) {
    const { bytes } = channel.outbox[number - first]!
    const cut = cutItem(bytes, offset, room)
    if (cut === null) break
    items.push(cut.item)
    room -= cut.item.length
    offset = cut.offset
    if (offset < bytes.length) break
  }
  channel.cut = { number, offset }
  return items
}

/** Seals the next frame, once. Its bytes are kept until the peer has acknowledged them. */
export function sealNext(
  draft: Draft,
  kind: 1 | 4,
  items: readonly Uint8Array[],
  nowMs: number,
  engine: ChannelEngine,
): void {
  const { channel, writes, posts } = draft
  const { ratchet, messageKey, isStep } = nextToSend(channel.keys!.ratchet, engine)
  if (isStep) channel.sentBefore = channel.sent
  channel.sent++
  channel.keys = { ...channel.keys!, ratchet }
  const { sent: counter, sentBefore: previous, received: ack } = channel
  const header = { kind, counter, previous, ack, key: ratchet.ownKey }
  const data = sealFrame(header, channel.headerKeys!.own, messageKey, paddedBody(items), engine)
  const contentsUpTo = channel.cut.number - 1
  channel.window = [...channel.window, { counter, data, contentsUpTo, postedAtMs: nowMs }]
  channel.owesAck = false
  writes.push({ write: 'frame', counter, data })
  posts.push(data)
}
