/** The part of channels in the protocol: methods, values, events and their part of the status (docs/ipc.md, section 3, channel). */
import * as z from '../../schema/zod.ts'
import { appName, MAX_PIECE_BYTES, ownKey, pageLimit, pieceBase64 } from './app-params.ts'
import {
  channelId,
  channelView,
  inviteView,
  CHANNEL_STATES,
  type ChannelState,
  type ChannelView,
  type InviteView,
} from './channel-values.ts'
import { count, keyHex, seconds } from '../shapes/scalars.ts'
import type { MethodSpec } from './method.ts'
import { method, nickname } from './params.ts'
import { event, type EventSpec, type WingSchema } from './wing.ts'

const MAX_INVITE_TEXT = 8192 // sanity: an invite has at most 6000 characters, and mail programs add white space
const MAX_PLACES = 4 // format: an address names at most 4 places
const MIN_EXPIRES_SEC = 60 // sanity: nobody can use an invite faster
const MAX_EXPIRES_SEC: number = 7 * 86_400 // format: docs/channel.md, section 2
const MAX_CONTENT_BYTES: number = 64 << 20 // format: docs/channel.md, section 7

/** The name that the owner or the app gives the peer. */
const localName: z.ZodType<string> = z.string().min(1).max(256)
const over: z.ZodType<string[]> = z.array(z.string().min(1).max(4096)).min(1).max(MAX_PLACES)
const ownName: z.ZodType<string> = nickname.min(1)
const word: z.ZodType<string> = z.string().min(1).max(16)

export interface InviteParams {
  app?: string
  name?: string
  as?: string
  persona?: boolean
  for?: string
  over?: string[]
  expiresSec?: number
  page?: string
  /** Whether the channel may use the direct way. */
  direct?: boolean
  /** The key of the one who alone can use it; the line has no secret then. */
  with?: string
}

export interface InviteResult {
  id: string
  app: string
  /** The line to send to the guest. */
  invite: string
  /** The same as a link of the app's page; null if no page was named. */
  link: string | null
  expiresAtSec: number
  where: string[]
}

export interface AcceptParams {
  app?: string
  invite: string
  name?: string
  as?: string
  persona?: boolean
  over?: string[]
  direct?: boolean
  /** The key of the maker, for a line without a secret. */
  with?: string
}

export interface AcceptResult {
  id: string
  app: string
  state: ChannelState
  /** As the invite has it; it proves nothing. */
  hostName: string | null
  hostPersona: string | null
}

export interface SendParams {
  id: string
  content?: string
  text?: string
  key?: string
  upload?: string
  total?: number
  offset?: number
}

export interface ReadContent {
  number: number
  atSec: number
  /** Bytes of the whole content. */
  bytes: number
  /** Where `content` begins in it. */
  offset: number
  /** base64 */
  content: string
}

export interface ChannelsMethods {
  'channel.key': MethodSpec<{ make?: boolean }, { key: string }>
  'channel.invite': MethodSpec<InviteParams, InviteResult>
  'channel.accept': MethodSpec<AcceptParams, AcceptResult>
  'channel.list': MethodSpec<
    { app?: string; after?: string; limit?: number },
    { channels: ChannelView[]; invites: InviteView[]; next: string | null }
  >
  'channel.show': MethodSpec<{ id: string }, ChannelView>
  'channel.send': MethodSpec<SendParams, { number: number | null }>
  'channel.read': MethodSpec<
    { id: string; after: number; limit?: number; offset?: number },
    { contents: ReadContent[]; next: number | null }
  >
  'channel.ack': MethodSpec<{ id: string; upTo: number }, { unread: number }>
  'channel.verify': MethodSpec<{ id: string; words?: string[] }, { words: string[] | null; verified: boolean }>
  'channel.close': MethodSpec<{ id: string }, { state: ChannelState }>
  'channel.rename': MethodSpec<{ id: string; name: string }, ChannelView>
}

const CHANNELS_METHODS: ChannelsMethods = {
  'channel.key': method(
    'admin',
    'Show the key by which friends make invites for this owner alone; with `make`, make it',
    z.strictObject({ make: z.boolean().exactOptional() }),
    z.strictObject({ key: keyHex }),
  ),
  'channel.invite': method(
    'channel',
    'Make an invite, which one person uses once',
    z.strictObject({
      app: appName.exactOptional(),
      name: localName.exactOptional(),
      as: ownName.exactOptional(),
      persona: z.boolean().exactOptional(),
      for: keyHex.exactOptional(),
      over: over.exactOptional(),
      expiresSec: z.int().min(MIN_EXPIRES_SEC).max(MAX_EXPIRES_SEC).exactOptional(),
      page: z.string().max(255).exactOptional(),
      direct: z.boolean().exactOptional(),
      with: keyHex.exactOptional(),
    }),
    z.strictObject({
      id: channelId,
      app: z.string(),
      invite: z.string(),
      link: z.string().nullable(),
      expiresAtSec: seconds,
      where: z.array(z.string()),
    }),
  ),
  'channel.accept': method(
    'channel',
    'Use an invite; the channel opens when the host answers',
    z.strictObject({
      app: appName.exactOptional(),
      invite: z.string().min(1).max(MAX_INVITE_TEXT),
      name: localName.exactOptional(),
      as: ownName.exactOptional(),
      persona: z.boolean().exactOptional(),
      over: over.exactOptional(),
      direct: z.boolean().exactOptional(),
      with: keyHex.exactOptional(),
    }),
    z.strictObject({
      id: channelId,
      app: z.string(),
      state: z.enum(CHANNEL_STATES),
      hostName: z.string().nullable(),
      hostPersona: keyHex.nullable(),
    }),
  ),
  'channel.list': method(
    'channel',
    'List channels and open invites, those of the own app or of all',
    z.strictObject({
      app: appName.exactOptional(),
      after: channelId.exactOptional(),
      limit: pageLimit.exactOptional(),
    }),
    z.strictObject({ channels: z.array(channelView), invites: z.array(inviteView), next: channelId.nullable() }),
  ),
  'channel.show': method('channel', 'Show one channel', z.strictObject({ id: channelId }), channelView),
  'channel.send': method(
    'channel',
    'Send a content, or a piece of a large one; on return it is on disk, and leaves when the peer can be reached',
    z.strictObject({
      id: channelId,
      content: pieceBase64.exactOptional(),
      text: z.string().max(MAX_PIECE_BYTES).exactOptional(),
      key: ownKey.exactOptional(),
      upload: ownKey.exactOptional(),
      total: z.int().min(1).max(MAX_CONTENT_BYTES).exactOptional(),
      offset: z.int().min(0).max(MAX_CONTENT_BYTES).exactOptional(),
    }),
    z.strictObject({ number: count.nullable() }),
  ),
  'channel.read': method(
    'channel',
    'Read contents of the peer after a number, in order; at most 192 KiB a call',
    z.strictObject({ id: channelId, after: count, limit: pageLimit.exactOptional(), offset: count.exactOptional() }),
    z.strictObject({
      contents: z.array(
        z.strictObject({ number: count, atSec: seconds, bytes: count, offset: count, content: z.base64() }),
      ),
      next: count.nullable(),
    }),
  ),
  'channel.ack': method(
    'channel',
    'Tell that the app has dealt with the contents up to a number; they are deleted here',
    z.strictObject({ id: channelId, upTo: count }),
    z.strictObject({ unread: count }),
  ),
  'channel.verify': method(
    'channel',
    'Show the four words of a channel; with the words of the peer, compare them',
    z.strictObject({ id: channelId, words: z.array(word).min(4).max(4).exactOptional() }),
    z.strictObject({ words: z.array(z.string()).nullable(), verified: z.boolean() }),
  ),
  'channel.close': method(
    'channel',
    'Close a channel at both ends, or withdraw an invite',
    z.strictObject({ id: channelId }),
    z.strictObject({ state: z.enum(CHANNEL_STATES) }),
  ),
  'channel.rename': method(
    'admin',
    'Give the peer of a channel another name here',
    z.strictObject({ id: channelId, name: localName }),
    channelView,
  ),
}

/** The reasons of `channel.alarm`. */
export const CHANNEL_ALARMS = ['INVITE_TWICE', 'INTERCEPTED', 'MISBOUND'] as const
export type ChannelAlarm = (typeof CHANNEL_ALARMS)[number]

export interface ChannelsEvents {
  'channel.changed': EventSpec<{ id: string; app: string; state: ChannelState; reason: string | null }>
  'channel.content': EventSpec<{ id: string; app: string; number: number }>
  'channel.delivered': EventSpec<{ id: string; app: string; upTo: number }>
  'channel.way': EventSpec<{ id: string; app: string; direct: NonNullable<ChannelView['direct']> }>
  'channel.alarm': EventSpec<{ id: string; app: string; code: ChannelAlarm }>
}

const EVENTS: ChannelsEvents = {
  'channel.changed': event(
    'passing',
    z.strictObject({ id: channelId, app: z.string(), state: z.enum(CHANNEL_STATES), reason: z.string().nullable() }),
    'channel',
  ),
  'channel.content': event('passing', z.strictObject({ id: channelId, app: z.string(), number: count }), 'channel'),
  'channel.delivered': event('passing', z.strictObject({ id: channelId, app: z.string(), upTo: count }), 'channel'),
  'channel.way': event(
    'passing',
    z.strictObject({ id: channelId, app: z.string(), direct: z.enum(['open', 'closed']) }),
    'channel',
  ),
  'channel.alarm': event(
    'passing',
    z.strictObject({ id: channelId, app: z.string(), code: z.enum(CHANNEL_ALARMS) }),
    'channel',
  ),
}

export interface ChannelsStatus {
  /** The apps key is closed: nothing is sent or received until the owner unlocks. */
  appsLocked: boolean
  invites: number
  /** Channels whose other end has not answered yet. */
  waiting: number
  open: number
  /** Channels that stand still: held, suspended or unconfirmed. */
  held: number
  /** Channels that cannot go on, with those and the invites whose record cannot be read. */
  broken: number
}

export const channelsStatus: z.ZodType<ChannelsStatus> = z.strictObject({
  appsLocked: z.boolean(),
  invites: count,
  waiting: count,
  open: count,
  held: count,
  broken: count,
})

export const CHANNELS: WingSchema<ChannelsMethods, ChannelsEvents, { channels: ChannelsStatus }> = {
  methods: CHANNELS_METHODS,
  events: EVENTS,
  status: { channels: channelsStatus },
  capabilities: ['channel'],
}
