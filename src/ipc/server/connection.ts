/** One connection on the server's side. Its memory is bounded, and it cannot disturb other connections (docs/ipc.md, section 1). */
import type { Socket } from 'node:net'
import type { Dispatch, Log } from './dispatch.ts'
import { errorText, IpcError } from '../wire/errors.ts'
import { ASCII, FrameReader, MAX_FRAME_BYTES, MAX_FRAME_VALUES, type Frame } from '../wire/frame.ts'
import type { Caller, Role } from '../methods/method.ts'
import { formatError, formatEvent, lagged, RpcError } from '../wire/rpc.ts'
import type { Room, Tenant } from './room.ts'
import type { Runner } from './turns.ts'

export interface Limits {
  /** Connections of one socket at a time; one more gets TOO_MANY_CONNECTIONS and is closed. */
  readonly maxConnections: number
  /** Bytes of one frame from a client. */
  readonly maxFrameBytes: number
  /** Calls of one connection that run at a time; at this many the daemon stops reading the socket. */
  readonly maxInFlight: number
  /** UTF-16 units that were written and not read by the client. Above it the daemon stops reading its calls and drops its events. */
  readonly maxPending: number
  /** Time for one frame from its first byte to its form feed. */
  readonly frameTimeoutMs: number
  /** After this time without a call, an answer or a frame, a connection may have to give up its place for a new one. */
  readonly idleMs: number
  /** Time for running calls to end when the server closes. */
  readonly drainMs: number
  /** Time for a client to read the last bytes before its connection is cut. */
  readonly lingerMs: number
}

export const DEFAULT_LIMITS: Limits = {
  maxConnections: 100, // sanity: a person's apps are a dozen
  maxFrameBytes: MAX_FRAME_BYTES,
  maxInFlight: 32, // sanity: the keeper is one writer; waiting calls cost nothing while they are in the kernel's buffer
  maxPending: 1_048_576, // sanity: 1000 events of 1 kB; a reader that is further behind has to read the state again anyway
  frameTimeoutMs: 300_000, // sanity: a whole frame takes milliseconds, but a stopped client may be continued; Room bounds what it holds
  idleMs: 1_000, // sanity: a client that makes several calls pauses for less
  drainMs: 5_000, // sanity: below the 90 s after which systemd kills, above any single call
  lingerMs: 1_000, // sanity: a client that has not read by then is not going to
}

export interface ConnectionOptions {
  readonly id: number
  readonly role: Role
  readonly socket: Socket
  readonly limits: Limits
  readonly dispatch: Dispatch
  readonly log: Log
  readonly room: Room
}

export class Connection implements Caller, Tenant, Runner {
  readonly id: number
  readonly role: Role
  readonly #socket: Socket
  readonly #limits: Limits
  readonly #dispatch: Dispatch
  readonly #log: Log
  readonly #room: Room
  readonly #reader: FrameReader
  // 'ended': the client sends no more but still reads answers. 'draining': the server closes. 'closed': only the last bytes go out.
  #state: 'open' | 'ended' | 'draining' | 'closed' = 'open'
  #paused = false
  #inFlight = 0
  #isLargeRunning = false
  #out = ''
  /** When a frame began or ended, or the client read something. */
  #movedAtMs = performance.now()
  #events: ReadonlySet<string> | null = null
  #missed = 0
  /** Number of the last event that was sent. */
  #lastEvent = 0
  #onDrained: (() => void)[] = []
  #receive: (frame: Frame) => void = () => {}
  #frameTimer: NodeJS.Timeout | null = null
  #frameTimerAtMs = 0
  #lingerTimer: NodeJS.Timeout | null = null

  constructor(options: ConnectionOptions) {
    this.id = options.id
    this.role = options.role
    this.#socket = options.socket
    this.#limits = options.limits
    this.#dispatch = options.dispatch
    this.#log = options.log
    this.#room = options.room
    this.#reader = new FrameReader(options.limits.maxFrameBytes, MAX_FRAME_VALUES)
    // `printf ... | nc -U` ends its side at once and still waits for the answer.
    this.#socket.allowHalfOpen = true
    this.#socket.on('end', () => {
      if (this.#state === 'open') this.#state = 'ended'
      this.#settle()
    })
    this.#socket.on('close', () => this.#forget())
  }

  get movedAtMs(): number {
    return this.#movedAtMs
  }

  /** A call runs, and its client reads. */
  get isBusy(): boolean {
    return this.#inFlight > 0 && this.#pending() === 0
  }

  get isSubscribed(): boolean {
    return this.#events !== null
  }

  get isOpen(): boolean {
    return this.#state === 'open' || this.#state === 'ended'
  }

  subscribe(events: readonly string[], after = 0): void {
    this.#events = new Set(events)
    this.#lastEvent = after
  }

  async replay(message: { readonly event: string }): Promise<boolean> {
    this.#send(formatEvent(message))
    if (!this.#isRelaxed()) await new Promise<void>((resolve) => this.#onDrained.push(resolve))
    return this.isOpen
  }

  unsubscribe(): void {
    this.#events = null
    this.#missed = 0
  }

  /** Reads a chunk of the stream and calls `receive` for each frame, possibly later. Never throws. */
  read(chunk: string, receive: (frame: Frame) => void): void {
    if (this.#state === 'closed' || this.#state === 'draining') return
    this.#receive = receive
    this.#reader.push(chunk)
    this.#pump()
    this.#account()
  }

  /** Answers the data of one `rpc` frame. */
  call(data: unknown): void {
    let isLarge = false
    const reply = this.#dispatch(data, this, (isLong) => {
      isLarge = true
      return isLong ? this.#room.enter(this) : undefined
    })
    if (typeof reply === 'string') {
      this.#send(reply)
      return
    }
    this.#inFlight++
    // Thirty-two large results would all be in memory before the first of them counts as unread.
    if (isLarge) this.#isLargeRunning = true
    reply.then(
      (frame) => {
        if (isLarge) this.#isLargeRunning = false
        this.#finish(frame)
      },
      (error: unknown) => this.fail(error),
    )
  }

  /**
   * Sends an event if this connection subscribed to it, or counts it as missed.
   * @param number of the event; 0 if it has no number
   */
  event(name: string, frame: string, number = 0): void {
    if (this.#events?.has(name) !== true || (number !== 0 && number <= this.#lastEvent)) return
    const pending = this.#pending()
    if (this.#missed > 0 || (pending > 0 && pending + frame.length > this.#limits.maxPending)) {
      this.#missed++
      return
    }
    this.#lastEvent = Math.max(number, this.#lastEvent)
    this.#send(frame)
  }

  /** Counts an event that cannot be sent as missed, if this connection subscribed to it. */
  skip(name: string): void {
    if (this.#events?.has(name) !== true) return
    this.#missed++
    this.#catchUp()
  }

  /** Stops reading calls; closes once the running ones are answered. */
  drain(): void {
    if (this.#state === 'closed') return
    this.#state = 'draining'
    this.#catchUp()
    this.#pause()
    this.#settle()
  }

  /** Sends the reason and closes. Cuts the connection if the client does not read within lingerMs. */
  fail(error: unknown): void {
    if (this.#state === 'closed') return
    const isOurs = error instanceof IpcError || error instanceof RpcError
    if (!isOurs) this.#log('error', 'a connection failed', { connection: this.id, error: errorText(error) })
    else this.#log('debug', 'a connection was refused', { connection: this.id, code: error.code })
    this.#send(formatError(null, isOurs ? error : new RpcError('INTERNAL', 'the daemon failed on this connection')))
    this.#close()
  }

  /** Ends the connection at once, for the sake of others. The client gets the reason if it has read everything before. */
  cut(code: 'OUT_OF_ROOM' | 'IDLE', message: string): void {
    if (this.#state === 'closed') return
    this.#log('warn', 'a connection was cut', { connection: this.id, code })
    const canRead = this.#pending() === 0
    if (canRead) this.#socket.write(formatError(null, new RpcError(code, message, { hint: 'connect again' })))
    this.#forget()
    if (canRead) this.#socket.destroySoon()
    else this.#socket.destroy()
  }

  /** A chunk may hold hundreds of calls, so others get their turn in between. */
  #pump(): void {
    const { turns } = this.#room
    turns.enter(this)
    if (turns.isWaiting(this)) this.#pause()
  }

  /** Reads one frame, so that neither calls nor answers pile up for a client that only sends. */
  step(): boolean {
    if (this.#state === 'closed') return false
    try {
      const frame = this.#hasRoom() ? this.#reader.next() : undefined
      if (frame === undefined) this.#pause()
      else if (frame === null) this.#resume()
      else {
        this.#answer(frame)
        return true
      }
    } catch (error) {
      this.fail(error)
      return false
    }
    this.#settle()
    return false
  }

  #answer(frame: Frame): void {
    this.#movedAtMs = performance.now()
    this.#frameTimerAtMs = this.#movedAtMs
    this.#frameTimer?.refresh()
    if (frame.type !== 'rpc') throw new IpcError('FRAME_TYPE_UNKNOWN', 'a client may send only frames of type "rpc"')
    this.#receive(frame)
  }

  #hasRoom(): boolean {
    const isFree = this.#inFlight < this.#limits.maxInFlight && !this.#isLargeRunning
    return this.isOpen && isFree && this.#pending() < this.#limits.maxPending
  }

  #pending(): number {
    return this.#socket.writableLength + this.#out.length
  }

  #pause(): void {
    // While we do not read, the rest of a frame cannot arrive, so that time does not count for the sender.
    this.#stopFrameTimer()
    if (this.#paused) return
    this.#paused = true
    this.#socket.pause()
  }

  #resume(): void {
    if (this.#reader.partialBytes === 0) this.#stopFrameTimer()
    else this.#startFrameTimer()
    if (!this.#paused) return
    this.#paused = false
    this.#socket.resume()
  }

  #startFrameTimer(): void {
    if (this.#frameTimer !== null) return
    this.#frameTimerAtMs = performance.now()
    this.#frameTimer = setTimeout(() => {
      // The daemon itself was stopped meanwhile: the rest of the frame may be waiting, so its time begins again.
      const isLate = performance.now() - this.#frameTimerAtMs > this.#limits.frameTimeoutMs + MAX_LATE_MS
      if (!isLate) return this.fail(frameTimeout())
      this.#frameTimerAtMs = performance.now()
      this.#frameTimer?.refresh()
    }, this.#limits.frameTimeoutMs).unref()
  }

  /** Tells the room how much this connection holds: what the client has not read, and its unfinished frame. */
  #account(): void {
    this.#room.note(this, this.#state === 'closed' ? 0 : this.#pending() + this.#reader.partialBytes)
  }

  #finish(frame: string): void {
    this.#inFlight--
    this.#send(frame)
    if (this.#paused) this.#pump()
    this.#settle()
  }

  /** All answers of one turn of the event loop go out in one write. */
  #send(frame: string): void {
    if (this.#state === 'closed' || !this.#socket.writable) return
    if (this.#out === '') process.nextTick(() => this.#flush())
    this.#out += frame
  }

  #flush(): void {
    if (this.#out === '' || !this.#socket.writable) return
    const out = this.#out
    this.#out = ''
    // latin1 gives the same bytes for ASCII, and Node does not have to encode each character.
    if (this.#socket.writableLength === 0) this.#movedAtMs = performance.now()
    this.#socket.write(out, ASCII.test(out) ? 'latin1' : 'utf8', this.#onWritten)
    this.#account()
  }

  readonly #onWritten = (): void => {
    this.#movedAtMs = performance.now()
    this.#account()
    if (this.#paused) this.#pump()
    this.#catchUp()
    this.#settle()
  }

  /** The client has read enough for more events. */
  #isRelaxed(): boolean {
    return !this.isOpen || this.#pending() * 2 <= this.#limits.maxPending
  }

  #catchUp(): void {
    if (!this.#isRelaxed()) return
    for (const resume of this.#onDrained.splice(0)) resume()
    if (this.#missed === 0) return
    const missed = this.#missed
    this.#missed = 0
    this.#send(formatEvent(lagged(missed, this.#lastEvent)))
  }

  #settle(): void {
    if (this.#inFlight > 0) return
    if (this.#state === 'draining' || (this.#state === 'ended' && !this.#paused)) this.#close()
  }

  #close(): void {
    this.#flush()
    this.#state = 'closed'
    this.#stopFrameTimer()
    this.#socket.end()
    // Read and drop until the client is done. If we closed with unread bytes, its next write would fail before it read our last bytes.
    this.#socket.resume()
    this.#lingerTimer = setTimeout(() => this.#socket.destroy(), this.#limits.lingerMs).unref()
  }

  #forget(): void {
    this.#state = 'closed'
    this.#room.turns.leave(this)
    this.#out = ''
    this.#events = null
    this.#catchUp()
    this.#account()
    this.#stopFrameTimer()
    if (this.#lingerTimer !== null) clearTimeout(this.#lingerTimer)
  }

  #stopFrameTimer(): void {
    if (this.#frameTimer !== null) clearTimeout(this.#frameTimer)
    this.#frameTimer = null
  }
}

const MAX_LATE_MS = 1000 // sanity: a timer of a running process is late by milliseconds

function frameTimeout(): IpcError {
  return new IpcError('FRAME_TIMEOUT', 'a frame did not end in time')
}
