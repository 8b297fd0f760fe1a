/** The direct way of a channel as a value, and what a step of it asks of its caller (docs/channel.md, section 14). */
import type { JsonObject } from '../../core/encoding/canonical-json.ts'
import type { Role } from '../ratchet/engine.ts'
import { OFFER_LIFE_SEC } from './signal.ts'

export const CONNECT_MS = 30_000 // sanity: to gather takes 2 s; ICE and DTLS repeat what was lost after a second
export const IDLE_MS = 30_000 // format: a phone that keeps a connection open keeps its radio on
export const SILENT_MS = 10_000 // format: an ack comes within a second; a NAT that forgot the connection says nothing
export const HEARD_MS: number = OFFER_LIFE_SEC * 1000 // format: nobody who is away answers an offer in its life
export const FIRST_RETRY_MS = 2000 // sanity: a program that ended has started again
export const MAX_RETRY_MS: number = 30 * 60_000 // sanity: most pairs of NATs that refuse once do so for ever, and people change networks

/** Frames that change nothing here, in KNOWN_MS. */
export const MAX_KNOWN = 256 // format: four windows; an honest end repeats one when the way opens, and one each 10 s
export const KNOWN_MS = 10_000 // format: as long as an end waits before it repeats what an ack left out

export type DirectPhase =
  | 'closed'
  /** The connection makes its own description. */
  | 'describing'
  /** The peer has the offer, and has not answered. */
  | 'offered'
  /** Both descriptions are known. */
  | 'connecting'
  /** The data channel is open, and the peer has not proven itself. */
  | 'proving'
  | 'open'

/** One try to connect, from its offer to its end. */
export interface Try {
  /** The id of its offer. */
  readonly id: string
  readonly isOwnOffer: boolean
  /** When its offer was begun or came, or when its answer came. */
  readonly sinceMs: number
  /** That of the own description; null before it is made. */
  readonly ownFingerprint: Uint8Array | null
  /** That of the peer's description; null before it came. */
  readonly peerFingerprint: Uint8Array | null
}

/** It lives in memory alone: after a start every way is closed. */
export interface DirectWay {
  readonly role: Role
  readonly phase: DirectPhase
  /** Null while the way is closed. */
  readonly attempt: Try | null
  /** When a frame went or came by it last. */
  readonly usedMs: number
  /** Since when frames are in flight and nothing comes by it; null while nothing is awaited. */
  readonly silentSinceMs: number | null
  /** Whether a frame of the peer has come by it since it is open. */
  readonly hasWorked: boolean
  /** Tries in a row that came to nothing. */
  readonly failures: number
  /** No own offer before. */
  readonly notBeforeMs: number
  /** When something of the peer came by any carrier; null if nothing has since the start. */
  readonly heardMs: number | null
  /** When offers of the peer were taken, as long as they count for MAX_OFFERS. */
  readonly tookMs: readonly number[]
  /** Frames that changed nothing since the way is open, or since KNOWN_MS. */
  readonly known: { readonly sinceMs: number; readonly count: number }
}

/** The caller does these in order. Answers of the connection to another id than that of the try are ignored. */
export type DirectAction =
  /** Makes a connection and its offer, then calls `described`. */
  | { readonly act: 'makeOffer'; readonly id: string }
  /** Makes a connection and its answer to this description, then calls `described`. */
  | { readonly act: 'makeAnswer'; readonly id: string; readonly sdp: string }
  /** Gives the peer's answer to the connection. */
  | { readonly act: 'takeAnswer'; readonly id: string; readonly sdp: string }
  /** Seals this for the peer: in a control text of this type, or in M1 or M2. */
  | { readonly act: 'tell'; readonly type: number; readonly members: JsonObject }
  /** Sends one message on the data channel. */
  | { readonly act: 'send'; readonly id: string; readonly message: Uint8Array }
  /** Ends the connection. */
  | { readonly act: 'hangUp'; readonly id: string }
  /** Leaves data at the intakes of the peer. */
  | { readonly act: 'post'; readonly data: Uint8Array }
  /** Takes data of the peer, as from any intake. */
  | { readonly act: 'receive'; readonly data: Uint8Array }
  /** The way is open: frames that were posted long ago go by it (repeatNow). */
  | { readonly act: 'opened' }
  /** The way was open and is closed: every frame that is in flight goes by the other carriers at once (postAgain). */
  | { readonly act: 'closed' }

export interface DirectStep {
  readonly way: DirectWay
  readonly actions: readonly DirectAction[]
}

export function closedWay(role: Role): DirectWay {
  return {
    role,
    phase: 'closed',
    attempt: null,
    usedMs: 0,
    silentSinceMs: null,
    hasWorked: false,
    failures: 0,
    notBeforeMs: 0,
    heardMs: null,
    tookMs: [],
    known: { sinceMs: 0, count: 0 },
  }
}

export const same = (way: DirectWay): DirectStep => ({ way, actions: [] })

/** Whether an answer of a connection belongs to the try of now. */
export function isCurrent({ attempt }: DirectWay, id: string): boolean {
  return attempt?.id === id
}

/** Something of the peer came, by any carrier. */
export function heardPeer(way: DirectWay, nowMs: number): DirectWay {
  return { ...way, heardMs: nowMs }
}

/** Ends the try, if there is one. @param isFailure whether the next own offer waits longer */
export function hangUp(way: DirectWay, isFailure: boolean, nowMs: number): DirectStep {
  if (way.attempt === null) return same(way)
  const failures = isFailure ? way.failures + 1 : 0
  const waitMs = Math.min(MAX_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.max(0, failures - 1))
  const { role, heardMs, tookMs } = way
  const actions: DirectAction[] = [{ act: 'hangUp', id: way.attempt.id }]
  if (way.phase === 'open') actions.push({ act: 'closed' })
  return { way: { ...closedWay(role), heardMs, tookMs, failures, notBeforeMs: nowMs + waitMs }, actions }
}

/** The connection has ended, or could not be made. */
export function lost(way: DirectWay, id: string, nowMs: number): DirectStep {
  return isCurrent(way, id) ? hangUp(way, !way.hasWorked, nowMs) : same(way)
}

/** When {@link tickWay} has something to do; null for never. */
export function nextWayMs({ phase, attempt, usedMs, silentSinceMs }: DirectWay): number | null {
  if (attempt === null) return null
  if (phase === 'offered') return attempt.sinceMs + OFFER_LIFE_SEC * 1000
  if (phase !== 'open') return attempt.sinceMs + CONNECT_MS
  return Math.min(usedMs + IDLE_MS, silentSinceMs === null ? Infinity : silentSinceMs + SILENT_MS)
}

/** Ends a try that takes too long, and a way that is idle or silent. */
export function tickWay(way: DirectWay, nowMs: number): DirectStep {
  const dueMs = nextWayMs(way)
  if (dueMs === null || nowMs < dueMs) return same(way)
  const isIdle = way.phase === 'open' && way.silentSinceMs === null
  return hangUp(way, !isIdle && !way.hasWorked, nowMs)
}
