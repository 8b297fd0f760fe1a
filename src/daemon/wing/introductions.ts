/**
 * Contacts that are introduced over a channel of another app (docs/links.md). The wing of channels carries texts and makes channels, and the wing of
 * links decides; neither knows the other.
 */
import type { ChannelState, Introduced } from '../../ipc/methods/channel-values.ts'

/** A channel between two personas. */
export interface PersonaChannel {
  readonly id: string
  readonly app: string
  /** PersonaID of the peer. */
  readonly persona: string
  /** The peer's key for the app, in upper-case hex: it tells their devices apart. */
  readonly device: string
  /** The local name of the peer. */
  readonly name: string
  readonly isOpen: boolean
}

/** A channel that is to be. */
export interface ChannelPlan {
  readonly app: string
  /** PersonaID of the peer. */
  readonly persona: string
  /** The local name of the peer. */
  readonly name: string
}

/** A text for the daemon of a peer. */
export interface TextToPeer {
  readonly bytes: Uint8Array
  /** Whether a text that waits for the peer is worth nothing after this one. */
  readonly replaces: (waiting: Uint8Array) => boolean
}

/** Inside of the change in which something is made. */
export type Note<Made extends readonly unknown[]> = (...made: Made) => void

/** The wing of channels at work. */
export interface ChannelWays {
  /** All that are not over. */
  all(): readonly PersonaChannel[]
  /** Sends a text to the daemon of the peer. @returns false if that is not open now */
  tell(channel: string, text: TextToPeer, note: () => void): Promise<boolean>
  /** Makes an invite that sleeps, and that no app sees. @returns false without the card of the own persona */
  makeOffer(plan: ChannelPlan, note: Note<[id: string, invite: string]>): Promise<boolean>
  /** Nobody uses an offer any more once it sleeps: {@link usedBy} has its last word. */
  setAwake(invite: string, isAwake: boolean): Promise<void>
  endOffer(invite: string): Promise<void>
  /** The channel of whoever used an invite; null for nobody, undefined for an invite that is over. */
  usedBy(invite: string): string | null | undefined
  join(plan: ChannelPlan, invite: string, note: Note<[channel: string]>): Promise<void>
  /** Ends a handshake that came to nothing. */
  giveUp(channel: string): Promise<void>
  /** Null for no such channel. */
  stateOf(channel: string): Promise<ChannelState | null>
  /** SHA-256(M2) of a channel; null for no such channel. */
  m2HashOf(channel: string): Uint8Array | null
  introduce(channel: string, introduced: Introduced): Promise<void>
}

export interface Introductions {
  /** Loads the channels if need be. @throws {CustodyError} APPS_LOCKED */
  ways: () => Promise<ChannelWays>
  /** Takes texts that have come over a channel of an app, inside of the change that acknowledges them. */
  take: (channel: string, app: string, texts: readonly Uint8Array[]) => void
  /** Called after that change. */
  taken: (channel: string) => void
}

/** Introductions before a wing carries them or decides. */
export function noIntroductions(): Introductions {
  return {
    ways: () => Promise.reject(new Error('no wing has channels')),
    take: () => {},
    taken: () => {},
  }
}
