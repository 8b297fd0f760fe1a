/** The part of messages in the protocol: methods, values, events and their part of the status (docs/ipc.md, section 3, message). */
import * as z from '../../schema/zod.ts'
import { count, keyHex, seconds } from '../shapes/scalars.ts'
import { relays } from './cards.ts'
import { appName, MAX_PIECE_BYTES, ownKey, pageLimit, pieceBase64 } from './app-params.ts'
import type { MethodSpec } from './method.ts'
import { method, type Empty } from './params.ts'
import { event, type EventSpec, type WingSchema } from './wing.ts'

/** The most that a message holds: the rest of the 20 MiB of an object is its head, 255 keys and the tags of its boxes. */
export const MAX_MESSAGE_BYTES: number = (20 << 20) - (64 << 10) // format: docs/messages.md, section 3

export const SENT_STATES = [
  'queued', // it is on this disk
  'stored', // it is in a store of the sender
  'notified', // an inbox of the recipient has its entry
  'received', // every device of the recipient that it was sealed to has it
  'failed',
] as const
export type SentState = (typeof SENT_STATES)[number]

/** A message that was sent here. */
export interface SentMessage {
  number: number
  app: string
  /** PersonaID of the recipient. */
  to: string
  /** As the app gave it; null without one. */
  key: string | null
  state: SentState
  /** Why it failed, or why the last try did; else null. */
  reason: string | null
  sentSec: number
  bytes: number
  /** Devices of the recipient to which it was sealed. */
  devices: number
  /** Those of them that have it. */
  received: number
}

/** A message that has come, or a part of it. */
export interface ReadMessage {
  number: number
  /** PersonaID of the sender; the own one for messages that another own device sent. */
  from: string
  /** PersonaID of the recipient. */
  to: string
  /** Messages that the same device sent to the same persona between the last one here and this one. They may still come. */
  missing: number
  sentSec: number
  atSec: number
  /** Why it cannot be read; null for a message that is whole. */
  failed: string | null
  /** Bytes of the whole content. */
  bytes: number
  /** Where `content` begins in it. */
  offset: number
  /** base64 */
  content: string
}

/** Relays that an app proposes as its inboxes and stores; null for those that may stay. */
export interface PlacesProposal {
  inboxes: string[] | null
  stores: string[] | null
}

/** The messages of an app in figures. */
export interface Mailbox {
  app: string
  /** Where entries for this app lie, and whether the newest own card names the place still. */
  inboxes: { url: string; named: boolean }[]
  stores: string[]
  /** The relays that the app proposes in their place, where the owner has not answered; null for none. */
  proposed: PlacesProposal | null
  /** Messages that the app has not acknowledged. */
  unread: number
  /** Messages that were announced and are not here yet. */
  fetching: number
  /** Own messages that have not reached an inbox of the recipient. */
  waiting: number
}

/** Entries of somebody who is no contact. Nothing of theirs is fetched. */
export interface MessageRequest {
  app: string
  /** PersonaID. */
  persona: string
  entries: number
  firstSec: number
  lastSec: number
}

export interface PutParams {
  app?: string
  to: string
  content?: string
  text?: string
  key?: string
  upload?: string
  total?: number
  offset?: number
}

export const REQUEST_ANSWERS = ['accept', 'reject', 'block'] as const
export type RequestAnswer = (typeof REQUEST_ANSWERS)[number]

export interface MessagesMethods {
  'message.open': MethodSpec<{ app?: string }, Mailbox>
  'message.put': MethodSpec<PutParams, { number: number | null }>
  'message.read': MethodSpec<
    { app?: string; after: number; limit?: number; offset?: number },
    { messages: ReadMessage[]; next: number | null }
  >
  'message.ack': MethodSpec<{ app?: string; upTo: number }, { unread: number }>
  'message.sent': MethodSpec<
    { app?: string; after?: number; limit?: number },
    { messages: SentMessage[]; next: number | null }
  >
  'message.list': MethodSpec<{ app?: string }, { apps: Mailbox[]; requests: MessageRequest[] }>
  'message.propose': MethodSpec<{ app?: string; inboxes?: string[]; stores?: string[] }, Mailbox>
  'message.answer': MethodSpec<{ app: string; persona: string; answer: RequestAnswer }, Empty>
}

export const sentMessage: z.ZodType<SentMessage> = z.strictObject({
  number: count,
  app: z.string(),
  to: keyHex,
  key: z.string().nullable(),
  state: z.enum(SENT_STATES),
  reason: z.string().nullable(),
  sentSec: seconds,
  bytes: count,
  devices: count,
  received: count,
})

export const readMessage: z.ZodType<ReadMessage> = z.strictObject({
  number: count,
  from: keyHex,
  to: keyHex,
  missing: count,
  sentSec: seconds,
  atSec: seconds,
  failed: z.string().nullable(),
  bytes: count,
  offset: count,
  content: z.base64(),
})

export const mailbox: z.ZodType<Mailbox> = z.strictObject({
  app: z.string(),
  inboxes: z.array(z.strictObject({ url: z.string(), named: z.boolean() })),
  stores: z.array(z.string()),
  proposed: z
    .strictObject({ inboxes: z.array(z.string()).nullable(), stores: z.array(z.string()).nullable() })
    .nullable(),
  unread: count,
  fetching: count,
  waiting: count,
})

const messageRequest: z.ZodType<MessageRequest> = z.strictObject({
  app: z.string(),
  persona: keyHex,
  entries: count,
  firstSec: seconds,
  lastSec: seconds,
})

const app = appName.exactOptional()

const MESSAGES_METHODS: MessagesMethods = {
  'message.open': method(
    'message',
    'Begin to take messages: the card of the app names an inbox and a store from then on, those of the owner or their relays',
    z.strictObject({ app }),
    mailbox,
  ),
  'message.put': method(
    'message',
    'Send a message to a persona, or a piece of a large one; on return it is on disk, and leaves when the store can be reached',
    z.strictObject({
      app,
      to: keyHex,
      content: pieceBase64.exactOptional(),
      text: z.string().max(MAX_PIECE_BYTES).exactOptional(),
      key: ownKey.exactOptional(),
      upload: ownKey.exactOptional(),
      total: z.int().min(1).max(MAX_MESSAGE_BYTES).exactOptional(),
      offset: z.int().min(0).max(MAX_MESSAGE_BYTES).exactOptional(),
    }),
    z.strictObject({ number: count.nullable() }),
  ),
  'message.read': method(
    'message',
    'Read messages after a number, in the order in which they came; at most 192 KiB a call',
    z.strictObject({ app, after: count, limit: pageLimit.exactOptional(), offset: count.exactOptional() }),
    z.strictObject({ messages: z.array(readMessage), next: count.nullable() }),
  ),
  'message.ack': method(
    'message',
    'Tell that the app has dealt with the messages up to a number; they are deleted here',
    z.strictObject({ app, upTo: count }),
    z.strictObject({ unread: count }),
  ),
  'message.sent': method(
    'message',
    'Show what became of the messages that were sent here, in their order; each is forgotten after 31 days',
    z.strictObject({ app, after: count.exactOptional(), limit: pageLimit.exactOptional() }),
    z.strictObject({ messages: z.array(sentMessage), next: count.nullable() }),
  ),
  'message.list': method(
    'message',
    'Show how many messages wait here and elsewhere, for the own app or for all, and who asks to send some',
    z.strictObject({ app }),
    z.strictObject({ apps: z.array(mailbox), requests: z.array(messageRequest) }),
  ),
  'message.propose': method(
    'message',
    'Propose relays as inboxes and stores of the app; the owner decides. Without any, take the proposal back, or reject it as the owner',
    z.strictObject({ app, inboxes: relays.exactOptional(), stores: relays.exactOptional() }),
    mailbox,
  ),
  'message.answer': method(
    'admin',
    'Answer somebody who is no contact: take their messages for this app, not those of now, or none at all',
    z.strictObject({ app: appName, persona: keyHex, answer: z.enum(REQUEST_ANSWERS) }),
    z.strictObject({}),
  ),
}

export interface MessagesEvents {
  'message.arrived': EventSpec<{ app: string; number: number }>
  'message.changed': EventSpec<{ app: string; number: number; state: SentState; reason: string | null }>
  'message.request': EventSpec<{ app: string; persona: string }>
}

const EVENTS: MessagesEvents = {
  'message.arrived': event('passing', z.strictObject({ app: z.string(), number: count }), 'message'),
  'message.changed': event(
    'passing',
    z.strictObject({ app: z.string(), number: count, state: z.enum(SENT_STATES), reason: z.string().nullable() }),
    'message',
  ),
  'message.request': event('passing', z.strictObject({ app: z.string(), persona: keyHex }), 'message'),
}

export interface MessagesStatus {
  /** The apps key is closed: nothing is sent or received until the owner unlocks. */
  appsLocked: boolean
  unread: number
  fetching: number
  waiting: number
  requests: number
  /** Apps that propose relays, and wait for an answer. */
  proposals: number
}

export const messagesStatus: z.ZodType<MessagesStatus> = z.strictObject({
  appsLocked: z.boolean(),
  unread: count,
  fetching: count,
  waiting: count,
  requests: count,
  proposals: count,
})

export const MESSAGES: WingSchema<MessagesMethods, MessagesEvents, { messages: MessagesStatus }> = {
  methods: MESSAGES_METHODS,
  events: EVENTS,
  status: { messages: messagesStatus },
  capabilities: ['message'],
}
