/** The public part of a channel: whom it leads to. A backup has it, so that the owner sees after a restore which channels are lost. */
import * as z from '../../../schema/zod.ts'
import { encodeUtf8, formatHex } from '../../../core/encoding/bytes.ts'
import type { Sha256 } from '../../../core/engine.ts'
import { INTRODUCTION_STATES, type Introduced } from '../../../ipc/methods/channel-values.ts'
import { kind, type Arrival, type Kind } from '../../state/kind.ts'

export interface ChannelRecord {
  readonly app: string
  /** The local name of the peer. */
  readonly name: string
  /** PersonaID in upper-case hex; null without a persona, and before the peer has answered. */
  readonly peer: string | null
  /** The peer's key for the app that signed its message of the handshake, in upper-case hex; null without a persona. */
  readonly peerKey: string | null
  /** How the peer calls themselves. */
  readonly peerName: string | null
  readonly areWordsCompared: boolean
  readonly madeSec: number
  readonly role: 'host' | 'guest'
  /** At a guest: {@link inviteId} of an invite with its secret, so that it is not used twice on one device. Older records lack it. */
  readonly invite?: string
  /** The app over whose channel the peer was introduced (docs/links.md). */
  readonly introduced?: Introduced
}

const INVITE_BYTES = 16 // sanity: two invites never meet by chance

/** Names an invite by all that it says. @param line as formatInvite makes it; it holds a secret, which does not belong into a backup */
export function inviteId(line: string, engine: Sha256): string {
  return formatHex(engine.sha256(encodeUtf8(line)).subarray(0, INVITE_BYTES))
}

const hexKey = z.string().regex(/^[0-9A-F]{64}$/)
const text = z.string().min(1).max(256)

const record: z.ZodType<ChannelRecord> = z.strictObject({
  app: z.string().max(100),
  name: text,
  peer: hexKey.nullable(),
  peerKey: hexKey.nullable(),
  peerName: text.nullable(),
  areWordsCompared: z.boolean(),
  madeSec: z.int().min(0),
  role: z.enum(['host', 'guest']),
  invite: z
    .string()
    .regex(/^[0-9A-F]{32}$/)
    .exactOptional(),
  introduced: z.strictObject({ by: z.string().max(100), state: z.enum(INTRODUCTION_STATES) }).exactOptional(),
})

/** Nothing in a snapshot is believed before it is checked. The record here goes on, so it counts more than the old one. */
const arrival: Arrival<ChannelRecord> = {
  read: (id, value) => (/^[0-9a-f]{16}$/.test(id) ? (record.safeParse(value).data ?? null) : null),
  merge: (arrived, here) => here ?? arrived,
}

export const CHANNEL: Kind<ChannelRecord> = kind('channel', { travels: 'backup', arrival, isCached: true })
