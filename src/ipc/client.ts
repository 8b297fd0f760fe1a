/** The client of the daemon's socket, typed by the method table; the public entry `personad/client` (docs/ipc.md, section 2). */
import type { Socket } from 'node:net'
import { errorText, IpcError } from './wire/errors.ts'
import { FRAME_ENCODING, FrameReader, isFrameTooLarge, type Frame } from './wire/frame.ts'
import type { MethodTable, ParamsOf, ResultOf } from './methods/method.ts'
import type { Methods } from './methods/all-methods.ts'
import { formatRequest, readReply, RpcError } from './wire/rpc.ts'
import type { DaemonEvent } from './methods/events.ts'
import { openSocket } from './open-socket.ts'

export { IpcError, RpcError }
export type { AdvisedDevice, ContactDevices } from './shapes/advice.ts'
export type { ContactChange } from './shapes/events.ts'
export type { DaemonEvent } from './methods/events.ts'
export type { ObserveResult, VerifyResult } from './shapes/judged.ts'
export type { EditResult, OwnTable, StatusMessage } from './shapes/own.ts'
export type { DaemonStatus } from './methods/status.ts'
export type { ProfileList, WatchedProfile } from './shapes/profiles.ts'
export type { Contact, ContactDevice, LookupResult } from './shapes/contact.ts'

export interface ConnectOptions {
  readonly socketPath: string
  /** For connecting and for each call; by default 30 000. */
  readonly timeoutMs?: number
}

/** In the place of events that were not read in time or are no longer kept. Read the state again. */
export interface LaggedEvent {
  readonly event: 'lagged'
  readonly data: {
    readonly missed: number
    /** Number of the last event before the gap. */
    readonly after: number
  }
}

export interface Subscription {
  close(): Promise<void>
}

type Named = { readonly event: string }
/** Params are optional if no param is required. */
type Arguments<P> = string extends keyof P ? [params?: P] : Partial<P> extends P ? [params?: P] : [params: P]

/** One connection. It never reconnects: the caller sees that subscriptions and running calls are lost, and decides. */
export interface Client<M extends MethodTable<M> = Methods, E extends Named = DaemonEvent> {
  /**
   * @throws {RpcError} the error that the daemon answered
   * @throws {IpcError} TIMEOUT | CONNECTION_CLOSED | PROTOCOL | FRAME_TOO_LARGE
   */
  call<Name extends keyof M & string>(name: Name, ...params: Arguments<ParamsOf<M[Name]>>): Promise<ResultOf<M[Name]>>
  /**
   * Calls onEvent for these events, or for all if null, until the subscription is closed; also for `lagged`, in the place of lost events.
   * @param after number of the last event that the caller knows; later ones come first, and no event comes twice
   * @throws {RpcError} CURSOR_AHEAD: the store was put back to an earlier state
   */
  subscribe(
    events: readonly E['event'][] | null,
    onEvent: (event: E | LaggedEvent) => void,
    after?: number,
  ): Promise<Subscription>
  /** Resolves when the connection ends: with the reason, or with null after close(). */
  readonly closed: Promise<IpcError | RpcError | null>
  /** Waiting calls fail with CONNECTION_CLOSED. */
  close(): Promise<void>
}

/**
 * Connects to a daemon. An open client does not keep the process alive; a waiting call or a subscription does.
 * @throws {IpcError} DAEMON_UNREACHABLE | TIMEOUT | SOCKET_PATH_TOO_LONG | SOCKET_DIR_INVALID | SOCKET_DIR_FOREIGN | SOCKET_DIR_OPEN
 */
export async function connect<M extends MethodTable<M> = Methods, E extends Named = DaemonEvent>(
  options: ConnectOptions,
): Promise<Client<M, E>> {
  const timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS
  const socket = await openSocket(options.socketPath, timeoutMs)
  const connection = new ClientConnection(socket, timeoutMs)
  return {
    call: (name, ...params) => connection.call(name, params[0]) as Promise<ResultOf<M[typeof name]>>,
    subscribe: (events, onEvent, after) => connection.subscribe(events, onEvent as (event: Named) => void, after),
    closed: connection.closed,
    close: () => connection.close(),
  }
}

const DEFAULT_TIMEOUT_MS = 30_000 // sanity: the slowest single call opens a secrets file, a few seconds on a slow machine

interface Waiting {
  readonly resolve: (result: unknown) => void
  readonly reject: (error: Error) => void
  readonly timer: NodeJS.Timeout
}

interface Listener {
  readonly events: readonly string[] | null
  readonly onEvent: (event: Named) => void
  /** Number of the last event that it knows. It ignores older ones, which another listener asked for. */
  lastId: number
}

class ClientConnection {
  readonly closed: Promise<IpcError | RpcError | null>
  readonly #socket: Socket
  readonly #timeoutMs: number
  readonly #reader = new FrameReader()
  readonly #waiting = new Map<number, Waiting>()
  readonly #listeners = new Set<Listener>()
  #lastId = 0
  #out = ''
  #end: { readonly reason: IpcError | RpcError | null } | null = null
  #onClosed: (reason: IpcError | RpcError | null) => void = () => {}

  constructor(socket: Socket, timeoutMs: number) {
    this.#socket = socket
    this.#timeoutMs = timeoutMs
    this.closed = new Promise((resolve) => {
      this.#onClosed = resolve
    })
    socket.setEncoding(FRAME_ENCODING)
    socket.on('data', (chunk: string) => this.#read(chunk))
    socket.on('error', (cause) => {
      this.#finish(new IpcError('CONNECTION_CLOSED', `the connection broke: ${cause.message}`, { cause }))
    })
    socket.on('close', () => {
      this.#finish(
        new IpcError('CONNECTION_CLOSED', 'the daemon closed the connection', { hint: 'see persona status' }),
      )
    })
    socket.unref()
  }

  call(method: string, params: unknown): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (this.#end !== null) throw closedError(this.#end.reason)
      const id = ++this.#lastId
      const frame = formatRequest(id, method, params)
      if (isFrameTooLarge(frame)) throw new IpcError('FRAME_TOO_LARGE', `the params of ${method} do not fit a frame`)
      const timer = setTimeout(() => this.#expire(id, method), this.#timeoutMs)
      this.#waiting.set(id, { resolve, reject, timer })
      this.#send(frame)
      this.#holdProcess()
    })
  }

  async subscribe(
    events: readonly string[] | null,
    onEvent: (event: Named) => void,
    after?: number,
  ): Promise<Subscription> {
    const listener: Listener = { events, onEvent, lastId: after ?? 0 }
    this.#listeners.add(listener)
    try {
      await this.#renewSubscription(after)
    } catch (error) {
      this.#listeners.delete(listener)
      this.#holdProcess()
      throw error
    }
    return {
      close: async () => {
        if (!this.#listeners.delete(listener) || this.#end !== null) return
        await this.#renewSubscription()
      },
    }
  }

  async close(): Promise<void> {
    this.#finish(null)
    await this.closed
  }

  /** The daemon keeps one set of events for each connection, so it gets the events of all listeners together. */
  async #renewSubscription(after?: number): Promise<void> {
    if (this.#listeners.size === 0) {
      await this.call('unsubscribe', {})
      return
    }
    const wanted = new Set<string>()
    for (const { events } of this.#listeners) for (const event of events ?? []) wanted.add(event)
    const isForAll = [...this.#listeners].some(({ events }) => events === null)
    await this.call('subscribe', {
      ...(isForAll ? {} : { events: [...wanted] }),
      ...(after === undefined ? {} : { after }),
    })
  }

  /** All calls of one turn of the event loop go out in one write. */
  #send(frame: string): void {
    if (this.#out === '') process.nextTick(() => this.#flush())
    this.#out += frame
  }

  #flush(): void {
    if (this.#end === null) this.#socket.write(this.#out)
    this.#out = ''
  }

  #read(chunk: string): void {
    try {
      this.#reader.push(chunk)
      for (let frame = this.#reader.next(); frame !== null && this.#end === null; frame = this.#reader.next()) {
        this.#receive(frame)
      }
    } catch (cause) {
      this.#finish(cause instanceof IpcError ? cause : new IpcError('PROTOCOL', errorText(cause), { cause }))
    }
  }

  #receive(frame: Frame): void {
    if (frame.type === 'event') {
      this.#emit(frame.data)
      return
    }
    if (frame.type !== 'rpc') throw new IpcError('PROTOCOL', 'the daemon sent a frame of an unknown type')
    const reply = readReply(frame.data)
    // An error without an id is the last frame of this connection.
    if ('error' in reply && reply.id === null) return this.#finish(reply.error)
    const waiting = typeof reply.id === 'number' ? this.#waiting.get(reply.id) : undefined
    // The call timed out before.
    if (waiting === undefined) return
    this.#forget(Number(reply.id), waiting)
    if ('error' in reply) waiting.reject(reply.error)
    else waiting.resolve(reply.result)
  }

  #emit(message: unknown): void {
    if (typeof message !== 'object' || message === null || !('event' in message) || typeof message.event !== 'string') {
      throw new IpcError('PROTOCOL', 'the daemon sent an event without a name')
    }
    const { event } = message
    const id = 'id' in message && typeof message.id === 'number' ? message.id : null
    for (const listener of this.#listeners) {
      const { events, onEvent, lastId } = listener
      if (events !== null && event !== 'lagged' && !events.includes(event)) continue
      if (id !== null && id !== 0 && id <= lastId) continue
      listener.lastId = Math.max(lastId, id ?? 0)
      try {
        onEvent(message as Named)
      } catch (error) {
        // A mistake of the listener: report it as uncaught, and go on with the stream.
        queueMicrotask(() => {
          throw error
        })
      }
    }
  }

  #expire(id: number, method: string): void {
    const waiting = this.#waiting.get(id)
    if (waiting === undefined) return
    this.#forget(id, waiting)
    const hint = 'the daemon may still carry it out'
    waiting.reject(new IpcError('TIMEOUT', `no answer to ${method} within ${this.#timeoutMs} ms`, { hint }))
  }

  #forget(id: number, waiting: Waiting): void {
    clearTimeout(waiting.timer)
    this.#waiting.delete(id)
    this.#holdProcess()
  }

  #holdProcess(): void {
    // A socket that is gone holds nothing, and node would wait for its connection with one more listener each time.
    if (this.#end !== null) return
    if (this.#waiting.size > 0 || this.#listeners.size > 0) this.#socket.ref()
    else this.#socket.unref()
  }

  #finish(reason: IpcError | RpcError | null): void {
    if (this.#end !== null) return
    this.#end = { reason }
    this.#socket.destroy()
    this.#listeners.clear()
    for (const [id, waiting] of this.#waiting) {
      this.#forget(id, waiting)
      waiting.reject(closedError(reason))
    }
    this.#onClosed(reason)
  }
}

function closedError(reason: IpcError | RpcError | null): Error {
  return reason ?? new IpcError('CONNECTION_CLOSED', 'this client was closed')
}
