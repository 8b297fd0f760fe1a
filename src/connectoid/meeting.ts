/** The effects of data, news and times on a peer of a page: on its handshake, its channel, and its places (docs/channel.md). */
import { close, isMoveDue, moveTo, peerRetired } from '../channel/exchange/life.ts'
import { takenOf, type Taken } from '../channel/direct/traffic.ts'
import { receive } from '../channel/exchange/receive.ts'
import { nextTickMs, REPEAT_MS, repeatNow, tick } from '../channel/exchange/repeat.ts'
import { guestFindsUsed, guestReceive, guestTick, type GuestStep, type Self } from '../channel/handshake/guest.ts'
import { hostReceive, isOver } from '../channel/handshake/host.ts'
import type { Peer as HandshakePeer } from '../channel/handshake/peer.ts'
import { hpkeOpenFrom } from '../channel/hpke/hpke-seals.ts'
import type { Place } from '../channel/carriers/carrier.ts'
import { formatConnectoids } from '../channel/invite/address.ts'
import { BOX_TYPE, dataType } from '../channel/ratchet/box-data.ts'
import { formatHex } from '../core/encoding/bytes.ts'
import { portableBoxes } from '../crypto/portable-boxes.ts'
import { below } from './disk.ts'
import { contextOf, newPlace, type PageMeans } from './page-means.ts'
import type { PagePlace, PeerRecord } from './record.ts'
import type { Turn } from './turn.ts'

const MOVE_MS: number = 7 * 86_400_000 // format: docs/channel.md, section 9

/** How this page shows itself to one peer. */
export function selfAt({ address }: PagePlace, { ownName }: PageMeans): Self {
  return {
    address,
    identity: null,
    ...(ownName === null ? {} : { name: ownName }),
  }
}

/** Takes data that came by an own place. */
export async function takeData(turn: Turn, data: Uint8Array, place: Place, means: PageMeans): Promise<void> {
  const { host, guest, invitePlace, next, current } = turn.record
  if (invitePlace !== null && place === invitePlace) {
    // Whoever has no k is not answered: a page lets nobody in by words alone.
    if (host !== null && dataType(data) === BOX_TYPE.m1) await takeFirst(turn, data, invitePlace, means)
    return
  }
  if (guest !== null)
    return noteGuest(turn, await guestReceive(guest, data, hpkeOpenFrom(current!.secret), contextOf()))
  takeFrame(turn, data, place === next)
}

/** @param atNext whether it came by the place to which the channel moves */
export function takeFrame(turn: Turn, data: Uint8Array, atNext: boolean): Taken {
  const { channel } = turn.record
  if (channel === null) return 'new'
  const step = receive(channel, data, atNext, turn.nowMs, portableBoxes)
  turn.step(step)
  const taken = takenOf(channel, step.channel)
  if (taken === 'refused') return taken
  turn.isHeard = true
  turn.set({
    lastHeardMs: turn.nowMs,
    isGone: turn.record.isGone && step.channel.received === channel.received,
  })
  return taken
}

/** A first message came by the own link. */
async function takeFirst(turn: Turn, data: Uint8Array, invitePlace: PagePlace, means: PageMeans): Promise<void> {
  const place = await newPlace(means)
  const openFrom = hpkeOpenFrom(invitePlace.secret)
  const step = await hostReceive(turn.record.host!, data, openFrom, selfAt(place, means), contextOf())
  turn.set({ host: step.state })
  for (const { to, data: answer } of step.posts) turn.posts.push({ to, data: [answer] })
  for (const event of step.events) {
    if (event.event === 'claimed') {
      turn.addPair(place)
      turn.firstOffer = event.peer.sdp
      turn.set({ current: place, ...shownBy(event.peer) })
      turn.step(event.start)
    } else if (event.event === 'again') turn.withChannel((channel) => repeatNow(channel, turn.nowMs, portableBoxes))
    else if (event.event === 'INVITE_TWICE') turn.set({ isUsedTwice: true })
  }
}

function shownBy({ name, persona }: HandshakePeer): Pick<PeerRecord, 'ownName' | 'persona' | 'lastHeardMs'> {
  return {
    ownName: name,
    persona: persona === null ? null : formatHex(persona.personaId),
    lastHeardMs: contextOf().nowMs,
  }
}

/** Takes a step of the guest. */
export function noteGuest(turn: Turn, step: GuestStep): void {
  const { state, posts, events } = step
  if (posts.length > 0) turn.posts.push({ to: formatConnectoids(state.hostAt), data: posts })
  const connected = events.find((each) => each.event === 'connected')
  if (connected !== undefined) {
    turn.set({ guest: null, ...shownBy(connected.peer) })
    turn.step(connected.start)
  } else if (state.phase === 'ended') {
    const ended = events.some(({ event }) => event === 'MISBOUND') ? 'MISBOUND' : 'EXPIRED'
    turn.set({
      guest: null,
      ended,
      current: null,
      left: [...turn.record.left, turn.record.current!],
    })
  } else turn.set({ guest: state })
}

/** A box of the other side is retired. @param address its connectoid value */
export function takeUsed(turn: Turn, address: string): void {
  const { guest } = turn.record
  if (guest !== null) noteGuest(turn, guestFindsUsed(guest, turn.nowMs))
  turn.withChannel((channel) => peerRetired(channel, address))
}

/** The network is back: everything that is not acknowledged is posted at once. */
export function repeatAtOnce(turn: Turn): void {
  const { guest } = turn.record
  if (guest !== null) noteGuest(turn, guestTick(guest, turn.nowMs, true))
  turn.withChannel((channel) => repeatNow(channel, turn.nowMs, portableBoxes))
}

/** When a peer has something to do by itself; null for never. */
export function dueMs({ host, guest, channel, left, next, current, isLinkClosed }: PeerRecord): number | null {
  const times: number[] = []
  if (host !== null) times.push(host.claim !== null && !isLinkClosed ? 0 : host.invite.expiresAtSec * 1000)
  if (guest !== null) {
    const { postedAtMs, expiresAtMs, usedAtMs, isIntercepted } = guest
    times.push(expiresAtMs, postedAtMs === null ? 0 : postedAtMs + REPEAT_MS)
    if (usedAtMs !== null && !isIntercepted) times.push(usedAtMs + REPEAT_MS)
  }
  if (channel !== null) {
    const tickMs = nextTickMs(channel)
    if (tickMs !== null) times.push(tickMs)
    if (channel.phase === 'open' && next === null && current !== null)
      times.push(isMoveDue(channel, 0) ? 0 : channel.ownAt.sinceMs + MOVE_MS)
  }
  if (left.length > 0) times.push(0)
  return times.length === 0 ? null : Math.min(...times)
}

/** The time of a peer has come. */
export async function ring(turn: Turn, means: PageMeans): Promise<void> {
  const { guest, host, invitePlace } = turn.record
  if (guest !== null) noteGuest(turn, guestTick(guest, turn.nowMs))
  if (host !== null && isOver(host, turn.nowMs)) {
    const ended = turn.record.channel === null ? 'EXPIRED' : null
    turn.set({
      host: null,
      invitePlace: null,
      ended,
      left: [...turn.record.left, invitePlace!],
    })
  }
  turn.withChannel((channel) => tick(channel, turn.nowMs))
  const { channel, current } = turn.record
  if (channel === null || current === null) return
  const isElsewhere = current.address.where.map(({ url }) => url).join() !== means.services.join()
  if (isMoveDue(channel, turn.nowMs) || (isElsewhere && channel.phase === 'open' && channel.ownAt.next === null)) {
    const next = await newPlace(means)
    turn.addPair(next)
    turn.set({ next })
    turn.step(moveTo(channel, next.address))
  }
}

/** The user ends the sharing: last frames are sealed, and every key is erased. The boxes are still to be closed. */
export function unshare(turn: Turn): void {
  turn.withChannel((channel) => close(channel, turn.nowMs, portableBoxes))
  const { invitePlace, current, left } = turn.record
  const places = [invitePlace, current].filter((place) => place !== null)
  const gone = {
    invitePlace: null,
    current: null,
    next: null,
    host: null,
    guest: null,
    left: [...left, ...places],
  }
  const nobody = { name: '', ownName: null, persona: null, lastHeardMs: null }
  turn.set({ ...gone, ...nobody, isUnshared: true })
  turn.writes.push({ remove: below(['in', turn.id]) })
}

/** Nothing is left to post or to close: all of it may go. */
export function isSpent({ isUnshared, channel, left }: PeerRecord): boolean {
  return isUnshared && left.length === 0 && (channel === null || channel.phase === 'closed')
}
