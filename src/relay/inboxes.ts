/**
 * The client of a relay that keeps inboxes (docs/inbox.md). Each call is signed by a device and makes one try; every call may be repeated
 * without harm. A call that fails with RELAY_NO_CARD succeeds once the newest card of its persona lies at the relay.
 */
import { encodeUtf8 } from '../core/encoding/bytes.ts'
import type { RelayClient } from './client.ts'
import { openEvents } from './event-call.ts'
import { callJson, parseJson, strangeAnswer } from './http-call.ts'
import { formatInboxPath, type InboxPath } from './paths/inbox-path.ts'
import { errorOfInboxRefusal } from './inbox-refusal.ts'
import { isDone, readEntries, readEntry, readInboxRefused } from './read-answer.ts'
import type { RelayError } from './errors.ts'
import type { InboxEntry } from './wire.ts'

/** The request that a device token has to name. */
export interface InboxCall {
  readonly origin: string
  readonly method: 'GET' | 'POST'
  /** Path and query. */
  readonly path: string
  /** SHA-256 of the body, 32 bytes; of nothing, for a request without one. */
  readonly bodyHash: Uint8Array
  /** PersonaID in upper-case hex of the persona for whom the device leaves an entry; null for calls of the own inbox. */
  readonly to: string | null
}

/** Makes a device token for a request and this second, by the clock of the relay. */
export type SignCall = (call: InboxCall, nowSec: number) => string

/** An inbox of a persona for an app, and the device that calls it. */
export interface InboxAt {
  /** PersonaID in upper-case hex. */
  readonly persona: string
  readonly app: string
  readonly sign: SignCall
}

/** Rules for senders: those who are not named stay as they are. PersonaIDs in upper-case hex, each once. */
export interface SenderChange {
  readonly allow?: readonly string[]
  readonly block?: readonly string[]
  /** These are strangers again. */
  readonly forget?: readonly string[]
  /** Entries of all strangers together; 0 takes nothing from them. */
  readonly strangers?: number
}

export interface EntryPage {
  /** The entries that this device has not acknowledged, the oldest first. */
  readonly entries: readonly InboxEntry[]
  /** The cursor of the next page; null for the last one. */
  readonly next: number | null
}

interface Options {
  readonly signal?: AbortSignal | undefined
}

const MAX_ANSWER_BYTES = 4 << 20 // sanity: 256 entries of 8 KiB, the most that an operator can set, and some members around each

/**
 * Leaves an entry for another persona, durably. The same entry again counts once. Nobody learns whether they are blocked.
 * @param encId sealed to the devices of the persona, in base64url; at most 4 KiB less the names around it
 * @throws {RelayError} RELAY_NO_INBOX | RELAY_NO_STRANGERS | RELAY_INBOX_FULL | RELAY_NO_CARD | RELAY_NO_RIGHT | RELAY_TOO_BIG |
 *   RELAY_TOO_OFTEN | RELAY_BAD_REQUEST | RELAY_UNREACHABLE | RELAY_SILENT | RELAY_STRANGE
 */
export async function postEntry(
  client: RelayClient,
  inbox: InboxAt,
  encId: string,
  options: Options = {},
): Promise<void> {
  await change(client, inbox, { part: 'entries', to: inbox.persona, body: { encId } }, options)
}

/**
 * Reads a page of the own inbox.
 * @param after the cursor: 0, or `next` of the page before
 * @throws {RelayError} RELAY_NO_CARD | RELAY_NO_RIGHT | RELAY_TOO_OFTEN | RELAY_UNREACHABLE | RELAY_SILENT | RELAY_STRANGE
 */
export async function listEntries(
  client: RelayClient,
  inbox: InboxAt,
  after: number,
  { limit, signal }: Options & { readonly limit?: number } = {},
): Promise<EntryPage> {
  const query = `?app=${inbox.app}&after=${after}${limit === undefined ? '' : `&limit=${limit}`}`
  const value = await call(client, inbox, { part: 'entries', query }, signal)
  const page = readEntries(value, after)
  if (page === null) throw strangeAnswer(200)
  return page
}

/**
 * Tells the relay that this device has these entries.
 * @param numbers at most 100 of {@link InboxEntry.n}, unless the relay has other limits
 * @throws {RelayError} as {@link listEntries}, and RELAY_BAD_REQUEST
 */
export async function acknowledge(
  client: RelayClient,
  inbox: InboxAt,
  numbers: readonly number[],
  options: Options = {},
): Promise<void> {
  await change(client, inbox, { part: 'ack', body: { n: numbers } }, options)
}

/** Changes who may leave entries. @throws {RelayError} as {@link acknowledge} */
export async function setSenders(
  client: RelayClient,
  inbox: InboxAt,
  rules: SenderChange,
  options: Options = {},
): Promise<void> {
  await change(client, inbox, { part: 'senders', body: rules }, options)
}

/**
 * Gives the entries after a cursor, and each one that comes, until the relay ends the stream: after an hour, or once the newest card does
 * not list the device.
 * @throws {RelayError} as {@link listEntries}; RELAY_SILENT also if the stream falls silent
 */
export async function* followInbox(
  client: RelayClient,
  inbox: InboxAt,
  after: number,
  { signal }: Options = {},
): AsyncGenerator<InboxEntry, void, void> {
  const query = `?app=${inbox.app}&after=${after}`
  const parts = await client.withToken(async (nowSec) =>
    openEvents(client.means, {
      ...(await signedCall(client, inbox, { part: 'events', query }, nowSec)),
      signal,
      noteTime: (relayMs) => client.noteTime(relayMs),
      refusalOf,
    }),
  )
  let last = after
  for await (const { events } of parts)
    for (const text of events) {
      const entry = readEntry(parseJson(text))
      if (entry === null || entry.n <= last) throw strangeAnswer(200)
      last = entry.n
      yield entry
    }
}

interface Wanted {
  readonly part: InboxPath['part']
  readonly query?: string
  /** Members beside `app`; without them the call is a GET. */
  readonly body?: object
  readonly to?: string
}

async function change(client: RelayClient, inbox: InboxAt, wanted: Wanted, { signal }: Options): Promise<void> {
  if (!isDone(await call(client, inbox, wanted, signal))) throw strangeAnswer(200)
}

async function call(
  client: RelayClient,
  inbox: InboxAt,
  wanted: Wanted,
  signal: AbortSignal | undefined,
): Promise<unknown> {
  return await client.withToken(async (nowSec) => {
    const signed = await signedCall(client, inbox, wanted, nowSec)
    const asked = { ...signed, signal, maxBytes: MAX_ANSWER_BYTES }
    const { status, value, relayMs } = await callJson(client.means, asked, MAX_ANSWER_BYTES)
    client.noteTime(relayMs)
    if (status >= 300) throw refusalOf(status, value)
    return value
  })
}

interface SignedCall {
  readonly url: string
  readonly method: 'GET' | 'POST'
  readonly body?: string
  readonly headers: Readonly<Record<string, string>>
}

async function signedCall(
  { address }: RelayClient,
  { persona, app, sign }: InboxAt,
  { part, query = '', body, to }: Wanted,
  nowSec: number,
): Promise<SignedCall> {
  const url = new URL(`${formatInboxPath({ persona, part })}${query}`, address.url)
  const text = body === undefined ? '' : JSON.stringify({ app, ...body })
  const method = body === undefined ? 'GET' : 'POST'
  const bodyHash = new Uint8Array(await crypto.subtle.digest('SHA-256', Uint8Array.from(encodeUtf8(text))))
  const named: InboxCall = { origin: address.origin, method, path: url.pathname + url.search, bodyHash, to: to ?? null }
  return {
    url: url.href,
    method,
    ...(body === undefined ? {} : { body: text }),
    headers: { authorization: `Bearer ${sign(named, nowSec)}` },
  }
}

function refusalOf(status: number, value: unknown): RelayError {
  const refused = readInboxRefused(value)
  return refused === null ? strangeAnswer(status) : errorOfInboxRefusal(refused)
}
