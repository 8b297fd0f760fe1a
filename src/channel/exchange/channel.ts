/** The state of a channel as a value, and what a step of it asks of its caller (docs/channel.md, sections 7 to 10). */
import type { Begun } from '../ratchet/body.ts'
import { ChannelError } from './errors.ts'
import type { Role } from '../ratchet/engine.ts'
import type { Ratchet } from '../ratchet/ratchet.ts'

/** Frames in flight, and early frames that are kept. */
export const WINDOW = 64 // format: both ends must agree; 64 of the greatest are 750 KiB, and a box of a relay has room for two windows
/** The bytes of a header's tag that are kept. Only the peer makes headers, so they need not withstand anybody. */
export const KEPT_TAG_BYTES = 4 // sanity: two frames of one number look alike once in 2^32; each turn that receives writes all of the window
/** Bytes of contents that the app has not taken. Above it, nothing more is acknowledged. */
export const MAX_UNREAD_BYTES: number = 8 << 20 // sanity: the memory of the store that one peer can fill
/** Bytes of contents that the peer has not acknowledged. */
export const MAX_OUTBOX_BYTES: number = 16 << 20 // sanity: what an app may leave here for a peer who is away
/** The cost of each content beside its bytes, so that a flood of empty ones is bounded too. */
export const CONTENT_COST_BYTES = 256 // sanity: about what a record takes

/** A content of this end that the peer has not acknowledged, with its number: 1, 2, ... */
export interface OutContent {
  readonly number: number
  readonly bytes: Uint8Array
}

/** A frame of this end that the peer has not acknowledged. */
export interface SentFrame {
  readonly counter: number
  /** As it is posted: type and frame. It is sealed once. */
  readonly data: Uint8Array
  /** The last content that ends in this frame or before it. */
  readonly contentsUpTo: number
  /** When it was posted last, by the caller's clock; null if never since the state was read from disk. */
  readonly postedAtMs: number | null
}

/** A frame of the peer that waits for its turn, sealed. */
export interface EarlyFrame {
  readonly counter: number
  /** Without its type. */
  readonly frame: Uint8Array
}

export type Phase =
  /** The host waits for the guest's first frame. */
  | 'meeting'
  | 'open'
  /** It can go on no more; see {@link BrokenReason}. */
  | 'broken'
  /** This end has closed it, and posts its last frames. */
  | 'closing'
  /** Every key is erased. */
  | 'closed'

export type BrokenReason =
  | 'CLOSED_BODIES' // for a day, frames came whose header opens, and none opened in its turn
  | 'NUMBER_TWICE' // two frames of the peer have one number
  | 'ACK_AHEAD' // the peer has frames that this end never sealed: the state here is an old one
  | 'INTAKES_LOST' // the caller lost both intakes
  | 'RESTORED' // the caller's state was restored or copied
  | 'PEER' // the peer says that it is broken
  | 'COMMITMENT' // the guest's first frame is not what it promised

/** The host checks this in the guest's first frame. */
export interface GuestPromise {
  readonly commit: Uint8Array
  readonly nA: Uint8Array
  readonly m1: Uint8Array
  readonly m2: Uint8Array
}

/** The addresses where this end receives, as connectoid values. */
export interface OwnIntakes {
  readonly current: readonly string[]
  /** The new ones, until a frame came by them. */
  readonly next: readonly string[] | null
  /** The frame that tells the peer of them, or one after it; null until it is sealed. */
  readonly nextCounter: number | null
  /** When `current` came into use. */
  readonly sinceMs: number
  /** Counter of received frames then. */
  readonly sinceCounter: number
}

/** Since when frames come that do not help. */
export interface Stuck {
  readonly sinceMs: number
  readonly lastMs: number
}

/** All keys of a channel that is open. */
export interface ChannelKeys {
  readonly ratchet: Ratchet
  /** Records host, records guest, rtc: 96 bytes for carriers. */
  readonly carriers: Uint8Array
}

export interface Channel {
  readonly role: Role
  readonly phase: Phase
  readonly brokenBecause: BrokenReason | null
  /** Null once the channel is broken, closing or closed. */
  readonly keys: ChannelKeys | null
  /** Header keys of this end and of the peer, 32 bytes each; null once the channel is closing or closed. */
  readonly headerKeys: { readonly own: Uint8Array; readonly peer: Uint8Array } | null
  /** Only in the phase 'meeting'. */
  readonly promise: GuestPromise | null
  /** Indices of the words, until they were compared; null before the host knows them. */
  readonly words: readonly number[] | null
  /** SHA-256(M2): the guest knows a repeated M2 by it. */
  readonly m2Hash: Uint8Array
  /** M2 as it is posted, at the host until the guest's first frame. It is not repeated after it expires. */
  readonly greeting: {
    readonly data: Uint8Array
    readonly postedAtMs: number | null
    readonly expiresAtMs: number
  } | null
  /** Where the peer receives, as connectoid values. */
  readonly peerAt: readonly string[]
  readonly ownAt: OwnIntakes
  /** Nothing is sent and nothing is told to the app: a candidate, or an end that its card does not list. */
  readonly isHeld: boolean
  /** The highest counter of this end's frames. */
  readonly sent: number
  /** The counter before the first frame of this end's chain. */
  readonly sentBefore: number
  readonly window: readonly SentFrame[]
  readonly outbox: readonly OutContent[]
  /** The number of the last content that was handed in. */
  readonly outNumber: number
  /** The next frame is cut from this content, from this byte on. */
  readonly cut: { readonly number: number; readonly offset: number }
  /** Control items that wait, as they stand in a body. */
  readonly controls: readonly Uint8Array[]
  /** The highest counter of the peer's frames that was taken in order. */
  readonly received: number
  /** The counter before the first frame of the peer's chain. */
  readonly receivedBefore: number
  /** The first bytes of the tags of the last 64 headers in order, each at its counter modulo 64. */
  readonly tags: Uint8Array
  readonly early: readonly EarlyFrame[]
  /** The number of the last content that began to come. */
  readonly inNumber: number
  readonly begun: Begun | null
  /** Bytes that the app has not taken, each content with CONTENT_COST_BYTES. */
  readonly unreadBytes: number
  /** The peer does not know yet what was received. */
  readonly owesAck: boolean
  readonly stuck: Stuck | null
  /** Frames and messages that were refused. */
  readonly refused: number
  /** When this end said last that it is broken; or when it began to close. */
  readonly saidAtMs: number | null
}

export const NO_TAGS: Uint8Array = new Uint8Array(WINDOW * KEPT_TAG_BYTES)

/** This must be on disk, with the new state and in one batch, before anything is posted or told. */
export type Write =
  | { readonly write: 'frame'; readonly counter: number; readonly data: Uint8Array }
  | { readonly write: 'framesDone'; readonly upTo: number }
  | { readonly write: 'early'; readonly counter: number; readonly frame: Uint8Array }
  | { readonly write: 'earlyDone'; readonly counter: number }
  | { readonly write: 'content'; readonly number: number; readonly bytes: Uint8Array }
  | { readonly write: 'contentsDone'; readonly upTo: number }
  /** Bytes of a content of the peer. They are complete when `offset` plus their length is `totalBytes`. */
  | {
      readonly write: 'part'
      readonly number: number
      readonly totalBytes: number
      readonly offset: number
      readonly bytes: Uint8Array
    }

/** The caller tells this to the app or to its own other parts, after the writes. */
export type ChannelEvent =
  /** A content of the peer is complete. */
  | { readonly event: 'content'; readonly number: number; readonly bytes: number }
  /** The peer has announced a content that is cut. */
  | { readonly event: 'announced'; readonly number: number; readonly totalBytes: number }
  /** Contents of this end up to this number are durable at the peer. */
  | { readonly event: 'delivered'; readonly upTo: number }
  | { readonly event: 'met'; readonly words: readonly number[] }
  | { readonly event: 'control'; readonly type: number; readonly bytes: Uint8Array }
  | { readonly event: 'peerMoved'; readonly peerAt: readonly string[] }
  /** The old intakes are read once more, and retired. */
  | { readonly event: 'retire'; readonly intakes: readonly string[] }
  | { readonly event: 'broken'; readonly reason: BrokenReason }
  /** The peer has closed the channel. */
  | { readonly event: 'closed' }
  /** The last frame of this end needs no more posting. */
  | { readonly event: 'gone' }
  | { readonly event: 'refused' }

/** One step: first the writes with the channel, then the posts and events. */
export interface Step {
  readonly channel: Channel
  readonly writes: readonly Write[]
  /** Data for every intake of `channel.peerAt`, in order. */
  readonly posts: readonly Uint8Array[]
  readonly events: readonly ChannelEvent[]
}

/** A step while it is made. Its lists are new; the values in the channel are replaced, never changed. */
export interface Draft {
  readonly channel: { -readonly [Key in keyof Channel]: Channel[Key] }
  readonly writes: Write[]
  readonly posts: Uint8Array[]
  readonly events: ChannelEvent[]
}

export function draftOf(channel: Channel): Draft {
  return { channel: { ...channel }, writes: [], posts: [], events: [] }
}

/** Erases every key of the ratchet, and the frames. The contents that were not acknowledged stay, for a new channel. */
export function breakChannel({ channel, writes, events }: Draft, reason: BrokenReason): void {
  writes.push({ write: 'framesDone', upTo: channel.sent })
  for (const { counter } of channel.early) writes.push({ write: 'earlyDone', counter })
  channel.phase = 'broken'
  channel.window = []
  channel.early = []
  channel.brokenBecause = reason
  channel.keys = null
  channel.promise = null
  channel.greeting = null
  channel.saidAtMs = null
  events.push({ event: 'broken', reason })
}

/** @throws {ChannelError} CHANNEL_NOT_OPEN */
export function checkOpen({ phase }: Channel): void {
  if (phase !== 'open' && phase !== 'meeting')
    throw new ChannelError('CHANNEL_NOT_OPEN', `the channel is ${phase}; make a new one by an invite`)
}
