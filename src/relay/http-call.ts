/** One call of a relay over HTTP: bounded in time and size, and every failure has a code. */
import { decodeUtf8 } from '../core/encoding/bytes.ts'
import { RelayError } from './errors.ts'
import type { RelayFetch, RelayMeans, RelayRequest, RelayResponse } from './means.ts'

/** How long one call may take, or a stream be silent before its first byte. */
const CALL_MS = 60_000 // format: three comments of a stream

export interface Call<Body = string> {
  readonly url: string
  readonly method: RelayRequest['method']
  readonly body?: Body
  /** Beside a body in parts. */
  readonly duplex?: 'half'
  /** The length of a body in parts. */
  readonly bodyBytes?: number
  /** As {@link RelayRequest.maxBytes}. */
  readonly maxBytes?: number
  /** How long the call may take until the header of the answer; by default {@link CALL_MS}. */
  readonly headerMs?: number
  readonly headers?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal | undefined
}

/** The means of one call. */
export interface CallMeans<Body> extends Pick<RelayMeans, 'clock'> {
  readonly fetch: RelayFetch<Body>
}

/** An answer whose body has not been read. */
export interface OpenAnswer {
  readonly response: RelayResponse
  /** Ends the call, also while its body is read. */
  readonly stop: AbortController
  /** Says the time of the relay in unix milliseconds; null where it names none that this program can read. */
  readonly relayMs: number | null
}

/**
 * Calls, and gives the answer once its header is there.
 * @throws {RelayError} RELAY_UNREACHABLE | RELAY_SILENT
 * @throws the reason of the signal
 */
export async function openCall<Body = string>(
  { fetch, clock }: CallMeans<Body>,
  call: Call<Body>,
): Promise<OpenAnswer> {
  const stop = new AbortController()
  const request: RelayRequest<Body> = {
    method: call.method,
    ...(call.body === undefined ? {} : { body: call.body }),
    ...(call.duplex === undefined ? {} : { duplex: call.duplex }),
    ...(call.bodyBytes === undefined ? {} : { bodyBytes: call.bodyBytes }),
    ...(call.maxBytes === undefined ? {} : { maxBytes: call.maxBytes }),
    ...(call.headers === undefined ? {} : { headers: call.headers }),
    signal: call.signal === undefined ? stop.signal : AbortSignal.any([call.signal, stop.signal]),
    redirect: 'error',
    credentials: 'omit',
    cache: 'no-store',
    referrerPolicy: 'no-referrer',
  }
  const response = await inTime(clock, call.headerMs ?? CALL_MS, stop, call, async () => await fetch(call.url, request))
  const sentMs = Date.parse(response.headers.get('date') ?? '')
  return { response, stop, relayMs: Number.isNaN(sentMs) ? null : sentMs }
}

/**
 * Calls, and reads the answer as JSON.
 * @throws {RelayError} RELAY_UNREACHABLE | RELAY_SILENT | RELAY_STRANGE
 * @throws the reason of the signal
 */
export async function callJson(
  means: RelayMeans,
  call: Call,
  maxBytes: number,
): Promise<{ readonly status: number; readonly value: unknown; readonly relayMs: number | null }> {
  const { status, text, relayMs } = await callText(means, call, maxBytes)
  const value = text === null ? undefined : parseJson(text)
  if (value === undefined) throw strangeAnswer(status)
  return { status, value, relayMs }
}

/**
 * Calls, and reads the answer as text: null for one above the limit, or one that is not UTF-8.
 * @throws {RelayError} RELAY_UNREACHABLE | RELAY_SILENT
 * @throws the reason of the signal
 */
export async function callText<Body = string>(
  means: CallMeans<Body>,
  call: Call<Body>,
  maxBytes: number,
): Promise<{
  readonly status: number
  readonly headers: RelayResponse['headers']
  readonly text: string | null
  readonly relayMs: number | null
}> {
  const { response, stop, relayMs } = await openCall(means, call)
  const text = await inTime(means.clock, CALL_MS, stop, call, async () => await readText(response, maxBytes))
  // Nothing more is wanted of this connection if the body was too long.
  if (text === null) stop.abort()
  return { status: response.status, headers: response.headers, text, relayMs }
}

/** The error of an answer that no relay gives. A gateway in front of one answers 5xx while it is down. */
export function strangeAnswer(status: number): RelayError {
  if (status >= 500) {
    return new RelayError('RELAY_UNREACHABLE', `the relay is down: HTTP ${status}`, { hint: 'try again later' })
  }
  return new RelayError('RELAY_STRANGE', `what answers there is no relay: HTTP ${status}`, {
    hint: 'check the address of the relay',
  })
}

/** Does one step of a call with an end. @throws {RelayError} RELAY_SILENT | RELAY_UNREACHABLE @throws the reason of the signal */
export async function inTime<Result>(
  clock: RelayMeans['clock'],
  ms: number,
  stop: AbortController,
  { signal }: Pick<Call, 'signal'>,
  step: () => Promise<Result>,
): Promise<Result> {
  let isLate = false
  const cancel = clock.after(ms, () => {
    isLate = true
    stop.abort()
  })
  try {
    signal?.throwIfAborted()
    return await step()
  } catch (cause) {
    signal?.throwIfAborted()
    if (cause instanceof RelayError) throw cause
    throw isLate
      ? new RelayError('RELAY_SILENT', `the relay gave no sign for ${ms / 1000} seconds`, {
          hint: 'try again later',
          cause,
        })
      : new RelayError('RELAY_UNREACHABLE', 'the relay cannot be reached', {
          hint: 'check the network, and the address of the relay',
          cause,
        })
  } finally {
    cancel()
  }
}

/** @returns null for a body above the limit, or one that is not UTF-8 */
export async function readText({ body }: RelayResponse, maxBytes: number): Promise<string | null> {
  const parts: Uint8Array[] = []
  let length = 0
  for await (const part of chunksOf(body)) {
    length += part.length
    if (length > maxBytes) return null
    parts.push(part)
  }
  const whole = new Uint8Array(length)
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return decodeUtf8(whole)
}

/** The chunks of a body. Not every browser iterates over a stream by itself. */
export async function* chunksOf(body: ReadableStream<Uint8Array> | null): AsyncGenerator<Uint8Array, void, void> {
  if (body === null) return
  const reader = body.getReader()
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return
    yield value
  }
}

/** @returns undefined for a text that is no JSON */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}
