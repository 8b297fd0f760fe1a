/** The events of a turn change more than the channel: times, places, and whether the peer is still there. */
import { formatConnectoids } from '../../../channel/invite/address.ts'
import { CONTROL } from '../../../channel/exchange/control.ts'
import { decodeUtf8 } from '../../../core/encoding/bytes.ts'
import type { Cards } from '../../cards/cards.ts'
import type { EndState } from './end-state.ts'
import type { Means } from './means.ts'
import type { LeftPlace } from '../records/stored-end.ts'
import type { Turn } from './turn.ts'

const MAX_CARDS = 4 // sanity: of one turn; a peer sends its own, and perhaps a newer one of this end's persona
const KEPT_KEYS = 64 // sanity: more than the calls of a connection that run at a time

export function noteEvents(turn: Turn, before: EndState, cards: Cards): void {
  for (const each of turn.events) {
    switch (each.event) {
      case 'content':
        turn.set({ lastReceivedSec: turn.nowSec })
        break
      case 'delivered':
        turn.set({ lastDeliveredSec: turn.nowSec })
        break
      case 'met':
        turn.set({ places: { ...turn.state.places, greeting: null } })
        break
      case 'gone':
        // A channel that closes has said all; the others were left by their peer.
        if (turn.channel.phase === 'open') turn.set({ isGone: true })
        break
      case 'retire':
        notePlaces(turn)
        break
      case 'control':
        break
      case 'announced':
      case 'broken':
      case 'closed':
      case 'peerMoved':
      case 'refused':
        break
    }
  }
  noteCards(turn, cards)
  if (turn.state.uploads.size > 0) forgetUploads(turn)
  if (turn.channel.received > before.channel.received && turn.state.isGone) turn.set({ isGone: false })
  if (turn.state.sentKeys.size > KEPT_KEYS) turn.set({ sentKeys: new Map([...turn.state.sentKeys].slice(-KEPT_KEYS)) })
}

/** The peer has them, or the channel is over. */
function forgetUploads(turn: Turn): void {
  const first = turn.channel.outbox[0]?.number ?? Infinity
  const waiting = [...turn.state.uploads].filter(([number]) => number >= first)
  if (waiting.length < turn.state.uploads.size) turn.set({ uploads: new Map(waiting) })
}

/** The end has left its current place for the next one, or all places for good. */
function notePlaces(turn: Turn): void {
  const { places, left } = turn.state
  const { phase, ownAt } = turn.channel
  const leave = (place: EndState['places']['current']): LeftPlace => ({ place, atSec: turn.nowSec, isRetired: false })
  if (phase === 'open' || phase === 'meeting') {
    const { next, current } = places
    if (next === null || formatConnectoids(next.address).join() !== ownAt.current.join()) return
    turn.set({ places: { ...places, current: next, next: null }, left: [...left, leave(current)] })
    return
  }
  const all = [places.current, ...(places.next === null ? [] : [places.next])]
  const isKnown = left.some(({ place }) => place === places.current)
  if (!isKnown) turn.set({ left: [...left, ...all.map(leave)] })
}

const MAX_TEXTS = 16 // sanity: of one turn, of which the newest for each app counts; a frame has room for dozens

/** The peer's daemon speaks of a contact in another app. Its text is on disk with the frame that brought it. */
export function noteTexts(
  turn: Turn,
  { id, app }: { readonly id: string; readonly app: string },
  { introductions }: Means,
): void {
  const texts = turn.events.flatMap((each) =>
    each.event === 'control' && each.type === CONTROL.proposal ? [each.bytes] : [],
  )
  if (texts.length === 0) return
  turn.alongside.push(() => introductions.take(id, app, texts.slice(-MAX_TEXTS)))
  turn.afterwards.push(() => introductions.taken(id))
}

/** The peer has sent its new card. It is judged as one from anywhere else. A frame has room for thousands, so only the last ones count. */
function noteCards(turn: Turn, cards: Cards): void {
  const sent = turn.events.flatMap((each) =>
    each.event === 'control' && each.type === CONTROL.card ? [each.bytes] : [],
  )
  for (const bytes of sent.slice(-MAX_CARDS)) {
    const card = decodeUtf8(bytes)
    // A card that is not valid changes nothing.
    if (card !== null) turn.afterwards.push(() => void cards.take(card).catch(() => {}))
  }
}
