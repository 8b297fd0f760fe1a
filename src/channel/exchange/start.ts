/** The first state of a channel, when its handshake is over at this end (docs/channel.md, section 5). */
import { controlItem } from '../ratchet/body.ts'
import { BOX_TYPE, formatData } from '../ratchet/box-data.ts'
import { draftOf, NO_TAGS, type Channel, type Step } from './channel.ts'
import { CONTROL } from './control.ts'
import type { ChannelEngine, Role } from '../ratchet/engine.ts'
import { FRAME_KIND } from '../ratchet/frame.ts'
import { guestRatchet, hostRatchet, type Ratchet } from '../ratchet/ratchet.ts'
import { handshakeWords, type Root, type Transcript } from '../ratchet/root.ts'
import { sealNext } from './send.ts'

/** Both ends have this after M2. */
export interface Agreed {
  readonly root: Root
  readonly transcript: Transcript
  readonly nA: Uint8Array
  /** The key `dh` of this end's message. */
  readonly ownKey: Uint8Array
  /** The key `dh` of the peer's message. */
  readonly peerKey: Uint8Array
  /** Connectoid values. */
  readonly ownAt: readonly string[]
  readonly peerAt: readonly string[]
  readonly nowMs: number
}

/** The guest's channel, with its first frame: M3, which tells nB and nothing else. */
export function startGuest(agreed: Agreed, nB: Uint8Array, engine: ChannelEngine): Step {
  const { root, transcript, nA, ownKey, peerKey, nowMs } = agreed
  const ratchet = guestRatchet(root.ratchet, ownKey, peerKey)
  const words = handshakeWords(engine, transcript, nA, nB)
  const draft = draftOf({ ...firstChannel('guest', ratchet, agreed), phase: 'open', words })
  sealNext(draft, FRAME_KIND.contents, [controlItem(CONTROL.nonce, nB)], nowMs, engine)
  draft.events.push({ event: 'met', words })
  return draft
}

/** The host keeps this of the handshake until the guest's first frame. */
export interface HostPart {
  /** The secret of `dh` in M2. */
  readonly ownSecret: Uint8Array
  /** The guest's promise of nB. */
  readonly commit: Uint8Array
  /** M2 without its type. */
  readonly m2: Uint8Array
  /** When M2 is not repeated any more. */
  readonly expiresAtMs: number
  /** A candidate is held until its words are confirmed. */
  readonly isCandidate: boolean
}

/** The host's channel, with M2. It goes on when the guest's first frame has come. */
export function startHost(agreed: Agreed, part: HostPart): Step {
  const { root, transcript, nA, ownKey, peerKey, nowMs } = agreed
  const ratchet = hostRatchet(root.ratchet, part.ownSecret, ownKey, peerKey)
  const data = formatData(BOX_TYPE.m2, part.m2)
  const draft = draftOf({
    ...firstChannel('host', ratchet, agreed),
    phase: 'meeting',
    promise: { commit: part.commit, nA, ...transcript },
    greeting: { data, postedAtMs: nowMs, expiresAtMs: part.expiresAtMs },
    isHeld: part.isCandidate,
  })
  draft.posts.push(data)
  return draft
}

function firstChannel(role: Role, ratchet: Ratchet, agreed: Agreed): Omit<Channel, 'phase'> {
  const { root, transcript, ownAt, peerAt, nowMs } = agreed
  const { hostHeader, guestHeader, carriers } = root
  return {
    role,
    brokenBecause: null,
    keys: { ratchet, carriers },
    headerKeys: role === 'host' ? { own: hostHeader, peer: guestHeader } : { own: guestHeader, peer: hostHeader },
    promise: null,
    words: null,
    m2Hash: transcript.m2,
    greeting: null,
    peerAt,
    ownAt: { current: ownAt, next: null, nextCounter: null, sinceMs: nowMs, sinceCounter: 0 },
    isHeld: false,
    sent: 0,
    sentBefore: 0,
    window: [],
    outbox: [],
    outNumber: 0,
    cut: { number: 1, offset: 0 },
    controls: [],
    received: 0,
    receivedBefore: 0,
    tags: NO_TAGS,
    early: [],
    inNumber: 0,
    begun: null,
    unreadBytes: 0,
    owesAck: false,
    stuck: null,
    refused: 0,
    saidAtMs: null,
  }
}
