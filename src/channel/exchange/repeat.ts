/** Repeats: the sender posts the same bytes again until the peer has acknowledged them (docs/channel.md, section 8). */
import { draftOf, type Channel, type Draft, type Step } from './channel.ts'
import type { ChannelEngine } from '../ratchet/engine.ts'
import { FRAME_KIND, sealNotice } from '../ratchet/frame.ts'

export const REPEAT_MS: number = 50 * 60_000 // format: a message lives an hour in a box of a relay
const SOON_MS = 10_000 // sanity: whoever shows up twice at once gets the frames once
const SAY_MS = 60_000 // sanity: a peer who goes on sending hears it once a minute
const CLOSING_MS: number = 30 * 86_400_000 // format: as long as a box lives after its last check

/** Posts what is due. The caller calls it at {@link nextTickMs}, and after a start. */
export function tick(channel: Channel, nowMs: number): Step {
  const draft = draftOf(channel)
  if (channel.phase === 'closing' && nowMs - channel.saidAtMs! >= CLOSING_MS) return endClosing(draft)
  post(draft, nowMs, REPEAT_MS)
  return draft
}

/** When {@link tick} has something to do; null for never. */
export function nextTickMs({ phase, isHeld, greeting, window, saidAtMs }: Channel): number | null {
  const times = isHeld ? [] : window.map(({ postedAtMs }) => dueAt(postedAtMs))
  if (greeting !== null) {
    const at = dueAt(greeting.postedAtMs)
    if (at < greeting.expiresAtMs) times.push(at)
  }
  if (phase === 'closing') times.push(saidAtMs! + CLOSING_MS)
  return times.length === 0 ? null : Math.min(...times)
}

function dueAt(postedAtMs: number | null): number {
  return postedAtMs === null ? 0 : postedAtMs + REPEAT_MS
}

/** The peer showed up, or a carrier changed: everything that is not acknowledged is posted at once. */
export function repeatNow(channel: Channel, nowMs: number, engine: ChannelEngine): Step {
  const draft = draftOf(channel)
  repeat(draft, nowMs, engine)
  return draft
}

/** The carrier that had the frames has lost them, perhaps: everything that is not acknowledged is posted at once, also what was posted just now. */
export function postAgain(channel: Channel, nowMs: number): Step {
  const draft = draftOf(channel)
  post(draft, nowMs, 0)
  return draft
}

export function repeat(draft: Draft, nowMs: number, engine: ChannelEngine): void {
  if (draft.channel.phase === 'broken') sayBroken(draft, nowMs, engine)
  else post(draft, nowMs, SOON_MS)
}

/** Posts the greeting and the frames that were not posted for so long. */
function post({ channel, posts }: Draft, nowMs: number, afterMs: number): void {
  const isDue = (postedAtMs: number | null): boolean => postedAtMs === null || nowMs - postedAtMs >= afterMs
  const { greeting } = channel
  if (greeting !== null && nowMs < greeting.expiresAtMs && isDue(greeting.postedAtMs)) {
    posts.push(greeting.data)
    channel.greeting = { ...greeting, postedAtMs: nowMs }
  }
  if (channel.isHeld || !channel.window.some(({ postedAtMs }) => isDue(postedAtMs))) return
  channel.window = channel.window.map((each) => {
    if (!isDue(each.postedAtMs)) return each
    posts.push(each.data)
    return { ...each, postedAtMs: nowMs }
  })
}

/** Tells the peer that this end is broken, at most once a minute. */
export function sayBroken({ channel, posts }: Draft, nowMs: number, engine: ChannelEngine): void {
  const { saidAtMs, headerKeys, received } = channel
  if (headerKeys === null || (saidAtMs !== null && nowMs - saidAtMs < SAY_MS)) return
  channel.saidAtMs = nowMs
  posts.push(sealNotice(FRAME_KIND.broken, received, headerKeys.own, engine))
}

/** The last frames need no more posting: the peer has retired its intakes, or a month is over. */
export function endClosing(draft: Draft): Step {
  const { channel, writes, events } = draft
  channel.phase = 'closed'
  channel.window = []
  writes.push({ write: 'framesDone', upTo: channel.sent })
  events.push({ event: 'gone' })
  return draft
}
