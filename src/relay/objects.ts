/**
 * The client of a relay that keeps objects (docs/relay.md, section 11). Each call makes one try, and may be repeated without harm. No call holds
 * more of an object than a part. A call that fails with RELAY_NO_CARD succeeds once the newest card of its persona lies at the relay.
 */
import { equalBytes, parseBase64url } from '../core/encoding/bytes.ts'
import type { RelayClient } from './client.ts'
import { RelayError } from './errors.ts'
import { callText, chunksOf, inTime, openCall, parseJson, readText, strangeAnswer, type Call } from './http-call.ts'
import type { ObjectFetch } from './means.ts'
import { errorOfObjectRefusal } from './object-refusal.ts'
import { formatObjectPath, formatPersonaPath } from './paths/object-path.ts'
import { isDone, readObjectRefused } from './read-answer.ts'

/** The request that a device token has to name. */
export interface ObjectCall {
  readonly origin: string
  readonly method: 'PUT' | 'DELETE'
  readonly path: string
  /** SHA-256 of the body, 32 bytes; of nothing, for a request without one. */
  readonly bodyHash: Uint8Array
}

/** Makes a device token for a request and this second, by the clock of the relay. */
export type SignObject = (call: ObjectCall, nowSec: number) => string

/** The objects of a persona at a relay. */
export interface ObjectsAt {
  readonly client: RelayClient
  /** As the client's own, with bodies in parts. */
  readonly fetch: ObjectFetch
  /** PersonaID in upper-case hex. */
  readonly persona: string
}

/** An object to send. */
export interface ObjectSource {
  readonly bytes: number
  /** SHA-256 of all parts, 32 bytes. */
  readonly hash: Uint8Array
  /** Gives the parts from the begin: a call that the relay refuses for its time sends them twice. */
  readonly parts: () => AsyncIterable<Uint8Array>
}

/** An object as the relay has it. Its hash is the word of the relay. */
export interface FoundObject {
  readonly bytes: number
  readonly hash: Uint8Array
}

interface Options {
  readonly signal?: AbortSignal | undefined
}

const MAX_ANSWER_BYTES = 4096 // sanity: a refusal has some 100 bytes
const PART_MS = 60_000 // format: docs/relay.md, section 16
const MIN_BYTES_PER_SEC = 16 << 10 // format: docs/relay.md, section 11

/**
 * Leaves an object, durably.
 * @returns `kept`: it is there from now on. `same`: it is there since an earlier try. `other`: another object has the id
 * @throws {RelayError} RELAY_NO_CARD | RELAY_NO_RIGHT | RELAY_TOO_BIG | RELAY_STORE_FULL | RELAY_BUSY | RELAY_TOO_OFTEN | RELAY_BAD_REQUEST |
 *   RELAY_UNREACHABLE, also if the parts fail | RELAY_SILENT | RELAY_STRANGE
 */
export async function putObject(
  at: ObjectsAt,
  id: string,
  { bytes, hash, parts }: ObjectSource,
  sign: SignObject,
  { signal }: Options = {},
): Promise<'kept' | 'same' | 'other'> {
  const path = formatObjectPath({ persona: at.persona, id })
  return await signed(at, { method: 'PUT', path, bodyHash: hash }, sign, async (headers) => {
    const { status, value, etag } = await ask(at, path, {
      method: 'PUT',
      body: streamOf(parts()),
      duplex: 'half',
      bodyBytes: bytes,
      headers: { ...headers, 'if-none-match': '*' },
      headerMs: PART_MS + (bytes / MIN_BYTES_PER_SEC) * 1000,
      signal,
    })
    if (status === 201 && isDone(value)) return 'kept'
    if (status === 412 && etag !== null) return equalBytes(etag, hash) ? 'same' : 'other'
    throw refusalOf(status, value)
  })
}

/**
 * Asks what the relay has under an id.
 * @returns SHA-256 of it, 32 bytes; null where there is nothing
 * @throws {RelayError} RELAY_TOO_OFTEN | RELAY_UNREACHABLE | RELAY_SILENT | RELAY_STRANGE
 */
export async function headObject(at: ObjectsAt, id: string, { signal }: Options = {}): Promise<Uint8Array | null> {
  const { status, etag } = await ask(at, formatObjectPath({ persona: at.persona, id }), { method: 'HEAD', signal })
  if (status === 404) return null
  if (status === 200 && etag !== null) return etag
  throw status === 429 ? errorOfObjectRefusal({ error: 'Too often' }) : strangeAnswer(status)
}

/**
 * Fetches an object, from a byte on. Its hash is the word of the relay: whoever has all parts compares.
 * @param from the number of bytes that are here already
 * @param maxBytes a larger object is not read
 * @returns null where there is none, or no byte from there on
 * @throws {RelayError} RELAY_TOO_BIG | RELAY_TOO_OFTEN | RELAY_UNREACHABLE | RELAY_SILENT | RELAY_STRANGE; the parts too
 */
export async function getObject(
  { client, fetch, persona }: ObjectsAt,
  id: string,
  { from = 0, maxBytes, signal }: Options & { readonly from?: number; readonly maxBytes: number },
): Promise<(FoundObject & { readonly parts: AsyncGenerator<Uint8Array, void, void> }) | null> {
  const { clock } = client.means
  const url = new URL(formatObjectPath({ persona, id }), client.address.url).href
  const headers = { range: `bytes=${from}-` }
  const call = { url, method: 'GET', headers, maxBytes: Math.max(maxBytes, MAX_ANSWER_BYTES), signal } as const
  const { response, stop, relayMs } = await openCall({ fetch, clock }, call)
  client.noteTime(relayMs)
  const hash = readEtag(response.headers.get('etag'))
  const bytes = readSize(response.headers.get('content-range'), from)
  if (response.status !== 206 || hash === null || bytes === null) {
    const text = await inTime(clock, PART_MS, stop, call, async () => await readText(response, MAX_ANSWER_BYTES))
    stop.abort()
    const value = parseJson(text ?? '')
    // A 404 of whoever stands in front of the relay says nothing about its objects.
    if (response.status === 416 || readObjectRefused(value)?.error === 'No such object') return null
    throw refusalOf(response.status, value)
  }
  if (bytes > maxBytes) {
    stop.abort()
    throw new RelayError('RELAY_TOO_BIG', `the object has ${bytes} bytes, more than ${maxBytes}`, {
      hint: 'its sender keeps to no limit; leave it',
    })
  }
  return { bytes, hash, parts: partsOf() }

  async function* partsOf(): AsyncGenerator<Uint8Array, void, void> {
    try {
      const chunks = chunksOf(response.body)
      let left = bytes! - from
      // A store that gives a byte now and then would keep its reader for years.
      let leftMs = PART_MS + (left / MIN_BYTES_PER_SEC) * 1000
      for (;;) {
        if (leftMs <= 0) throw tooSlow()
        const sinceMs = clock.nowMs()
        const part = await inTime(clock, Math.min(PART_MS, leftMs), stop, call, async () => await chunks.next())
        // The time of whoever takes the parts is their own.
        leftMs -= clock.nowMs() - sinceMs
        if (part.done === true) break
        left -= part.value.length
        if (left < 0) throw strangeAnswer(206)
        yield part.value
      }
      if (left > 0) throw new RelayError('RELAY_UNREACHABLE', 'the object broke off', { hint: 'go on from there' })
    } finally {
      stop.abort()
    }
  }
}

/** Deletes an object. @returns false if it was not there @throws {RelayError} as {@link putObject} */
export async function deleteObject(
  at: ObjectsAt,
  id: string,
  sign: SignObject,
  options: Options = {},
): Promise<boolean> {
  return await remove(at, formatObjectPath({ persona: at.persona, id }), sign, options)
}

/** Deletes all that the relay has of the persona: cards, inboxes and objects. @throws {RelayError} as {@link putObject} */
export async function deletePersona(at: ObjectsAt, sign: SignObject, options: Options = {}): Promise<void> {
  if (!(await remove(at, formatPersonaPath(at.persona), sign, options))) throw strangeAnswer(404)
}

async function remove(at: ObjectsAt, path: string, sign: SignObject, { signal }: Options): Promise<boolean> {
  const bodyHash = new Uint8Array(await crypto.subtle.digest('SHA-256', new Uint8Array()))
  return await signed(at, { method: 'DELETE', path, bodyHash }, sign, async (headers) => {
    const { status, value } = await ask(at, path, { method: 'DELETE', headers, signal })
    if (status === 200 && isDone(value)) return true
    if (readObjectRefused(value)?.error === 'No such object') return false
    throw refusalOf(status, value)
  })
}

/** Makes a call with the header of its token. @param call with a path below the address */
async function signed<Result>(
  { client }: ObjectsAt,
  call: Omit<ObjectCall, 'origin'>,
  sign: SignObject,
  run: (headers: Readonly<Record<string, string>>) => Promise<Result>,
): Promise<Result> {
  const { origin, url } = client.address
  const named = { ...call, origin, path: new URL(call.path, url).pathname }
  return await client.withToken(async (nowSec) => await run({ authorization: `Bearer ${sign(named, nowSec)}` }))
}

async function ask(
  { client, fetch }: ObjectsAt,
  path: string,
  call: Omit<Call<ReadableStream<Uint8Array>>, 'url'>,
): Promise<{ readonly status: number; readonly value: unknown; readonly etag: Uint8Array | null }> {
  const url = new URL(path, client.address.url).href
  const means = { fetch, clock: client.means.clock }
  const { status, text, relayMs, headers } = await callText(means, { ...call, url }, MAX_ANSWER_BYTES)
  client.noteTime(relayMs)
  return { status, value: parseJson(text ?? ''), etag: readEtag(headers.get('etag')) }
}

function refusalOf(status: number, value: unknown): RelayError {
  const refused = readObjectRefused(value)
  return refused === null ? strangeAnswer(status) : errorOfObjectRefusal(refused)
}

function tooSlow(): RelayError {
  return new RelayError('RELAY_SILENT', 'the relay gives the object too slowly', { hint: 'try again later' })
}

/** @returns 32 bytes; null for any other text */
function readEtag(text: string | null): Uint8Array | null {
  const hash = parseBase64url(/^"([\w-]{43})"$/.exec(text ?? '')?.[1] ?? '')
  return hash?.length === 32 ? hash : null
}

/** The size of the whole, of a range from a byte to the end. @returns null for any other range */
function readSize(text: string | null, from: number): number | null {
  const [, first, last, whole] = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15})$/.exec(text ?? '') ?? []
  return Number(first) === from && Number(last) === Number(whole) - 1 && Number(whole) > from ? Number(whole) : null
}

function streamOf(parts: AsyncIterable<Uint8Array>): ReadableStream<Uint8Array> {
  const iterator = parts[Symbol.asyncIterator]()
  return new ReadableStream<Uint8Array>(
    {
      pull: async (controller) => {
        const next = await iterator.next()
        if (next.done === true) controller.close()
        else controller.enqueue(next.value)
      },
      cancel: async () => void (await iterator.return?.()),
    },
    // No part is taken before it can go.
    { highWaterMark: 0 },
  )
}
