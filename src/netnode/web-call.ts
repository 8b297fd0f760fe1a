/** One call of a server over HTTP: bounded in time and size, and read no faster than the daemon takes it. */
import { request as httpRequest, type ClientRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { concatBytes } from '../core/encoding/bytes.ts'
import type { Clock } from '../process/pulse.ts'
import { NetError } from './errors.ts'
import { ANSWER_HEADERS, MAX_ANSWER_HEADER_CHARS, WINDOW_BYTES, type CallForm, type Report } from './protocol.ts'
import type { WebAgents } from './web-agents.ts'
import type { CallTarget } from './web-url.ts'

const HEAD_MS = 60_000 // format: docs/relay.md, section 16; also for each part of a request
const BODY_MS = 60_000 // format: docs/relay.md, section 16
const MIN_BYTES_PER_SEC = 16 << 10 // format: docs/relay.md, section 11; beside the times above
const STREAM_SILENCE_MS = 90_000 // sanity: a stream has a comment every 20 s; the daemon leaves it after 70 s
const REDIRECTS: ReadonlySet<number> = new Set([300, 301, 302, 303, 305, 307, 308])

/** The codes of a connection that the server has closed meanwhile. */
const CLOSED: ReadonlySet<string> = new Set(['ECONNRESET', 'EPIPE'])

/** The parts of a call. */
export interface WebCallOptions {
  readonly order: CallForm & { readonly id: number }
  readonly target: CallTarget
  /** The first part of the body, or all of it. */
  readonly body: Uint8Array
  readonly agents: WebAgents
  readonly clock: Clock
  readonly report: (report: Report, body?: Uint8Array) => void
  /** Whether one more stream of events may begin. */
  readonly mayStream: () => boolean
  /** Called once, when the call is over. */
  readonly onEnd: () => void
}

export class WebCall {
  readonly #options: WebCallOptions
  #request: ClientRequest
  #response: IncomingMessage | null = null
  #cancelTimer: () => void
  #isOver = false
  #isStream = false
  /** Bytes of the body that the daemon has not sent yet. */
  #bodyLeft: number
  /** Whether the connection has not taken the last part of the body yet. */
  #isSending = false
  /** Bytes of the answer so far. */
  #received = 0
  /** Bytes that the daemon has not used yet. */
  #onTheWay = 0

  constructor(options: WebCallOptions) {
    this.#options = options
    this.#bodyLeft = options.order.bodyBytes - options.body.length
    this.#cancelTimer = this.#awaitAnswer()
    this.#request = this.#send(true)
  }

  get isStream(): boolean {
    return this.#isStream
  }

  /** A further part of the body, which goes on at once. */
  add(part: Uint8Array): void {
    // The server has answered without it.
    if (this.#response !== null) return
    if (this.#isSending || part.length === 0 || part.length > Math.min(this.#bodyLeft, WINDOW_BYTES))
      return this.#fail(otherBody())
    this.#bodyLeft -= part.length
    this.#cancelTimer()
    this.#cancelTimer = this.#awaitAnswer()
    this.#write(this.#request, part)
  }

  /** The daemon has used so many bytes. */
  took(bytes: number): void {
    this.#onTheWay = Math.max(0, this.#onTheWay - bytes)
    if (this.#response === null || !this.#response.isPaused() || this.#onTheWay >= WINDOW_BYTES) return
    this.#response.resume()
    if (this.#isStream) this.#awaitNext()
  }

  /** Ends it without a report. */
  cancel(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#cancelTimer()
    this.#request.destroy()
    this.#options.onEnd()
  }

  /** @param isFirst whether a connection that the server has just closed may be replaced: every call of ours may be made twice */
  #send(isFirst: boolean): ClientRequest {
    const { order, target, body, agents } = this.#options
    const { method, headers, bodyBytes } = order
    const isWhole = body.length === bodyBytes
    const send = target.url.protocol === 'https:' ? httpsRequest : httpRequest
    const request = send(target.url, {
      method,
      headers: { ...headers, ...(isWhole ? {} : { 'content-length': bodyBytes }) },
      // The server may have closed every connection that was kept, as it does when it starts anew.
      ...agents.of(target, !isWhole || !isFirst),
    })
    request.on('response', (response) => this.#takeHead(response))
    request.on('error', (error: Error & { code?: string }) => {
      if (isFirst && !this.#isOver && request.reusedSocket && CLOSED.has(error.code ?? '') && this.#response === null)
        this.#request = this.#send(false)
      else this.#fail(reasonOf(error, target.host))
    })
    // An answer 101 ends the connection without an error.
    request.on('close', () => {
      if (request === this.#request && this.#response === null)
        this.#fail(new NetError('NET_STRANGE', `${target.host} answers with another protocol`))
    })
    if (bodyBytes === 0) request.end()
    else if (isWhole) request.end(body)
    else this.#write(request, body)
    return request
  }

  #write(request: ClientRequest, part: Uint8Array): void {
    this.#isSending = true
    request.write(part, (error) => {
      this.#isSending = false
      if (error || this.#isOver || this.#response !== null || this.#bodyLeft === 0) return
      this.#cancelTimer()
      this.#cancelTimer = this.#awaitAnswer()
      this.#options.report({ type: 'http.sent', id: this.#options.order.id })
    })
    if (this.#bodyLeft === 0) request.end()
  }

  #takeHead(response: IncomingMessage): void {
    this.#response = response
    this.#cancelTimer()
    const { order, target, mayStream } = this.#options
    const status = response.statusCode ?? 0
    const length = lengthOf(response.headers)
    const onBreak = (): void => this.#fail(new NetError('NET_UNREACHABLE', `the connection to ${target.host} broke`))
    response.on('error', onBreak)
    response.on('close', onBreak)
    if (REDIRECTS.has(status))
      return this.#fail(new NetError('NET_REDIRECT', `${target.host} leads to another address`))
    const isStream = status === 200 && response.headers['content-type']?.startsWith('text/event-stream') === true
    if (isStream && !mayStream()) return this.#fail(new NetError('NET_BUSY', 'too many streams are open'))
    this.#isStream = isStream
    if (isStream) this.#awaitNext()
    else
      this.#cancelTimer = this.#startTimer(
        msFor(BODY_MS, Math.min(length ?? Infinity, order.maxBytes)),
        'the answer of the server does not end',
      )
    if (length !== null && length <= WINDOW_BYTES && !isStream) this.#gather(response, status)
    else this.#pass(response, status)
  }

  /** A short answer goes to the daemon in one report. */
  #gather(response: IncomingMessage, status: number): void {
    const parts: Uint8Array[] = []
    response.on('data', (part: Uint8Array) => this.#count(part) && parts.push(part))
    response.on('end', () => this.#finish(() => this.#reportHead(response, status, concatBytes(...parts))))
  }

  #pass(response: IncomingMessage, status: number): void {
    this.#reportHead(response, status, null)
    response.on('data', (part: Uint8Array) => {
      if (!this.#count(part)) return
      this.#options.report({ type: 'http.part', id: this.#options.order.id }, part)
      this.#onTheWay += part.length
      if (this.#isStream) this.#cancelTimer()
      if (this.#onTheWay >= WINDOW_BYTES) response.pause()
      else if (this.#isStream) this.#awaitNext()
    })
    response.on('end', () => this.#finish(() => this.#options.report({ type: 'http.end', id: this.#options.order.id })))
  }

  #reportHead({ headers }: IncomingMessage, status: number, whole: Uint8Array | null): void {
    const { order, report } = this.#options
    const shown = ANSWER_HEADERS.flatMap((name) => {
      const value = headers[name]
      return value === undefined || value.length > MAX_ANSWER_HEADER_CHARS ? [] : [[name, value] as const]
    })
    const head = { type: 'http.head', id: order.id, status, headers: Object.fromEntries(shown) } as const
    report({ ...head, isWhole: whole !== null }, whole ?? undefined)
  }

  /** @returns whether the answer may go on */
  #count(part: Uint8Array): boolean {
    if (this.#isOver) return false
    this.#received += part.length
    const { maxBytes } = this.#options.order
    if (this.#isStream || this.#received <= maxBytes) return true
    this.#fail(tooLarge(maxBytes))
    return false
  }

  /** The system may hold some of the body when the last part is out. */
  #awaitAnswer(): () => void {
    return this.#bodyLeft > 0
      ? this.#startTimer(HEAD_MS, 'the request does not go on')
      : this.#startTimer(msFor(HEAD_MS, this.#options.order.bodyBytes), 'the server does not answer')
  }

  #awaitNext(): void {
    this.#cancelTimer()
    this.#cancelTimer = this.#startTimer(STREAM_SILENCE_MS, 'the stream of the server is silent')
  }

  #startTimer(ms: number, problem: string): () => void {
    return this.#options.clock.after(ms, () =>
      this.#fail(new NetError('NET_SILENT', `${problem}: ${this.#options.target.host}, ${Math.round(ms / 1000)} s`)),
    )
  }

  #finish(report: () => void): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#cancelTimer()
    report()
    this.#options.onEnd()
    // The server has answered before it had all of the request.
    if (!this.#request.writableFinished) this.#request.destroy()
  }

  #fail({ code, message }: NetError): void {
    if (this.#isOver) return
    this.#finish(() => this.#options.report({ type: 'refused', id: this.#options.order.id, code, message }))
    this.#request.destroy()
  }
}

/** The time for so many bytes, in whole milliseconds. */
function msFor(ms: number, bytes: number): number {
  return ms + Math.floor((bytes / MIN_BYTES_PER_SEC) * 1000)
}

/** A daemon of ours sends what it announced, a part at a time. */
export function otherBody(): NetError {
  return new NetError('NET_FAILED', 'the body of the request is not the one that was announced')
}

function lengthOf(headers: IncomingHttpHeaders): number | null {
  const text = headers['content-length']
  return text === undefined ? null : Number(text)
}

function tooLarge(maxBytes: number): NetError {
  return new NetError('NET_TOO_LARGE', `the answer is longer than ${maxBytes} bytes`)
}

/** Why a request failed before its answer. The texts of others stay here. */
function reasonOf(error: Error & { code?: string }, host: string): NetError {
  if (error instanceof NetError) return error
  const code = error.code ?? ''
  if (error.cause instanceof NetError) return error.cause
  if (/CERT|^UNABLE_TO|SELF_SIGNED|^HOSTNAME|^ERR_TLS|^ERR_SSL|^EPROTO$/.test(code))
    return new NetError('NET_TLS', `${host} shows no good certificate (${code})`)
  if (code.startsWith('HPE_')) return new NetError('NET_STRANGE', `${host} does not answer in HTTP`)
  return new NetError('NET_UNREACHABLE', `${host} cannot be reached${code === '' ? '' : ` (${code})`}`)
}
