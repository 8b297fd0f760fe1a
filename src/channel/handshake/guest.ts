/** The guest's side of a handshake: from an invite to a channel (docs/channel.md, section 5). */
import { encodeUtf8, equalBytes } from '../../core/encoding/bytes.ts'
import type { JsonObject } from '../../core/encoding/canonical-json.ts'
import { formatConnectoids, type Address } from '../invite/address.ts'
import { BOX_TYPE, dataType, formatData } from '../ratchet/box-data.ts'
import type { Step } from '../exchange/channel.ts'
import { HandshakeError } from './errors.ts'
import { INVITE_LIFE_SEC, inviteWithoutK } from '../invite/invite.ts'
import type { ReadInvite } from '../invite/invite-text.ts'
import { KEY_BYTES } from '../ratchet/kdf.ts'
import { checkMessageLength, formatMessage, parseMessage, type Identity } from './message.ts'
import { judgePeer, type HandshakeContext, type Peer, type RefusalReason } from './peer.ts'
import { REPEAT_MS } from '../exchange/repeat.ts'
import { commitTo, invitePsk, makeRoot, NONCE_BYTES } from '../ratchet/root.ts'
import type { OpenFrom } from './seals.ts'
import { startGuest } from '../exchange/start.ts'

const INTERCEPTED_MS: number = 2 * 86_400_000 // format: the host may be away for a night and a day
const NOTHING = new Uint8Array()

/** How this end shows itself to the peer. */
export interface Self {
  /** Where it receives: a new key and intakes for this peer alone. */
  readonly address: Address
  readonly identity: Identity | null
  readonly name?: string
  /** An offer of the direct way, of a guest. It is left out of an M1 that is too large with it. */
  readonly sdp?: JsonObject
  /** Answers the offer of a guest with k. @returns null for no answer */
  readonly answerOffer?: (offer: JsonObject) => Promise<JsonObject | null>
}

/** The guest until M2 opens. All of it is kept on disk, sealed. */
export interface GuestState {
  readonly phase: 'waiting' | 'ended'
  readonly app: string
  /** The persona that must answer. */
  readonly wanted: { readonly personaId: Uint8Array; readonly epoch: number } | null
  readonly inviteHash: Uint8Array
  /** The host's clock decides; the guest stops posting at the latest then. A bare link does not tell it: 7 days from the start. */
  readonly expiresAtMs: number
  /** M1 as it is posted, to every intake of the invite. */
  readonly data: Uint8Array
  readonly m1Hash: Uint8Array
  readonly exporter: Uint8Array
  readonly dhSecret: Uint8Array
  readonly nB: Uint8Array
  readonly ownAt: readonly string[]
  /** As the invite has it. */
  readonly hostAt: Address
  readonly postedAtMs: number | null
  /** When a relay said that the invite's box is retired. */
  readonly usedAtMs: number | null
  readonly isIntercepted: boolean
  readonly refused: number
}

export type GuestEvent =
  /** M2 has opened. */
  | { readonly event: 'connected'; readonly peer: Peer; readonly start: Step }
  /** The invite was used by somebody else, perhaps by the same person on another device. The guest goes on waiting. */
  | { readonly event: 'INTERCEPTED' }
  /** Another persona than that of the invite has answered. The handshake is over. */
  | { readonly event: 'MISBOUND' }
  | { readonly event: 'refused'; readonly reason: RefusalReason }

export interface GuestStep {
  readonly state: GuestState
  /** Data for every intake of the invite. */
  readonly posts: readonly Uint8Array[]
  readonly events: readonly GuestEvent[]
}

const still = (state: GuestState, ...events: readonly GuestEvent[]): GuestStep => ({ state, posts: [], events })

/**
 * Makes M1. The caller writes the state before it posts.
 * @param ownApp the app that uses the invite
 * @throws {HandshakeError} INVITE_OTHER_APP | INVITE_EXPIRED | INVITE_KEY_BAD | MESSAGE_TOO_LARGE
 */
export async function beginGuest(
  read: ReadInvite,
  ownApp: string,
  self: Self,
  context: HandshakeContext,
): Promise<GuestStep> {
  const { engine, nowMs } = context
  const invite = read.kind === 'invite' ? read.invite : null
  if (invite !== null && invite.app !== ownApp)
    throw new HandshakeError('INVITE_OTHER_APP', `the invite is for the app ${invite.app}`)
  const expiresAtMs = invite === null ? nowMs + 1000 * INVITE_LIFE_SEC : invite.expiresAtSec * 1000
  if (nowMs >= expiresAtMs) throw new HandshakeError('INVITE_EXPIRED', 'the invite is over; ask for a new one')
  const hostAt = read.kind === 'invite' ? read.invite.address : read.address
  const inviteHash = engine.sha256(encodeUtf8(read.kind === 'invite' ? inviteWithoutK(read.invite) : read.connectoid))
  const [dhSecret, nB] = [engine.randomBytes(KEY_BYTES), engine.randomBytes(NONCE_BYTES)]
  const ownAt = formatConnectoids(self.address)
  const { address: _, identity, answerOffer: __, ...shown } = self
  const promise = commitTo(engine, nB)
  const message = { app: ownApp, connectoid: ownAt, dh: engine.boxPublicKey(dhSecret), promise, ...shown }
  const plain = formatMessage('guest', message, identity, { inviteHash, m1Hash: null })
  const psk = invite === null ? null : invitePsk(engine, invite.k, inviteHash)
  const sealed = await context.sealTo(hostAt.pub, { label: 'channel-m1', aad: inviteHash, psk }, plain)
  if (sealed === null)
    throw new HandshakeError('INVITE_KEY_BAD', 'nothing can be sealed to the key of the invite; ask for a new one')
  checkMessageLength(sealed.bytes)
  const data = formatData(invite === null ? BOX_TYPE.m1WithoutK : BOX_TYPE.m1, sealed.bytes)
  const state: GuestState = {
    phase: 'waiting',
    app: ownApp,
    wanted: invite?.persona ?? null,
    inviteHash,
    expiresAtMs,
    data,
    m1Hash: engine.sha256(sealed.bytes),
    exporter: sealed.exporter,
    dhSecret,
    nB,
    ownAt,
    hostAt,
    postedAtMs: nowMs,
    usedAtMs: null,
    isIntercepted: false,
    refused: 0,
  }
  return { state, posts: [data], events: [] }
}

/** Takes data that came by the guest's intake. @param openFrom of the guest's address */
export async function guestReceive(
  state: GuestState,
  data: Uint8Array,
  openFrom: OpenFrom,
  context: HandshakeContext,
): Promise<GuestStep> {
  if (state.phase === 'ended') return still(state)
  const type = dataType(data)
  if (type === BOX_TYPE.m2) return await receiveM2(state, data.subarray(1), openFrom, context)
  if (type === BOX_TYPE.used) return await receiveUsed(state, data.subarray(1), openFrom)
  return refused(state, 'MALFORMED')
}

function refused(state: GuestState, reason: RefusalReason): GuestStep {
  return still({ ...state, refused: state.refused + 1 }, { event: 'refused', reason })
}

async function receiveM2(
  state: GuestState,
  m2: Uint8Array,
  openFrom: OpenFrom,
  context: HandshakeContext,
): Promise<GuestStep> {
  const { engine, nowMs } = context
  const { m1Hash, exporter, inviteHash } = state
  const opened = await openFrom({ label: 'channel-m2', aad: m1Hash, psk: exporter }, m2)
  if (opened === null) return refused(state, 'NOT_OPENED')
  const message = parseMessage('host', opened.plain, { inviteHash, m1Hash })
  if (message === null) return refused(state, 'MALFORMED')
  const peer = judgePeer(message, state.app, state.wanted, context)
  if (peer === 'OTHER_PERSONA') return still(erased(state), { event: 'MISBOUND' })
  if (typeof peer === 'string') return refused(state, peer)
  const agreed = engine.agree(state.dhSecret, message.dh)
  if (agreed === null) return refused(state, 'MALFORMED')
  const transcript = { m1: m1Hash, m2: engine.sha256(m2) }
  const root = makeRoot(engine, [exporter, opened.exporter], agreed, transcript)
  const [ownKey, peerKey] = [engine.boxPublicKey(state.dhSecret), message.dh]
  const ends = { ownAt: state.ownAt, peerAt: message.connectoid }
  const start = startGuest({ root, transcript, nA: message.promise, ownKey, peerKey, ...ends, nowMs }, state.nB, engine)
  return still(erased(state), { event: 'connected', peer, start })
}

/** The handshake is over at this end: its secrets leave the state. */
function erased(state: GuestState): GuestState {
  return { ...state, phase: 'ended', exporter: NOTHING, dhSecret: NOTHING, nB: NOTHING, data: NOTHING }
}

/** The host answers so to a second guest, with the hash of the first one's M1. */
async function receiveUsed(state: GuestState, sealed: Uint8Array, openFrom: OpenFrom): Promise<GuestStep> {
  const { m1Hash, exporter } = state
  const opened = await openFrom({ label: 'channel-used', aad: m1Hash, psk: exporter }, sealed)
  if (opened === null) return refused(state, 'NOT_OPENED')
  return equalBytes(opened.plain, m1Hash) ? still(state) : intercepted(state)
}

function intercepted(state: GuestState): GuestStep {
  return state.isIntercepted ? still(state) : still({ ...state, isIntercepted: true }, { event: 'INTERCEPTED' })
}

/** A relay says that the box of the invite is retired. It may lie, and M2 may be on its way: the guest waits two days for it. */
export function guestFindsUsed(state: GuestState, nowMs: number): GuestStep {
  return still(state.usedAtMs === null ? { ...state, usedAtMs: nowMs } : state)
}

/** Posts M1 again when that is due, and ends at the invite's end. @param isNow whether the host has shown up, or a carrier changed */
export function guestTick(state: GuestState, nowMs: number, isNow = false): GuestStep {
  if (state.phase === 'ended') return still(state)
  if (nowMs >= state.expiresAtMs) return still(erased(state))
  const { usedAtMs, postedAtMs, data } = state
  const told = usedAtMs !== null && nowMs - usedAtMs >= INTERCEPTED_MS ? intercepted(state) : still(state)
  const isDue = isNow || postedAtMs === null || nowMs - postedAtMs >= REPEAT_MS
  return isDue ? { ...told, state: { ...told.state, postedAtMs: nowMs }, posts: [data] } : told
}
