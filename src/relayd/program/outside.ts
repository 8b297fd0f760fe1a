/** Calls a relay from outside, as an app does: with the headers and the certificate in view. */
import { request as plainRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http'
import { request as tlsRequest } from 'node:https'
import { rootCertificates, TLSSocket } from 'node:tls'

const CALL_MS = 20_000 // sanity: a slow network, and a proxy that wakes up
const MAX_ANSWER_BYTES = 4 << 20 // sanity: three times the largest answer of a relay with its own limits

export interface Reply {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
  /** The last moment of the certificate, as OpenSSL writes it; null without TLS. */
  readonly validUntil: string | null
}

export interface Sent {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE' | 'OPTIONS'
  readonly path: string
  readonly body?: string
  readonly headers?: Readonly<Record<string, string>>
}

export class Outside {
  readonly #url: string
  readonly #ca: readonly string[] | null

  /**
   * @param url without a slash at its end
   * @param ca certificates in PEM that count beside those of Node; null for none
   */
  constructor(url: string, ca: string | null) {
    this.#url = url
    this.#ca = ca === null ? null : [...rootCertificates, ca]
  }

  /** @throws the error of the system or of TLS */
  async call(sent: Sent): Promise<Reply> {
    const response = await this.#begin(sent, AbortSignal.timeout(CALL_MS))
    let text = ''
    response.setEncoding('utf8')
    for await (const part of response) {
      text += String(part)
      if (text.length > MAX_ANSWER_BYTES) throw new Error('the answer has no end')
    }
    const { statusCode = 0, headers, socket } = response
    return { status: statusCode, headers, text, validUntil: certificateEnd(socket) }
  }

  /** Calls with JSON, and reads JSON. @throws the same, or a SyntaxError if the answer is no JSON */
  async post(path: string, value: unknown): Promise<Record<string, unknown>> {
    const { text } = await this.call({ method: 'POST', path, body: JSON.stringify(value) })
    return JSON.parse(text) as Record<string, unknown>
  }

  /**
   * Opens a stream of events, and calls `opened` once its first bytes came.
   * @returns the data of the first event
   * @throws an error if none comes before the signal
   */
  async firstEvent(path: string, value: unknown, signal: AbortSignal, opened: () => void): Promise<string> {
    const response = await this.#begin({ method: 'POST', path, body: JSON.stringify(value) }, signal)
    const type = response.headers['content-type'] ?? ''
    if (type !== 'text/event-stream') throw new Error(`the answer is no stream of events, but ${type}`)
    let text = ''
    response.setEncoding('utf8')
    for await (const part of response) {
      if (text === '') opened()
      text += String(part)
      const [, data] = /^data: (.*)\n\n/m.exec(text) ?? []
      if (data !== undefined) return data
      if (text.length > MAX_ANSWER_BYTES) throw new Error('the stream has no event')
    }
    throw new Error('the stream ended without an event')
  }

  #begin({ method, path, body, headers = {} }: Sent, signal: AbortSignal): Promise<IncomingMessage> {
    const url = new URL(this.#url + path)
    const length = body === undefined ? {} : { 'Content-Length': String(Buffer.byteLength(body)) }
    const options = { method, headers: { ...headers, ...length }, signal, agent: false as const }
    return new Promise((resolve, reject) => {
      const call =
        url.protocol === 'https:'
          ? tlsRequest(url, this.#ca === null ? options : { ...options, ca: [...this.#ca] }, resolve)
          : plainRequest(url, options, resolve)
      call.on('error', reject)
      call.end(body)
    })
  }
}

function certificateEnd(socket: unknown): string | null {
  return socket instanceof TLSSocket ? (socket.getPeerCertificate().valid_to ?? null) : null
}
