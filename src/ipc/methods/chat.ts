/** The part of chats in the protocol: the lines that `persona chat` keeps at the daemon (docs/ipc.md, section 3, chat). */
import * as z from '../../schema/zod.ts'
import { MAX_LINE_CHARS } from '../../core/encoding/chat-content.ts'
import { count, keyHex, seconds } from '../shapes/scalars.ts'
import { ownKey, pageLimit } from './app-params.ts'
import type { MethodSpec } from './method.ts'
import { contactName, method, type Empty } from './params.ts'
import { event, type EventSpec, type WingSchema } from './wing.ts'

export const MAX_MARKED_IDS = 200 // sanity: a change stays small
const MAX_CHAT_CHARS = 300 // sanity: a name of 256 characters, with its kind
const MAX_WAYS = 16 // sanity: the channels of one person, and messages

/** How far a line has come. A line of the other side begins with `there`. Lines only go on in this order. */
export const LINE_STATES = [
  'kept', // it is on this disk, and no way has taken it yet
  'sent', // a channel or a store has it
  'there', // a device of the other side has it
  'read', // it was shown to a person
] as const
export type LineState = (typeof LINE_STATES)[number]

/** The way of messages. */
export const MESSAGE_WAY = 'message'

/** A way that has taken a line, and the number that the line has there. */
export interface LineWay {
  /** {@link MESSAGE_WAY}, or the id of a channel. */
  by: string
  number: number
}

export interface ChatLine {
  /** Its place in the chat, from 1. */
  number: number
  /** As its writer gave it. */
  id: string
  /** The owner has written it, on any device. */
  mine: boolean
  text: string
  /** By the clock of its writer. */
  sentSec: number
  keptSec: number
  state: LineState
  ways: LineWay[]
}

export interface ChatView {
  chat: string
  lines: number
  /** Lines of the other side that no person has read here. */
  unread: number
  /** Own lines that no way has taken yet. */
  unsent: number
  lastSec: number
}

export interface KeepParams {
  chat: string
  id: string
  mine: boolean
  text: string
  sentSec: number
  state: LineState
}

export interface MarkParams {
  chat: string
  ids: string[]
  state: LineState
  earlier?: boolean
  /** The writer of the lines, as in {@link ChatLine.mine}. Those of the other side stay as they are. */
  mine?: boolean
  ways?: LineWay[]
}

/** A line of the owner for the peer. */
export interface SendLineParams {
  chat: string
  id: string
  text: string
  sentSec: number
  /** The id of the last line of the peer that a person has seen: the peer hears of it with this line. */
  read?: string
}

export interface SentLine {
  number: number
  /** Those that have taken it. */
  ways: LineWay[]
  /** Why no way has taken it yet; null if one has. */
  waits: string | null
}

/** A key of somebody else for invites between two keys. */
export interface KnownKey {
  name: string
  /** 64 upper-case hex digits of X25519. */
  key: string
}

export interface ChatMethods {
  'chat.add': MethodSpec<KnownKey, Empty>
  'chat.known': MethodSpec<Empty, { known: KnownKey[] }>
  'chat.send': MethodSpec<SendLineParams, SentLine>
  'chat.tell': MethodSpec<{ chat: string; read: string }, { told: boolean }>
  'chat.keep': MethodSpec<KeepParams, { number: number; isNew: boolean }>
  'chat.lines': MethodSpec<
    { chat: string; after?: number; before?: number; limit?: number },
    { lines: ChatLine[]; next: number | null }
  >
  'chat.mark': MethodSpec<MarkParams, { marked: number }>
  'chat.list': MethodSpec<Empty, { chats: ChatView[] }>
  'chat.forget': MethodSpec<{ chat: string }, { lines: number }>
}

const chat: z.ZodType<string> = z.string().min(1).max(MAX_CHAT_CHARS)
const lineText: z.ZodType<string> = z.string().max(MAX_LINE_CHARS)
const state: z.ZodType<LineState> = z.enum(LINE_STATES)
const ways: z.ZodType<LineWay[]> = z.array(z.strictObject({ by: ownKey, number: count })).max(MAX_WAYS)

export const chatLine: z.ZodType<ChatLine> = z.strictObject({
  number: count,
  id: z.string(),
  mine: z.boolean(),
  text: z.string(),
  sentSec: seconds,
  keptSec: seconds,
  state,
  ways,
})

export const chatView: z.ZodType<ChatView> = z.strictObject({
  chat: z.string(),
  lines: count,
  unread: count,
  unsent: count,
  lastSec: seconds,
})

const knownKey: z.ZodType<KnownKey> = z.strictObject({ name: contactName, key: keyHex })

const CHAT_METHODS: ChatMethods = {
  'chat.add': method('admin', 'Note the key of somebody under a name', knownKey, z.strictObject({})),
  'chat.known': method(
    'admin',
    'List the keys that were noted',
    z.strictObject({}),
    z.strictObject({ known: z.array(knownKey) }),
  ),
  'chat.send': method(
    'admin',
    'Keep a line of the owner, and send it by each way, now or as soon as one takes it',
    z.strictObject({
      chat,
      id: ownKey,
      text: lineText,
      sentSec: seconds,
      read: ownKey.exactOptional(),
    }),
    z.strictObject({ number: count, ways, waits: z.string().nullable() }),
  ),
  'chat.tell': method(
    'admin',
    'Tell the peer of a chat how far a person has read',
    z.strictObject({ chat, read: ownKey }),
    z.strictObject({ told: z.boolean() }),
  ),
  'chat.keep': method(
    'admin',
    'Keep a line of a chat that has come; one with a known id is kept once',
    z.strictObject({
      chat,
      id: ownKey,
      mine: z.boolean(),
      text: lineText,
      sentSec: seconds,
      state,
    }),
    z.strictObject({ number: count, isNew: z.boolean() }),
  ),
  'chat.lines': method(
    'admin',
    'Read lines of a chat in their order: those after a number, or the last ones before it; at most 192 KiB of text a call',
    z.strictObject({
      chat,
      after: count.exactOptional(),
      before: count.exactOptional(),
      limit: pageLimit.exactOptional(),
    }),
    z.strictObject({ lines: z.array(chatLine), next: count.nullable() }),
  ),
  'chat.mark': method(
    'admin',
    'Tell how far lines have come, and by which ways; with `earlier` also all lines of the same side before them',
    z.strictObject({
      chat,
      ids: z.array(ownKey).min(1).max(MAX_MARKED_IDS),
      state,
      earlier: z.boolean().exactOptional(),
      mine: z.boolean().exactOptional(),
      ways: ways.exactOptional(),
    }),
    z.strictObject({ marked: count }),
  ),
  'chat.list': method(
    'admin',
    'List the chats that have lines here',
    z.strictObject({}),
    z.strictObject({ chats: z.array(chatView) }),
  ),
  'chat.forget': method(
    'admin',
    'Delete all lines of a chat from this device',
    z.strictObject({ chat }),
    z.strictObject({ lines: count }),
  ),
}

export interface ChatEvents {
  'chat.sent': EventSpec<{ chat: string; lines: number }>
}

const EVENTS: ChatEvents = {
  'chat.sent': event('passing', z.strictObject({ chat, lines: count }), 'admin'),
}

export const CHAT: WingSchema<ChatMethods, ChatEvents> = {
  methods: CHAT_METHODS,
  events: EVENTS,
  status: {},
  capabilities: [],
}
