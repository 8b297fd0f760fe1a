/** Calls of servers over HTTP through personad-net, in the form of the standard fetch (relay/means.ts). */
import { NetError } from '../../netnode/errors.ts'
import {
  MAX_ANSWER_BYTES,
  MAX_REQUEST_BYTES,
  METHODS,
  REQUEST_HEADERS,
  type CallForm,
  type Order,
  type Report,
} from '../../netnode/protocol.ts'
import type { Framed } from '../../process/frame.ts'
import { Turns } from './turns.ts'
import { WebAnswer, type WebResponse } from './web-answer.ts'
import { WebBody, type BodySource } from './web-body.ts'

const MAX_FETCHED_BYTES = 2_097_152 // format: docs/relay.md, section 16

export type WebReport = Extract<
  Report,
  { readonly type: 'http.head' | 'http.part' | 'http.end' | 'http.sent' | 'refused' }
>

/** The part of the standard request that is used. */
export interface WebRequest extends BodySource {
  readonly method: string
  readonly headers?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal
  /** A longer answer fails; by default {@link MAX_FETCHED_BYTES}. */
  readonly maxBytes?: number
}

export interface WebOptions {
  readonly nextId: () => number
  readonly send: (order: Order, body?: Uint8Array) => void
  /** Resolves when personad-net takes orders. @throws {NetError} NET_DOWN */
  readonly started: () => Promise<void>
}

interface OpenCall {
  /** With its port. */
  readonly host: string
  readonly answer: WebAnswer
  readonly body: WebBody
}

export class Web {
  readonly #options: WebOptions
  /** The calls that personad-net has. */
  readonly #open = new Map<number, OpenCall>()
  readonly #turns = new Turns()

  constructor(options: WebOptions) {
    this.#options = options
  }

  /**
   * Calls a server. The address rules hold in personad-net (netnode/web-url.ts).
   * @throws {NetError} NET_DOWN | NET_LOST | NET_BUSY | NET_ADDRESS | NET_NAME | NET_UNREACHABLE | NET_TLS | NET_SILENT | NET_TOO_LARGE |
   * NET_REDIRECT | NET_STRANGE; the body of the answer too
   * @throws the reason of the signal
   */
  async fetch(url: string, request: WebRequest): Promise<WebResponse> {
    const { signal } = request
    const body = new WebBody(request)
    try {
      signal?.throwIfAborted()
      const form = formOf(url, request, body.bytes)
      const host = hostOf(url)
      await this.#begin(host, signal)
      return await this.#call(form, host, body, signal)
    } finally {
      // The answer is there, or none comes.
      body.stop()
    }
  }

  /** @returns whether it was about a call that is open here */
  take({ message, body }: Framed<WebReport>, refusal: (code: string, message: string) => NetError): boolean {
    const call = this.#open.get(message.id)
    if (call === undefined) return false
    const { answer } = call
    switch (message.type) {
      case 'http.head':
        answer.begin(message.status, message.headers, message.isWhole ? body : null)
        if (message.isWhole) this.#end(message.id)
        break
      case 'http.part':
        answer.add(body)
        break
      case 'http.sent':
        if (!call.body.sentOn())
          this.#giveUp(message.id, new NetError('NET_FAILED', 'personad-net sends more of a request than it got'))
        break
      case 'http.end':
        answer.end()
        this.#end(message.id)
        break
      case 'refused':
        answer.fail(refusal(message.code, message.message))
        this.#end(message.id)
    }
    return true
  }

  /** personad-net has ended. */
  lose(error: NetError): void {
    for (const [id, { answer }] of this.#open) {
      answer.fail(error)
      this.#end(id)
    }
  }

  /** Takes a turn of the host, which {@link #end} gives back. */
  async #begin(host: string, signal: AbortSignal | undefined): Promise<void> {
    await this.#turns.take(host, signal)
    try {
      await this.#options.started()
      signal?.throwIfAborted()
    } catch (error) {
      this.#turns.give(host)
      throw error
    }
  }

  async #call(form: CallForm, host: string, body: WebBody, signal: AbortSignal | undefined): Promise<WebResponse> {
    const { nextId, send } = this.#options
    const id = nextId()
    const answer = new WebAnswer({
      took: (bytes) => this.#open.has(id) && send({ type: 'http.took', id, bytes }),
      cancel: () => this.#cancel(id),
    })
    this.#open.set(id, { host, answer, body })
    const abort = (): void => this.#giveUp(id, signal!.reason)
    signal?.addEventListener('abort', abort, { once: true })
    void answer.over.then(() => signal?.removeEventListener('abort', abort))
    let order: Order = { type: 'http.open', id, ...form }
    const give = (part: Uint8Array): void => {
      send(order, part)
      order = { type: 'http.body', id }
    }
    body.send(give).catch((error: unknown) => this.#giveUp(id, error))
    return await answer.response
  }

  #giveUp(id: number, error: unknown): void {
    const call = this.#open.get(id)
    this.#cancel(id)
    call?.answer.fail(error)
  }

  #cancel(id: number): void {
    if (!this.#open.has(id)) return
    this.#options.send({ type: 'http.cancel', id })
    this.#end(id)
  }

  #end(id: number): void {
    const call = this.#open.get(id)
    if (call === undefined) return
    this.#open.delete(id)
    call.body.stop()
    this.#turns.give(call.host)
  }
}

/** personad-net refuses what is no URL. */
function hostOf(url: string): string {
  return URL.parse(url)?.host ?? ''
}

/** @throws {TypeError} for a request that personad-net would not take */
function formOf(
  url: string,
  { method, headers = {}, maxBytes = MAX_FETCHED_BYTES }: WebRequest,
  bodyBytes: number,
): CallForm {
  const known = METHODS.find((each) => each === method)
  const names = Object.keys(headers).map((name) => name.toLowerCase())
  if (known === undefined || !names.every((name) => (REQUEST_HEADERS as readonly string[]).includes(name)))
    throw new TypeError('personad-net does not send this method or header')
  if (bodyBytes > MAX_REQUEST_BYTES) throw new TypeError(`personad-net sends ${MAX_REQUEST_BYTES} bytes at most`)
  const lower = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
  return { method: known, url, headers: lower, bodyBytes, maxBytes: Math.min(maxBytes, MAX_ANSWER_BYTES) }
}
