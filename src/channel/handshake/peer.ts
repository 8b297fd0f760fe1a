/** The peer at the other end: the card of a message, checked, and what the invite asks of it (docs/channel.md, section 3). */
import type { JsonObject } from '../../core/encoding/canonical-json.ts'
import { equalBytes } from '../../core/encoding/bytes.ts'
import type { ChannelEngine } from '../ratchet/engine.ts'
import type { ReadMessage } from './message.ts'
import type { SealTo } from './seals.ts'

/** The content of a card, once its reader has verified it. */
export interface CardFacts {
  /** K_0, 32 bytes. */
  readonly personaId: Uint8Array
  readonly epoch: number
  /** The Ed25519 keys of the devices for this app, 32 bytes each. */
  readonly deviceKeys: readonly Uint8Array[]
}

/**
 * Verifies a card for an app.
 * @returns null for a card that is not valid, is of another app, has expired, or is of a lower epoch than this daemon knows of the persona
 */
export type JudgeCard = (card: string, app: string) => CardFacts | null

/** The means of a handshake. */
export interface HandshakeContext {
  readonly engine: ChannelEngine
  readonly sealTo: SealTo
  readonly judgeCard: JudgeCard
  readonly nowMs: number
}

/** The persona of a peer. */
export interface PeerPersona {
  readonly personaId: Uint8Array
  readonly epoch: number
  readonly card: string
  /** The device key that signed the message. */
  readonly deviceKey: Uint8Array
}

/** A message tells this about its sender. Nothing of it is proven beyond the persona. */
export interface Peer {
  readonly app: string
  readonly persona: PeerPersona | null
  readonly name: string | null
  readonly sdp: JsonObject | null
}

export type RefusalReason =
  | 'NOT_OPENED' // it is sealed to another key, by somebody without k, or damaged
  | 'MALFORMED' // it is no message of version 1, or has a key of low order
  | 'OTHER_APP'
  | 'CARD' // the card is not valid, not of this app, or of a lower epoch than known
  | 'SIGNATURE' // no device of the card made the signature
  | 'OTHER_PERSONA' // the invite asks for another persona
  | 'TOO_MANY' // there are 4 candidates
  | 'NO_ANSWER' // nothing can be sealed to its return address

/**
 * Checks the sender of a message.
 * @param wanted the persona that the invite asks for; null for none
 */
export function judgePeer(
  message: ReadMessage,
  app: string,
  wanted: { readonly personaId: Uint8Array; readonly epoch: number } | null,
  { engine, judgeCard }: HandshakeContext,
): Peer | RefusalReason {
  if (message.app !== app) return 'OTHER_APP'
  const persona = personaOf(message, app, engine, judgeCard)
  if (typeof persona === 'string') return persona
  if (wanted !== null) {
    if (persona === null || !equalBytes(persona.personaId, wanted.personaId)) return 'OTHER_PERSONA'
    if (persona.epoch < wanted.epoch) return 'CARD'
  }
  return { app, persona, name: message.name ?? null, sdp: message.sdp ?? null }
}

function personaOf(
  { signed }: ReadMessage,
  app: string,
  engine: ChannelEngine,
  judgeCard: JudgeCard,
): PeerPersona | null | RefusalReason {
  if (signed === null) return null
  const facts = judgeCard(signed.card, app)
  if (facts === null) return 'CARD'
  const deviceKey = facts.deviceKeys.find((key) => engine.verify(signed.sig, signed.message, key))
  if (deviceKey === undefined) return 'SIGNATURE'
  return { personaId: facts.personaId, epoch: facts.epoch, card: signed.card, deviceKey }
}
