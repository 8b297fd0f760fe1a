/** Requests and answers as HTTP shows them, with names in place of texts that differ at each run. */
import { Buffer } from 'node:buffer'
import type { RelayRequest, RelayResponse } from '../../src/relay/means.ts'

type Body = string | ReadableStream<Uint8Array>

const SHOWN = ['ETag', 'Content-Range']

export class HttpTranscript {
  /** The names, the longest text first, so that no part of a text is replaced before it. */
  #names: (readonly [text: string, name: string])[] = []
  readonly #numbers: string[] = []
  #exchanges: string[] = []
  #bearer = ''

  /** @param text bytes as latin1 */
  name(text: string, name: string): void {
    this.#names = [...this.#names, [text, name] as const].toSorted(([a], [b]) => b.length - a.length)
  }

  /** Names a server: its origin, and its host alone. @param host that stands in its place */
  nameOrigin(origin: string, host: string): void {
    this.name(origin, `https://${host}`)
    this.name(new URL(origin).host, host)
  }

  /** The exchanges since the last call of this. */
  take(): readonly string[] {
    const taken = this.#exchanges
    this.#exchanges = []
    return taken.map((text) => this.named(text))
  }

  /** A text with all names in their places. The numbers of entries, which are moments, are counted. */
  named(text: string): string {
    const named = this.#names.reduce((each, [from, name]) => each.replaceAll(from, name), text)
    return named.replaceAll(/\b\d{16}\b/g, (number) => {
      if (!this.#numbers.includes(number)) this.#numbers.push(number)
      return `$N${this.#numbers.indexOf(number) + 1}`
    })
  }

  /** The claims of the last device token. */
  get claims(): string {
    return this.named(claimsOf(this.#bearer))
      .replace(/"bh":"[^"]+"/, '"bh":"$HASH_OF_BODY"')
      .replace(/"exp":\d+/, '"exp":$NOW+120')
      .replace(/"iat":\d+/, '"iat":$NOW')
  }

  readonly fetch = async (url: string, request: RelayRequest<Body>): Promise<RelayResponse> => {
    const { body, ...rest } = request
    const sent = typeof body === 'object' ? await bytesOf(body) : body
    this.#bearer = request.headers?.['authorization'] ?? this.#bearer
    const response = await fetch(url, { ...rest, ...(sent === undefined ? {} : { body: sent }) })
    const got = Buffer.from(await response.clone().arrayBuffer())
    this.#exchanges.push(`${requestText(url, request, sent)}\n\n${answerText(response, got)}`)
    return response
  }
}

async function bytesOf(stream: ReadableStream<Uint8Array>): Promise<Buffer<ArrayBuffer>> {
  return Buffer.concat(await Array.fromAsync(stream))
}

function requestText(url: string, { method, headers = {} }: RelayRequest<Body>, body: string | Buffer = ''): string {
  const { host, pathname, search } = new URL(url)
  const lines = Object.entries(headers).map(([name, value]) => {
    const shown = name.replaceAll(/(^|-)[a-z]/g, (letter) => letter.toUpperCase())
    return `${shown}: ${value.replace(/^Bearer .*$/, (bearer) => `Bearer <token of ${signerOf(bearer)}>`)}`
  })
  return withBody([`${method} ${pathname}${search} HTTP/1.1`, `Host: ${host}`, ...lines], body)
}

function answerText({ status, statusText, headers }: Response, body: Buffer): string {
  const lines = SHOWN.flatMap((name) => (headers.has(name) ? [`${name}: ${headers.get(name)}`] : []))
  return withBody([`HTTP/1.1 ${status} ${statusText}`, ...lines], body)
}

function withBody(head: readonly string[], body: string | Buffer): string {
  const text = (typeof body === 'string' ? body : body.toString('latin1')).trimEnd()
  return [...head, ...(text === '' ? [] : ['', text])].join('\n')
}

/** The claims of a device token, from the header `Authorization`. */
function claimsOf(bearer: string): string {
  return Buffer.from(bearer.split('.')[1] ?? '', 'base64url').toString('utf8')
}

/** The key of the device that signed a device token. */
function signerOf(bearer: string): string {
  return (JSON.parse(claimsOf(bearer)) as { readonly kid: string }).kid
}
