/** Receiving: a frame counts in its turn, or is kept sealed until then (docs/channel.md, section 8). */
import { equalBytes } from '../../core/encoding/bytes.ts'
import { readBody, type Item } from '../ratchet/body.ts'
import { BOX_TYPE, dataType } from '../ratchet/box-data.ts'
import {
  breakChannel,
  draftOf,
  KEPT_TAG_BYTES,
  MAX_UNREAD_BYTES,
  WINDOW,
  type Channel,
  type ChannelKeys,
  type Draft,
  type Step,
} from './channel.ts'
import { readControl } from './control.ts'
import type { ChannelEngine } from '../ratchet/engine.ts'
import {
  FRAME_KIND,
  isWholeNotice,
  openBody,
  openHeader,
  type FrameHeader,
  type OpenedHeader,
} from '../ratchet/frame.ts'
import { takeFirst } from './meeting.ts'
import { joinedParts, type Part } from './parts.ts'
import { contentCost } from './send.ts'
import { nextToReceive } from '../ratchet/ratchet.ts'
import { repeat, sayBroken } from './repeat.ts'

const DAY_MS = 86_400_000
const STUCK_PAUSE_MS: number = 3 * 3_600_000 // sanity: the peer repeats every 50 minutes; after a longer silence the day begins anew

/**
 * Takes data that came by an intake of this end. Anything that does not open is refused and counted.
 * @param atNext whether it came by the new intakes while both are read
 */
export function receive(
  channel: Channel,
  data: Uint8Array,
  atNext: boolean,
  nowMs: number,
  engine: ChannelEngine,
): Step {
  const draft = draftOf(channel)
  const type = dataType(data)
  if (type === BOX_TYPE.m2 && equalBytes(engine.sha256(data.subarray(1)), channel.m2Hash)) {
    // The host has not seen the guest's first frame.
    if (channel.role === 'guest') repeat(draft, nowMs, engine)
    return draft
  }
  const opened = type === BOX_TYPE.frame ? headerOf(channel, data, engine) : null
  if (opened === null) return refuse(draft)
  if (channel.phase === 'broken') {
    if (opened.header.kind !== FRAME_KIND.broken) sayBroken(draft, nowMs, engine)
    return draft
  }
  if (opened.header.counter === 0) takeNotice(draft, opened, nowMs, engine)
  else takeNumbered(draft, opened, nowMs, engine)
  if (atNext) leaveOldIntakes(draft, opened.header, nowMs)
  return settled(draft, channel, nowMs, engine)
}

/** An end that has just become broken says so. */
export function settled(draft: Draft, before: Channel, nowMs: number, engine: ChannelEngine): Draft {
  const { phase, brokenBecause } = draft.channel
  if (phase === 'broken' && before.phase !== 'broken' && brokenBecause !== 'PEER') sayBroken(draft, nowMs, engine)
  return draft
}

function headerOf({ headerKeys }: Channel, data: Uint8Array, engine: ChannelEngine): OpenedHeader | null {
  return headerKeys === null ? null : openHeader(data.subarray(1), headerKeys.peer, engine)
}

function refuse(draft: Draft): Draft {
  draft.channel.refused++
  draft.events.push({ event: 'refused' })
  return draft
}

function takeNotice(draft: Draft, opened: OpenedHeader, nowMs: number, engine: ChannelEngine): void {
  if (!isWholeNotice(opened, draft.channel.headerKeys!.peer, engine)) return void refuse(draft)
  if (opened.header.kind === FRAME_KIND.broken) return breakChannel(draft, 'PEER')
  takeAck(draft, opened.header.ack, nowMs)
}

function takeNumbered(draft: Draft, opened: OpenedHeader, nowMs: number, engine: ChannelEngine): void {
  const { channel } = draft
  const { counter } = opened.header
  if (counter <= channel.received) return takeTaken(draft, opened)
  const known = channel.early.find((each) => each.counter === counter)
  if (known !== undefined) return takeKnown(draft, opened, known.frame, nowMs, engine)
  const isTooEarly = counter > channel.received + WINDOW
  if (isTooEarly || counter !== channel.received + 1 || isClosedForNow(channel)) {
    // The header is the peer's, so its ack counts at once: else two ends whose apps take nothing would wait for each other.
    takeAck(draft, opened.header.ack, nowMs)
    if (channel.phase === 'broken') return
    if (!isTooEarly) return keepEarly(draft, opened, nowMs)
    refuse(draft)
    return noteStuck(draft, nowMs)
  }
  if (!takeInTurn(draft, opened, nowMs, engine)) {
    refuse(draft)
    return noteStuck(draft, nowMs)
  }
  takeEarly(draft, nowMs, engine)
}

/** Whether nothing can be taken in turn now: the end is held, or the app has not taken enough. The guest's first frame is always taken. */
function isClosedForNow({ phase, isHeld, unreadBytes }: Channel): boolean {
  return phase !== 'meeting' && (isHeld || unreadBytes > MAX_UNREAD_BYTES)
}

/** A repeated frame has the tag that is known. Another tag is another frame, since only the peer can make a header. */
function takeTaken(draft: Draft, { header, tag }: OpenedHeader): void {
  const { received, tags } = draft.channel
  const at = (header.counter % WINDOW) * KEPT_TAG_BYTES
  const isKnown = header.counter + WINDOW > received
  if (isKnown && !equalBytes(tag.subarray(0, KEPT_TAG_BYTES), tags.subarray(at, at + KEPT_TAG_BYTES)))
    return breakChannel(draft, 'NUMBER_TWICE')
  draft.channel.owesAck = true
}

function takeKnown(draft: Draft, opened: OpenedHeader, frame: Uint8Array, nowMs: number, engine: ChannelEngine): void {
  const known = openHeader(frame, draft.channel.headerKeys!.peer, engine)!
  if (!equalBytes(known.tag, opened.tag)) return breakChannel(draft, 'NUMBER_TWICE')
  if (!isClosedForNow(draft.channel)) noteStuck(draft, nowMs)
}

function keepEarly(draft: Draft, { header, frame }: OpenedHeader, nowMs: number): void {
  const { channel, writes } = draft
  const copy = frame.slice()
  channel.early = [...channel.early, { counter: header.counter, frame: copy }]
  writes.push({ write: 'early', counter: header.counter, frame: copy })
  if (isClosedForNow(channel)) return
  channel.owesAck = channel.phase === 'open'
  noteStuck(draft, nowMs)
}

/** Takes kept frames whose turn has come. One that does not open is dropped: the peer repeats it. */
export function takeEarly(draft: Draft, nowMs: number, engine: ChannelEngine): void {
  const { channel, writes } = draft
  while (channel.early.length > 0 && channel.phase === 'open' && !isClosedForNow(channel)) {
    const turn = channel.received + 1
    const next = channel.early.find(({ counter }) => counter === turn)
    if (next === undefined) return
    channel.early = channel.early.filter((each) => each !== next)
    writes.push({ write: 'earlyDone', counter: turn })
    const opened = openHeader(next.frame, channel.headerKeys!.peer, engine)!
    if (!takeInTurn(draft, opened, nowMs, engine)) {
      refuse(draft)
      return noteStuck(draft, nowMs)
    }
  }
}

/** @returns false when the frame is not as it must be; then nothing has changed */
function takeInTurn(draft: Draft, opened: OpenedHeader, nowMs: number, engine: ChannelEngine): boolean {
  const { channel } = draft
  const { header, tag } = opened
  const moved = nextToReceive(channel.keys!.ratchet, header.key, engine)
  if (moved === null || header.previous !== (moved.isStep ? channel.received : channel.receivedBefore)) return false
  const body = openBody(opened, moved.messageKey, engine)
  const read = body === null ? null : readBody(body, channel.begun)
  if (read === null) return false
  if (channel.phase === 'meeting' && !takeFirst(draft, read.items, engine)) return true
  channel.keys = { ...(channel.keys as ChannelKeys), ratchet: moved.ratchet }
  channel.receivedBefore = header.previous
  channel.received = header.counter
  channel.tags = withTag(channel.tags, header.counter, tag)
  channel.owesAck = true
  channel.stuck = null
  takeItems(draft, read.items)
  channel.begun = read.begun
  finish(draft, header, nowMs)
  return true
}

function withTag(tags: Uint8Array, counter: number, tag: Uint8Array): Uint8Array {
  const next = tags.slice()
  next.set(tag.subarray(0, KEPT_TAG_BYTES), (counter % WINDOW) * KEPT_TAG_BYTES)
  return next
}

function finish(draft: Draft, { kind, ack }: FrameHeader, nowMs: number): void {
  takeAck(draft, ack, nowMs)
  if (kind !== FRAME_KIND.last || draft.channel.phase !== 'open') return
  const { channel, writes, events } = draft
  const intakes = [...channel.ownAt.current, ...(channel.ownAt.next ?? [])]
  Object.assign(channel, { phase: 'closed', keys: null, headerKeys: null, words: null, owesAck: false })
  writes.push({ write: 'framesDone', upTo: channel.sent }, { write: 'contentsDone', upTo: channel.outNumber })
  for (const { counter } of channel.early) writes.push({ write: 'earlyDone', counter })
  Object.assign(channel, { window: [], outbox: [], controls: [], early: [] })
  events.push({ event: 'retire', intakes }, { event: 'closed' })
}

function takeItems(draft: Draft, items: readonly Item[]): void {
  const { channel, writes, events } = draft
  const parts: Part[] = []
  let begun = channel.begun
  for (const item of items) {
    if (item.item === 'control') {
      readControl(draft, item.type, item.bytes)
      continue
    }
    if (item.item === 'begin') channel.inNumber++
    const number = channel.inNumber
    const totalBytes = item.item === 'begin' ? item.totalBytes : begun!.totalBytes
    const offset = item.item === 'begin' ? 0 : begun!.haveBytes
    const haveBytes = offset + item.bytes.length
    parts.push({ write: 'part', number, totalBytes, offset, bytes: item.bytes })
    begun = haveBytes === totalBytes ? null : { totalBytes, haveBytes }
    if (begun === null) {
      channel.unreadBytes += contentCost(totalBytes)
      events.push({ event: 'content', number, bytes: totalBytes })
    } else if (offset === 0) events.push({ event: 'announced', number, totalBytes })
  }
  writes.push(...joinedParts(parts))
}

/** The peer has the frames up to this one. Those that it lacks after 10 s are posted again. */
function takeAck(draft: Draft, ack: number, nowMs: number): void {
  const { channel, writes, events } = draft
  if (ack > channel.sent) return breakChannel(draft, 'ACK_AHEAD')
  const done = channel.window.filter(({ counter }) => counter <= ack)
  const last = done.at(-1)
  if (last !== undefined) {
    channel.window = channel.window.slice(done.length)
    writes.push({ write: 'framesDone', upTo: last.counter })
    const upTo = last.contentsUpTo
    if ((channel.outbox[0]?.number ?? Infinity) <= upTo) {
      channel.outbox = channel.outbox.filter(({ number }) => number > upTo)
      writes.push({ write: 'contentsDone', upTo })
      events.push({ event: 'delivered', upTo })
    }
  }
  repostLeftOut(draft, nowMs)
}

const LEFT_OUT_MS = 10_000 // format: an ack that was on its way when the frame was posted says nothing about it

function repostLeftOut({ channel, posts }: Draft, nowMs: number): void {
  if (channel.isHeld || !channel.window.some((each) => isLeftOut(each.postedAtMs, nowMs))) return
  channel.window = channel.window.map((each) => {
    if (!isLeftOut(each.postedAtMs, nowMs)) return each
    posts.push(each.data)
    return { ...each, postedAtMs: nowMs }
  })
}

function isLeftOut(postedAtMs: number | null, nowMs: number): boolean {
  return postedAtMs === null || nowMs - postedAtMs >= LEFT_OUT_MS
}

/** Frames came whose header opens, and did not help. After a day of it the channel is broken. */
function noteStuck(draft: Draft, nowMs: number): void {
  const { stuck } = draft.channel
  const isNew = stuck === null || nowMs - stuck.lastMs > STUCK_PAUSE_MS
  draft.channel.stuck = { sinceMs: isNew ? nowMs : stuck.sinceMs, lastMs: nowMs }
  if (!isNew && nowMs - stuck.sinceMs >= DAY_MS) breakChannel(draft, 'CLOSED_BODIES')
}

/** A frame came by the new intakes, and the peer has what named them: so it is no old frame that somebody put there. */
function leaveOldIntakes({ channel, events }: Draft, { ack }: FrameHeader, nowMs: number): void {
  const { current, next, nextCounter } = channel.ownAt
  if (next === null || nextCounter === null || ack < nextCounter || channel.phase !== 'open') return
  channel.ownAt = { current: next, next: null, nextCounter: null, sinceMs: nowMs, sinceCounter: channel.received }
  events.push({ event: 'retire', intakes: current })
}
