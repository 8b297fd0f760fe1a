/** Calls of servers over HTTP through personad-net, in the form of the standard fetch (relay/means.ts). */
import { NetError } from '../../netnode/errors.ts'
import { MAX_CALLS, METHODS, REQUEST_HEADERS, type CallForm, type Order, type Report } from '../../netnode/protocol.ts'
import type { Framed } from '../../process/frame.ts'
import { WebAnswer, type WebResponse } from './web-answer.ts'

const MAX_WAITING = 1024 // sanity: the outboxes of 256 channels with some calls each
const MAX_FETCHED_BYTES = 2_097_152 // format: docs/relay.md, section 13
const NO_BODY = new Uint8Array()

export type WebReport = Extract<Report, { readonly type: 'http.head' | 'http.part' | 'http.end' | 'refused' }>

/** The part of the standard request that is used. */
export interface WebRequest {
  readonly method: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
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

export class Web {
  readonly #options: WebOptions
  /** The calls that personad-net has. */
  readonly #open = new Map<number, WebAnswer>()
  /** Calls that wait for another to end. */
  readonly #waiting: (() => void)[] = []
  #running = 0

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
    signal?.throwIfAborted()
    const form = formOf(url, request)
    await this.#turn(signal)
    try {
      await this.#options.started()
      signal?.throwIfAborted()
    } catch (error) {
      this.#next()
      throw error
    }
    return await this.#call(form, request)
  }

  /** @returns whether it was about a call that is open here */
  take({ message, body }: Framed<WebReport>, refusal: (code: string, message: string) => NetError): boolean {
    const answer = this.#open.get(message.id)
    if (answer === undefined) return false
    switch (message.type) {
      case 'http.head':
        answer.begin(message.status, message.headers, message.isWhole ? body : null)
        if (message.isWhole) this.#end(message.id)
        break
      case 'http.part':
        answer.add(body)
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
    for (const [id, answer] of this.#open) {
      answer.fail(error)
      this.#end(id)
    }
  }

  async #call(form: CallForm, { body, signal }: WebRequest): Promise<WebResponse> {
    const { nextId, send } = this.#options
    const id = nextId()
    const cancel = (): void => {
      if (!this.#open.has(id)) return
      send({ type: 'http.cancel', id })
      this.#end(id)
    }
    const answer = new WebAnswer({
      took: (bytes) => this.#open.has(id) && send({ type: 'http.took', id, bytes }),
      cancel,
    })
    this.#open.set(id, answer)
    const abort = (): void => {
      cancel()
      answer.fail(signal!.reason)
    }
    signal?.addEventListener('abort', abort, { once: true })
    void answer.over.then(() => signal?.removeEventListener('abort', abort))
    send({ type: 'http.open', id, ...form }, typeof body === 'string' ? Buffer.from(body) : (body ?? NO_BODY))
    return await answer.response
  }

  /** Waits until one more call may be open. @throws {NetError} NET_BUSY @throws the reason of the signal */
  async #turn(signal: AbortSignal | undefined): Promise<void> {
    if (this.#running < MAX_CALLS) {
      this.#running++
      return
    }
    if (this.#waiting.length >= MAX_WAITING) throw new NetError('NET_BUSY', `${MAX_WAITING} calls wait already`)
    // Its turn counts as running from the moment it is given.
    await new Promise<void>((begin, fail) => {
      const abort = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(run), 1)
        fail(signal!.reason as Error)
      }
      const run = (): void => {
        signal?.removeEventListener('abort', abort)
        begin()
      }
      this.#waiting.push(run)
      signal?.addEventListener('abort', abort, { once: true })
    })
  }

  #end(id: number): void {
    if (this.#open.delete(id)) this.#next()
  }

  #next(): void {
    const begin = this.#waiting.shift()
    if (begin === undefined) this.#running--
    else begin()
  }
}

function formOf(url: string, { method, headers = {}, maxBytes = MAX_FETCHED_BYTES }: WebRequest): CallForm {
  const known = METHODS.find((each) => each === method)
  const names = Object.keys(headers).map((name) => name.toLowerCase())
  if (known === undefined || !names.every((name) => (REQUEST_HEADERS as readonly string[]).includes(name)))
    throw new TypeError('personad-net does not send this method or header')
  const lower = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
  return { method: known, url, headers: lower, maxBytes }
}
