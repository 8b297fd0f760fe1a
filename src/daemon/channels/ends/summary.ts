/** This part of an end stays in memory while it has nothing to do. */
import { nextTickMs } from '../../../channel/exchange/repeat.ts'
import { parseConnectoids } from '../../../channel/invite/address.ts'
import { isMoveDue } from '../../../channel/exchange/life.ts'
import type { ChannelState } from '../../../ipc/methods/channel-values.ts'
import {
  ownIntakes,
  type Line,
  type OwnIntake,
  type OwnPlace,
  type Watched,
} from '../../../channel/carriers/carrier.ts'
import type { EndPlaces } from '../records/stored-end.ts'
import type { EndState } from './end-state.ts'

const DAY_MS = 86_400_000
const MOVE_CHECK_MS: number = 7 * DAY_MS // format: docs/channel.md, section 9
/** A held end closes after so long, and a place that was left is forgotten by its carrier. */
export const HELD_MS: number = 30 * DAY_MS // format: docs/channel.md, section 9
export const LEFT_MS: number = 31 * DAY_MS // sanity: a peer who closed repeats for 30 days

/** Where both ends receive, made from their addresses. It changes only with a move, and making it costs as much as the rest of a turn. */
interface Lines {
  readonly places: EndPlaces
  readonly peerAt: readonly string[]
  /** Where both ends receive. */
  readonly line: Line
  /** Where this end reads: the place of an invite is read by the invite itself. */
  readonly sources: readonly OwnIntake[]
  /** The same, as carriers watch it. */
  readonly watched: readonly Watched[]
}

export interface Summary extends Lines {
  readonly state: ChannelState
  readonly reason: string | null
  /** How far each own intake was read, by its connectoid value. */
  readonly cursors: ReadonlyMap<string, string>
  /** When the end has something to do by itself; null for never. */
  readonly dueMs: number | null
  /** When the end closed; null if it has not. 0 once its places are forgotten, after 31 days. */
  readonly closedAtSec: number | null
}

/** @param before an earlier summary of the same end, if there is one */
export function summaryOf(id: string, end: EndState, before: Summary | null = null): Summary {
  const { places, channel, cursors } = end
  const areSame = before !== null && before.places === places && before.peerAt === channel.peerAt
  const { peerAt, line, sources, watched } = areSame ? before : linesOf(id, places, channel.peerAt)
  const lines: Lines = { places, peerAt, line, sources, watched }
  return {
    ...lines,
    state: stateOf(end),
    reason: reasonOf(end),
    cursors,
    dueMs: dueMs(end),
    closedAtSec: channel.phase === 'closed' ? (end.left.at(-1)?.atSec ?? 0) : null,
  }
}

function linesOf(id: string, places: EndPlaces, peerAt: readonly string[]): Lines {
  // M2 stands at the place of the invite, too.
  const own = [places.current, places.next, places.greeting].filter((place) => place !== null)
  const sources = [places.current, places.next].flatMap((place) => (place === null ? [] : ownIntakes({ own: [place] })))
  const line: Line = { id, own, peer: parseConnectoids(peerAt) }
  return { places, peerAt, line, sources, watched: sources.map((source) => ({ line, own: source })) }
}

export function stateOf({ channel, isGone, heldBecause }: EndState): ChannelState {
  const { phase } = channel
  if (phase === 'broken' || phase === 'closing' || phase === 'closed') return phase
  if (isGone) return 'gone'
  if (heldBecause === 'candidate') return 'held'
  if (heldBecause === 'card' || heldBecause === 'blocked') return 'suspended'
  return phase
}

export function reasonOf({ channel, isGone, heldBecause }: EndState): string | null {
  if (channel.brokenBecause !== null) return channel.brokenBecause
  if (isGone) return 'RETIRED'
  if (heldBecause === 'candidate') return 'WITHOUT_SECRET'
  if (heldBecause === 'blocked') return 'BLOCKED'
  return heldBecause === 'card' ? 'CARD' : null
}

/** The relays of a place: boxes there are left for new ones. Folders stay, since whoever sees a folder sees both ends anyway. */
export function relaysOf({ address }: OwnPlace): string[] {
  return address.where.flatMap(({ url }) => (/^https?:/.test(url) ? [url] : []))
}

/** The networks where a place has a record. Its key comes from that of the place, so a new place has another one. */
export function recordsOf({ address }: OwnPlace): string[] {
  return address.where.flatMap(({ url }) => /^(?:dht|veilid)(?=:)/.exec(url) ?? [])
}

function dueMs({ channel, left, heldSinceSec, places }: EndState): number | null {
  const times = left.map(({ atSec, isRetired }) => (isRetired ? atSec * 1000 + LEFT_MS : 0))
  const tickMs = nextTickMs(channel)
  if (tickMs !== null) times.push(tickMs)
  if (heldSinceSec !== null && channel.phase === 'open') times.push(heldSinceSec * 1000 + HELD_MS)
  const canMove = channel.phase === 'open' && channel.ownAt.next === null && !channel.isHeld
  // A time that has come and changes nothing would come again at once.
  if (canMove && relaysOf(places.current).length > 0) times.push(moveMs(channel))
  return times.length === 0 ? null : Math.min(...times)
}

function moveMs(channel: EndState['channel']): number {
  const atMs = channel.ownAt.sinceMs + MOVE_CHECK_MS
  return isMoveDue(channel, atMs - 1) ? 0 : atMs
}
