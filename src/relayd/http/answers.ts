/** The form of every answer: headers for pages of other origins, and no cookie (docs/relay.md, "HTTP"). */
import type { ServerResponse } from 'node:http'

const ALLOWED_METHODS = 'GET, HEAD, POST, PUT, DELETE, OPTIONS'
const ALLOWED_HEADERS = 'authorization, content-type, if-none-match, range'
const EXPOSED_HEADERS = 'etag, retry-after, content-range, date' // a client reads the relay's time in `date`
const PREFLIGHT_SEC = 86_400 // format: a day; browsers take less where they want to

/** Every answer has these, also a refusal: a page could not read it otherwise. */
const COMMON: readonly string[] = [
  'Access-Control-Allow-Origin',
  '*',
  'Access-Control-Expose-Headers',
  EXPOSED_HEADERS,
  'X-Content-Type-Options',
  'nosniff',
]

// A page of the operator runs no script, loads nothing, and appears in no frame.
const PAGE_POLICY =
  "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; form-action 'none'; base-uri 'none'"

export interface Answer {
  readonly status: number
  readonly type: 'application/json' | 'application/jose' | 'text/html; charset=utf-8' | 'text/plain; charset=utf-8'
  readonly body: string
  /** Further headers, name and value in turn. */
  readonly headers?: readonly string[]
}

export function jsonAnswer(value: unknown, status = 200, headers: readonly string[] = []): Answer {
  // An answer of a box is true for one moment and one caller.
  return {
    status,
    type: 'application/json',
    body: `${JSON.stringify(value)}\n`,
    headers: ['Cache-Control', 'no-store', ...headers],
  }
}

export function pageAnswer(html: string): Answer {
  const headers = ['Content-Security-Policy', PAGE_POLICY, 'Referrer-Policy', 'no-referrer']
  return { status: 200, type: 'text/html; charset=utf-8', body: html, headers }
}

export interface Manner {
  readonly isHead: boolean
  /** Ends the connection after this answer. */
  readonly isLast: boolean
}

export function writeAnswer(response: ServerResponse, answer: Answer, { isHead, isLast }: Manner): void {
  const { status, type, body, headers = [] } = answer
  const last = isLast ? ['Connection', 'close'] : []
  const length = String(Buffer.byteLength(body))
  response.writeHead(status, [...COMMON, 'Content-Type', type, 'Content-Length', length, ...headers, ...last])
  response.end(isHead ? undefined : body)
}

/** Begins an answer whose body is a file. @param headers further ones, name and value in turn */
export function beginBytes(response: ServerResponse, status: number, headers: readonly string[]): void {
  response.writeHead(status, [...COMMON, 'Content-Type', 'application/octet-stream', ...headers])
}

/** Answers OPTIONS, for whatever a page is about to ask. */
export function writePreflight(response: ServerResponse, { isLast }: Pick<Manner, 'isLast'>): void {
  response.writeHead(204, [
    ...COMMON,
    'Access-Control-Allow-Methods',
    ALLOWED_METHODS,
    'Access-Control-Allow-Headers',
    ALLOWED_HEADERS,
    'Access-Control-Max-Age',
    String(PREFLIGHT_SEC),
    'Allow',
    ALLOWED_METHODS,
    ...(isLast ? ['Connection', 'close'] : []),
  ])
  response.end()
}

/** Begins a stream of events. It ends with its connection. */
export function beginStream(response: ServerResponse): void {
  response.writeHead(200, [
    ...COMMON,
    'Content-Type',
    'text/event-stream',
    'Cache-Control',
    'no-store',
    // nginx would collect the events otherwise.
    'X-Accel-Buffering',
    'no',
    'Connection',
    'close',
  ])
  // By itself: beside a first line of the body, Node would keep the header as the pieces it was put together of, 1.2 KiB, while the stream lives.
  response.flushHeaders()
}
