/** Channels and invites on the socket (docs/ipc.md, section 3, channel). */
import * as z from '../../schema/zod.ts'
import { count, keyHex, seconds } from '../shapes/scalars.ts'

/** 16 random hex digits: of a channel, or of an open invite. */
export const channelId: z.ZodType<string> = z.string().regex(/^[0-9a-f]{16}$/, 'must be 16 lower-case hex digits')

export const CHANNEL_STATES = [
  'waiting', // the guest waits for the host's answer
  'meeting', // the host waits for the guest's first frame
  'open',
  'held', // a guest without the secret of the invite: compare the words first
  'suspended', // the newest card of the peer does not list its end, or the owner blocks the peer
  'unconfirmed', // no card of the peer was seen since its persona rotated
  'broken',
  'closing',
  'closed',
  'gone', // the peer has left without a word, or never answered
] as const
export type ChannelState = (typeof CHANNEL_STATES)[number]

export const INTRODUCTION_STATES = [
  'waiting', // the other end has not said how it sees the handshake
  'confirmed', // both ends see the same
  'alarm', // they do not: somebody is between them
] as const

export interface Introduced {
  by: string
  state: (typeof INTRODUCTION_STATES)[number]
}

export interface ChannelView {
  id: string
  app: string
  /** The local name of the peer. */
  name: string
  peer: {
    /** PersonaID; null for a peer without a persona. */
    persona: string | null
    /** How the peer calls themselves; it proves nothing. */
    name: string | null
  }
  role: 'host' | 'guest'
  /** The app over whose channel the peer was introduced, and whether both ends see one handshake; else null. */
  introduced: Introduced | null
  state: ChannelState
  /** Why it is broken, suspended or gone; else null. */
  reason: string | null
  /** Four words that both people see, until they have compared them. */
  words: string[] | null
  verified: boolean
  madeSec: number
  /** Contents of the peer that the app has not acknowledged. */
  unread: number
  /** The number of the last whole content of the peer; 0 before the first. */
  received: number
  /** Contents for the peer that are not delivered yet. */
  waiting: number
  lastReceivedSec: number | null
  lastDeliveredSec: number | null
  /** Where this end receives. */
  carriers: string[]
  /** The direct way: whether frames go by it now; null if the channel has none. */
  direct: 'open' | 'closed' | null
  /** Frames and messages that were refused. */
  refused: number
}

export const channelView: z.ZodType<ChannelView> = z.strictObject({
  id: channelId,
  app: z.string(),
  name: z.string(),
  peer: z.strictObject({ persona: keyHex.nullable(), name: z.string().nullable() }),
  role: z.enum(['host', 'guest']),
  introduced: z.strictObject({ by: z.string(), state: z.enum(INTRODUCTION_STATES) }).nullable(),
  state: z.enum(CHANNEL_STATES),
  reason: z.string().nullable(),
  words: z.array(z.string()).nullable(),
  verified: z.boolean(),
  madeSec: seconds,
  unread: count,
  received: count,
  waiting: count,
  lastReceivedSec: seconds.nullable(),
  lastDeliveredSec: seconds.nullable(),
  carriers: z.array(z.string()),
  direct: z.enum(['open', 'closed']).nullable(),
  refused: count,
})

/** An open invite. Its text is shown only once: whoever has it can use it. */
export interface InviteView {
  id: string
  app: string
  /** The local name for the guest. */
  name: string
  expiresAtSec: number
  /** PersonaID that alone may use it; else null. */
  for: string | null
  where: string[]
  refused: number
}

export const inviteView: z.ZodType<InviteView> = z.strictObject({
  id: channelId,
  app: z.string(),
  name: z.string(),
  expiresAtSec: seconds,
  for: keyHex.nullable(),
  where: z.array(z.string()),
  refused: count,
})
