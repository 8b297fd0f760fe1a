/** The host's side of a handshake: an open invite, its claim and its candidates (docs/channel.md, section 5). */
import { encodeUtf8, equalBytes } from '../../core/encoding/bytes.ts'
import { formatConnectoids } from '../invite/address.ts'
import { BOX_TYPE, dataType, formatData } from '../ratchet/box-data.ts'
import type { Step } from '../exchange/channel.ts'
import { formatConnectoid } from '../invite/address.ts'
import type { Self } from './guest.ts'
import { inviteWithoutK, isExpired, type Invite } from '../invite/invite.ts'
import { KEY_BYTES } from '../ratchet/kdf.ts'
import { checkMessageLength, formatMessage, parseMessage, type ReadMessage } from './message.ts'
import { judgePeer, type HandshakeContext, type Peer, type RefusalReason } from './peer.ts'
import { invitePsk, makeRoot, NONCE_BYTES } from '../ratchet/root.ts'
import type { OpenFrom } from './seals.ts'
import { startHost } from '../exchange/start.ts'

export const MAX_CANDIDATES = 4 // format: whoever saw the bare link may fill them; a guest with k needs none
const MAX_LATE = 16 // sanity: late guests that are remembered, so that each is told once and the owner hears of it once

/** An M1 that was answered. */
export interface Answered {
  /** SHA-256(M1) */
  readonly m1Hash: Uint8Array
}

/** An open invite at the host. All of it is kept on disk, sealed, with the one-time key beside it. */
export interface HostState {
  readonly invite: Invite
  /** The guest that has the invite. */
  readonly claim: Answered | null
  /** Guests without k. One of them gets the invite when its words are confirmed. */
  readonly candidates: readonly Answered[]
  /** Later guests. */
  readonly late: readonly Answered[]
  readonly refused: number
}

export type HostEvent =
  /** A guest has the invite. The caller writes the channel with the state, then posts M2, then retires the intake. */
  | { readonly event: 'claimed'; readonly peer: Peer; readonly m1Hash: Uint8Array; readonly start: Step }
  /** A guest without k. Its channel is held; the caller shows its words and asks for a comparison. */
  | { readonly event: 'candidate'; readonly peer: Peer; readonly m1Hash: Uint8Array; readonly start: Step }
  /** The same M1 came again: the caller calls repeatNow for the channel of this guest. */
  | { readonly event: 'again'; readonly m1Hash: Uint8Array }
  /** Candidates lost: the caller erases their channels. */
  | { readonly event: 'dropped'; readonly m1Hashes: readonly Uint8Array[] }
  /** A second guest came with the same invite. The first may have been the wrong one. */
  | { readonly event: 'INVITE_TWICE' }
  | { readonly event: 'refused'; readonly reason: RefusalReason }

export interface HostStep {
  readonly state: HostState
  /** Answers to late guests. M2 is among the posts of the channel's start. */
  readonly posts: readonly { readonly to: readonly string[]; readonly data: Uint8Array }[]
  readonly events: readonly HostEvent[]
}

const still = (state: HostState, ...events: readonly HostEvent[]): HostStep => ({ state, posts: [], events })

export function openInvite(invite: Invite): HostState {
  return { invite, claim: null, candidates: [], late: [], refused: 0 }
}

/** Whether the invite has ended: the caller erases the one-time key, and the channels of candidates. */
export function isOver({ invite }: HostState, nowMs: number): boolean {
  return isExpired(invite, Math.floor(nowMs / 1000))
}

/**
 * Takes data that came by an intake of the invite. The caller handles one after another, and writes the state before it posts.
 * @param openFrom of the one-time key
 * @param self a new address for this peer; it is used only if the step has the event `claimed` or `candidate`
 * @throws {HandshakeError} MESSAGE_TOO_LARGE, for the answer
 */
export async function hostReceive(
  state: HostState,
  data: Uint8Array,
  openFrom: OpenFrom,
  self: Self,
  context: HandshakeContext,
): Promise<HostStep> {
  const type = dataType(data)
  if ((type !== BOX_TYPE.m1 && type !== BOX_TYPE.m1WithoutK) || isOver(state, context.nowMs))
    return refused(state, 'MALFORMED')
  const m1 = data.subarray(1)
  const m1Hash = context.engine.sha256(m1)
  const isSame = (each: Answered): boolean => equalBytes(each.m1Hash, m1Hash)
  if ([...(state.claim === null ? [] : [state.claim]), ...state.candidates].some(isSame))
    return still(state, { event: 'again', m1Hash })
  const isKeyed = type === BOX_TYPE.m1
  const opened = await openM1(state.invite, m1, isKeyed, openFrom, context)
  if (opened === null) return refused(state, 'NOT_OPENED')
  const { plain, exporter, inviteHash } = opened
  const message = parseMessage('guest', plain, { inviteHash, m1Hash: null })
  if (message === null) return refused(state, 'MALFORMED')
  const peer = judgePeer(message, state.invite.app, wantedOf(state.invite), context)
  if (typeof peer === 'string') return refused(state, peer)
  const first: FirstMessage = { message, peer, exporter, inviteHash, m1Hash, isKeyed }
  if (state.claim !== null) return await answerLate(state, state.claim, first, context)
  if (!isKeyed && state.candidates.length >= MAX_CANDIDATES) return refused(state, 'TOO_MANY')
  return await answer(state, first, self, context)
}

/** An M1 that has opened and is as it must be. */
interface FirstMessage {
  readonly message: ReadMessage
  readonly peer: Peer
  readonly exporter: Uint8Array
  readonly inviteHash: Uint8Array
  readonly m1Hash: Uint8Array
  readonly isKeyed: boolean
}

function refused(state: HostState, reason: RefusalReason): HostStep {
  return still({ ...state, refused: state.refused + 1 }, { event: 'refused', reason })
}

function wantedOf(invite: Invite): { readonly personaId: Uint8Array; readonly epoch: number } | null {
  return invite.for === undefined ? null : { personaId: invite.for, epoch: 0 }
}

/** The link of an app shows its first intake alone. */
function bareHash({ address }: Invite, { engine }: HandshakeContext): Uint8Array {
  return engine.sha256(encodeUtf8(formatConnectoid(address.pub, address.where[0]!)))
}

async function openM1(
  invite: Invite,
  m1: Uint8Array,
  isKeyed: boolean,
  openFrom: OpenFrom,
  context: HandshakeContext,
): Promise<{ readonly plain: Uint8Array; readonly exporter: Uint8Array; readonly inviteHash: Uint8Array } | null> {
  const { engine } = context
  const inviteHash = isKeyed ? engine.sha256(encodeUtf8(inviteWithoutK(invite))) : bareHash(invite, context)
  const psk = isKeyed ? invitePsk(engine, invite.k, inviteHash) : null
  const opened = await openFrom({ label: 'channel-m1', aad: inviteHash, psk }, m1)
  return opened === null ? null : { ...opened, inviteHash }
}

/** Makes M2 and the channel. A guest with k has the invite from now on; candidates before it are dropped. */
async function answer(state: HostState, first: FirstMessage, self: Self, context: HandshakeContext): Promise<HostStep> {
  const { engine, nowMs } = context
  const { message, peer, exporter, inviteHash, m1Hash, isKeyed } = first
  const [dhSecret, nA] = [engine.randomBytes(KEY_BYTES), engine.randomBytes(NONCE_BYTES)]
  const ownKey = engine.boxPublicKey(dhSecret)
  const ownAt = formatConnectoids(self.address)
  // Whoever saw the bare link would else learn the addresses of the host.
  const sdp = isKeyed && message.sdp !== undefined ? ((await self.answerOffer?.(message.sdp)) ?? null) : null
  const shown = { ...(self.name === undefined ? {} : { name: self.name }), ...(sdp === null ? {} : { sdp }) }
  const answered = { app: state.invite.app, connectoid: ownAt, dh: ownKey, promise: nA, ...shown }
  const plain = formatMessage('host', answered, self.identity, { inviteHash, m1Hash })
  const sealed = await context.sealTo(message.address.pub, { label: 'channel-m2', aad: m1Hash, psk: exporter }, plain)
  const agreed = engine.agree(dhSecret, message.dh)
  if (sealed === null || agreed === null) return refused(state, 'NO_ANSWER')
  checkMessageLength(sealed.bytes)
  const transcript = { m1: m1Hash, m2: engine.sha256(sealed.bytes) }
  const root = makeRoot(engine, [exporter, sealed.exporter], agreed, transcript)
  const expiresAtMs = state.invite.expiresAtSec * 1000
  const ends = { ownKey, peerKey: message.dh, ownAt, peerAt: message.connectoid }
  const part = { ownSecret: dhSecret, commit: message.promise, m2: sealed.bytes, expiresAtMs, isCandidate: !isKeyed }
  const start = startHost({ root, transcript, nA, ...ends, nowMs }, part)
  const answeredM1: Answered = { m1Hash }
  if (!isKeyed)
    return still(
      { ...state, candidates: [...state.candidates, answeredM1] },
      { event: 'candidate', peer, m1Hash, start },
    )
  return still(
    { ...state, claim: answeredM1, candidates: [] },
    { event: 'claimed', peer, m1Hash, start },
    ...droppedOf(state, null),
  )
}

function droppedOf({ candidates }: HostState, winner: Uint8Array | null): HostEvent[] {
  const losers = candidates.flatMap((each) => (winner !== null && equalBytes(each.m1Hash, winner) ? [] : [each.m1Hash]))
  return losers.length === 0 ? [] : [{ event: 'dropped', m1Hashes: losers }]
}

/** Tells a later guest whose M1 has the invite. Only the host knows the exporter of the guest's M1, so nobody else can tell so. */
async function answerLate(
  state: HostState,
  claim: Answered,
  first: FirstMessage,
  context: HandshakeContext,
): Promise<HostStep> {
  const { message, exporter, m1Hash } = first
  const wishes = { label: 'channel-used', aad: m1Hash, psk: exporter } as const
  const sealed = await context.sealTo(message.address.pub, wishes, claim.m1Hash)
  if (sealed === null) return refused(state, 'NO_ANSWER')
  const isKnown = state.late.some((each) => equalBytes(each.m1Hash, m1Hash))
  const late = isKnown ? state.late : [...state.late, { m1Hash }].slice(-MAX_LATE)
  const posts = [{ to: message.connectoid, data: formatData(BOX_TYPE.used, sealed.bytes) }]
  // A guest without k may have seen the link anywhere: only one with k shows that the text is in two hands.
  return { state: { ...state, late }, posts, events: isKnown || !first.isKeyed ? [] : [{ event: 'INVITE_TWICE' }] }
}

/** The owner has compared the words of a candidate: it has the invite. The caller releases its channel, and retires the intake. */
export function confirmCandidate(state: HostState, m1Hash: Uint8Array): HostStep {
  const winner = state.candidates.find((each) => equalBytes(each.m1Hash, m1Hash))
  if (winner === undefined || state.claim !== null) return still(state)
  return still({ ...state, claim: winner, candidates: [] }, ...droppedOf(state, m1Hash))
}
