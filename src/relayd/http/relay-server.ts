/** The HTTP server of a relay: routes, limits and streams over the service of the boxes (docs/relay.md, "HTTP"). */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { MAX_CARD_CHARS } from '../../card/card.ts'
import type { Clock } from '../../process/pulse.ts'
import type { CardPlace } from '../../relay/paths/card-place.ts'
import type { RelayLimits } from '../../relay/limits.ts'
import type { Refused } from '../../relay/wire.ts'
import type { BoxCaller, BoxService } from '../boxes/box-service.ts'
import type { CardService } from '../cards/card-service.ts'
import type { InboxService } from '../inbox/inbox-service.ts'
import type { ObjectService } from '../objects/object-service.ts'
import type { PersonaService } from '../personas/persona-service.ts'
import { infoOf, pageOf, type About } from './about.ts'
import { beginStream, jsonAnswer, pageAnswer, writeAnswer, writePreflight, type Answer } from './answers.ts'
import { bearerOf } from './bearer.ts'
import { drain, hasRest, readBody, readText } from './body.ts'
import { answerToGet, answerToPut, tooBig } from './card-answers.ts'
import type { Callers } from './callers.ts'
import { Connections } from './connections.ts'
import { actionOf, Counters, type Route } from './counters.ts'
import type { HttpLimits } from './http-limits.ts'
import { answerInbox, plainAnswer, tooBigForInbox } from './inbox-answers.ts'
import { streamInbox, type InboxStreamsOptions } from './inbox-streams.ts'
import type { Listener, TlsFiles } from './listener.ts'
import { namedStream } from './named-stream.ts'
import { OpenStreams, TOO_MANY_SEC } from './open-streams.ts'
import { tooOften } from './refusals.ts'
import { answerToRemovePersona } from './object-answers.ts'
import { ObjectRoute } from './object-route.ts'
import { routeOf, type PlainRoute, type Routed } from './routes.ts'
import { Streams } from './streams.ts'
import { parseWait } from './wait-request.ts'

export interface RelayServerOptions {
  readonly boxes: BoxService
  readonly cards: CardService
  readonly inboxes: InboxService
  readonly objects: ObjectService
  readonly personas: PersonaService
  readonly callers: Callers
  readonly limits: RelayLimits
  readonly http: HttpLimits
  /** The relay's words about itself now; a reload may change them. */
  readonly about: () => About
  /** Whether the store still works. */
  readonly isHealthy: () => boolean
  readonly clock: Clock
  /** Gets an error that no client can cause. The server goes on. */
  readonly onError: (error: unknown) => void
}

const REFUSED_STATUS = 200 // format: the text's errors are answers, also `Too often`

export class RelayServer {
  readonly counters: Counters = new Counters()
  readonly streams: Streams
  /** The streams of all routes. */
  readonly openStreams: OpenStreams
  readonly connections: Connections
  readonly #options: RelayServerOptions
  readonly #listener: Listener
  readonly #objects: ObjectRoute
  /** The path of the relay's own URL without a slash at its end. */
  readonly #basePath: string
  readonly #eventOptions: InboxStreamsOptions
  #isStopping = false

  /** @param listener listens already, and has no other handler: call this before the event loop goes on */
  constructor(listener: Listener, options: RelayServerOptions) {
    const { boxes, limits, http, clock, callers, onError } = options
    this.#options = options
    this.#listener = listener
    this.#basePath = new URL(options.about().url).pathname.replace(/\/+$/, '')
    this.connections = new Connections(http, callers, this.counters, clock)
    this.openStreams = new OpenStreams(clock, limits.wait)
    this.#eventOptions = { open: this.openStreams, clock, streamMs: http.streamMs, counters: this.counters, onError }
    this.streams = new Streams({ boxes, ...this.#eventOptions })
    this.#objects = new ObjectRoute({
      objects: options.objects,
      connections: this.connections,
      http,
      maxObjectBytes: limits.object.maxObjectBytes,
      clock,
      write: (request, response, outcome, answer) => this.#write(request, response, 'object', outcome, answer),
      count: (outcome) => this.counters.answered('object', outcome),
    })
    const { server, isTls } = listener
    server.on('connection', (socket) => this.connections.admit(socket))
    server.on(isTls ? 'secureConnection' : 'connection', (socket: Socket) => this.connections.open(socket))
    server.on('request', (request, response) => void this.#serve(request, response))
    server.on('error', onError)
  }

  /** Uses other certificate files for the connections from now on. @throws an error if they do not fit together */
  setTls(tls: TlsFiles): void {
    const { server } = this.#listener
    if ('setSecureContext' in server) server.setSecureContext(tls)
  }

  /** Takes no more connections, ends the streams, and waits until running requests are answered. */
  async close(): Promise<void> {
    this.#isStopping = true
    const { server } = this.#listener
    const closed = new Promise<void>((resolve) => void server.close(() => resolve()))
    this.openStreams.close()
    this.connections.endIdle()
    const cancel = this.#options.clock.after(this.#options.http.stopMs, () => server.closeAllConnections())
    await closed
    cancel()
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (!this.connections.begin(request.socket, response)) return
    if (hasRest(request)) this.connections.expectBody(request, this.#options.http.requestMs)
    const { url: target = '/', method = '' } = request
    const routed = routeOf(method, target, this.#basePath)
    try {
      await this.#answerRouted(routed, request, response)
    } catch (error) {
      // The store failed, or this code has a fault: the client hears it, and may try again.
      this.#options.onError(error)
      if (response.headersSent) return void response.destroy()
      this.#write(request, response, 'other', 'failed', jsonAnswer({ error: 'Failed' }, 500))
    }
  }

  async #answerRouted(routed: Routed, request: IncomingMessage, response: ServerResponse): Promise<void> {
    switch (routed.outcome) {
      case 'route':
        return await this.#answerRoute(routed.route, request, response)
      case 'card':
        return await this.#answerCard(routed.place, request, response)
      case 'inbox':
        return await this.#answerInbox(routed, request, response)
      case 'object':
        return await this.#objects.answer({ ...routed, caller: this.#callerOf(request) }, request, response)
      case 'persona': {
        const { persona, path } = routed
        const call = { path, bearer: bearerOf(request.headers.authorization) }
        const removed = await this.#options.personas.remove(persona, call, this.#callerOf(request))
        return this.#write(request, response, 'persona', removed.outcome, answerToRemovePersona(removed))
      }
      case 'other method': {
        const answer = jsonAnswer({ error: 'Other method' }, 405, ['Allow', routed.allowed])
        return this.#write(request, response, 'other', routed.outcome, answer)
      }
      case 'no such path':
        return this.#write(request, response, 'other', routed.outcome, jsonAnswer({ error: 'No such path' }, 404))
    }
  }

  async #answerRoute(route: PlainRoute, request: IncomingMessage, response: ServerResponse): Promise<void> {
    switch (route) {
      case 'box':
        return await this.#answerBox(request, response)
      case 'wait':
        return await this.#answerWait(request, response)
      case 'page':
        return this.#write(request, response, route, 'ok', pageAnswer(pageOf(this.#options.about())))
      case 'info':
        return this.#write(request, response, route, 'ok', jsonAnswer(infoOf(this.#options.about())))
      case 'healthz': {
        const isHealthy = !this.#isStopping && this.#options.isHealthy()
        const answer = jsonAnswer({ ok: isHealthy }, isHealthy ? 200 : 503)
        return this.#write(request, response, route, isHealthy ? 'ok' : 'failed', answer)
      }
      case 'options':
        this.counters.answered(route, 'ok')
        return writePreflight(response, { isLast: this.#leaveRest(request) })
      case 'other':
        return
    }
  }

  async #answerBox(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await this.#read(request, response, 'box', this.#options.limits.maxBodyBytes)
    if (body === null) return
    const answer = await this.#options.boxes.answer(body.value, this.#callerOf(request))
    const action = actionOf(body.value)
    if (!answer.ok) return this.#refuse(request, response, 'box', answer, action)
    this.#write(request, response, 'box', action, jsonAnswer(answer))
    const named = namedStream(body.value, answer)
    if (named !== null) this.streams.give(named.name, named.from)
  }

  async #answerCard(place: CardPlace, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { cards } = this.#options
    const caller = this.#callerOf(request)
    if (request.method !== 'PUT') {
      const got = await cards.get(place, caller)
      return this.#write(request, response, 'card', `get: ${got.outcome}`, answerToGet(got))
    }
    const body = await readText(request, MAX_CARD_CHARS)
    if (body.outcome === 'gone') return
    if (body.outcome === 'too big') return this.#write(request, response, 'card', 'put: too big', tooBig())
    const put = await cards.put(place, body.text ?? '', bearerOf(request.headers.authorization), caller)
    this.#write(request, response, 'card', `put: ${put.outcome}`, answerToPut(put))
  }

  async #answerInbox(
    { inbox, path }: Extract<Routed, { readonly outcome: 'inbox' }>,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const { limits, inboxes } = this.#options
    const { method = '', headers } = request
    const write = (outcome: string, answer: Answer): void =>
      this.#write(request, response, 'inbox', `${inbox.part}: ${outcome}`, answer)
    const maxBytes = inbox.part === 'entries' ? limits.maxEntryBytes : limits.maxOwnerBytes
    const body = await readText(request, maxBytes)
    if (body.outcome === 'gone') return
    if (body.outcome === 'too big') return write('too big', tooBigForInbox(maxBytes))
    const { address } = this.#callerOf(request)
    const bearer = bearerOf(headers.authorization)
    const call = { ...inbox, method, path, body: body.text ?? '', bearer, address }
    const { part } = inbox
    if (part !== 'events') {
      const { outcome, answer } = await answerInbox(part, inboxes, call)
      return write(outcome, answer)
    }
    if (this.#isStopping || !this.openStreams.hasRoomFor(address)) return write('busy', tooOften(TOO_MANY_SEC))
    const followed = await inboxes.follow(call)
    if (followed.outcome !== 'followed') return write(followed.outcome, plainAnswer(followed))
    if (response.destroyed) return
    this.counters.answered('inbox', 'events: ok')
    beginStream(response)
    streamInbox(response, followed.inbox, address, this.#eventOptions)
  }

  async #answerWait(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { maxBodyBytes, maxBoxes } = this.#options.limits.wait
    const body = await this.#read(request, response, 'wait', maxBodyBytes)
    if (body === null) return
    const boxes = parseWait(body.value, maxBoxes)
    if (boxes === null) return this.#refuse(request, response, 'wait', { ok: false, error: 'Bad request' })
    if (this.#isStopping) return this.#refuse(request, response, 'wait', { ok: false, error: 'Too often' })
    const refused = await this.streams.open(response, boxes, this.#callerOf(request), () => {
      this.counters.answered('wait', 'ok')
      beginStream(response)
    })
    if (refused !== null) this.#refuse(request, response, 'wait', refused)
  }

  /** @returns null if there is no body to answer: the refusal is written, or the client is gone */
  async #read(
    request: IncomingMessage,
    response: ServerResponse,
    route: Route,
    maxBytes: number,
  ): Promise<{ readonly value: unknown } | null> {
    const body = await readBody(request, maxBytes)
    switch (body.outcome) {
      case 'read':
        return body
      case 'gone':
        return null
      case 'malformed':
        this.#refuse(request, response, route, { ok: false, error: 'Bad request' })
        return null
      case 'too big':
        this.#refuse(request, response, route, { ok: false, error: 'Too big' })
        return null
    }
  }

  #refuse(request: IncomingMessage, response: ServerResponse, route: Route, refused: Refused, action?: string): void {
    const headers = refused.retryAfter === undefined ? [] : ['Retry-After', String(refused.retryAfter)]
    const outcome = action === undefined ? refused.error : `${action}: ${refused.error}`
    this.#write(request, response, route, outcome, jsonAnswer(refused, REFUSED_STATUS, headers))
  }

  #write(request: IncomingMessage, response: ServerResponse, route: Route, outcome: string, answer: Answer): void {
    this.counters.answered(route, outcome)
    writeAnswer(response, answer, { isHead: request.method === 'HEAD', isLast: this.#leaveRest(request) })
    this.connections.finish(request.socket, response)
  }

  /**
   * Reads the rest of a body that nobody wants, for some time.
   * @returns whether the connection ends after the answer: a rest stands before its next request
   */
  #leaveRest(request: IncomingMessage): boolean {
    const isRest = hasRest(request)
    if (isRest) drain(request, this.#options.http.maxDrainBytes)
    return isRest || this.#isStopping
  }

  #callerOf({ socket, headers }: IncomingMessage): BoxCaller {
    const forwarded = headers['x-forwarded-for']
    const line = Array.isArray(forwarded) ? forwarded.join(',') : forwarded
    return { address: this.#options.callers.nameOf(socket.remoteAddress, line) }
  }
}
