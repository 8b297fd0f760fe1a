/** One connection on the server's side: what it may have in memory is bounded, and nothing it does is noticed by another (docs/ipc.md, section 1). */
import type { Socket } from 'node:net'
import type { Dispatch, Log } from './dispatch.ts'
import { errorText, IpcError } from '../wire/errors.ts'
import { ASCII, FrameReader, MAX_FRAME_BYTES, type Frame } from '../wire/frame.ts'
import type { Caller, Role } from '../methods/method.ts'
import { formatError, formatEvent, lagged, RpcError } from '../wire/rpc.ts'

export interface Limits {
  /** Connections of one socket at a time; one more is told so and closed. */
  readonly maxConnections: number
  /** Bytes of a frame that a client sends. */
  readonly maxFrameBytes: number
  /** Calls of one connection that run at a time; the socket is not read while there are as many. */
  readonly maxInFlight: number
  /** How long the calls of one connection run before the others have their turn. */
  readonly sliceMs: number
  /** UTF-16 units written and not taken by the client: above it its calls are not read and its events not kept. */
  readonly maxPending: number
  /** For one frame from its first byte to its form feed. */
  readonly frameTimeoutMs: number
  /** For calls that run when the server closes. */
  readonly drainMs: number
  /** For a client to take the last bytes before a connection is cut. */
  readonly lingerMs: number
}

export const DEFAULT_LIMITS: Limits = {
  maxConnections: 100, // sanity: a person's apps are a dozen; at most some 300 MB if all of them are hostile
  maxFrameBytes: MAX_FRAME_BYTES,
  maxInFlight: 32, // sanity: the keeper is one writer; what waits costs nothing while it lies in the kernel's buffer
  sliceMs: 1, // sanity: hundreds of lookups, some verifies; 256 busy connections then hold an answer up for a quarter of a second
  maxPending: 1_048_576, // sanity: 1000 events of 1 kB; a reader that far behind has to read the state anew anyway
  frameTimeoutMs: 30_000, // sanity: a whole frame takes milliseconds on a local socket; a stopped process may be continued
  drainMs: 5_000, // sanity: below the 90 s in which systemd kills, above any single call
  lingerMs: 1_000, // sanity: what the kernel's buffer does not take within this is not going to be read
}

export interface ConnectionOptions {
  readonly id: number
  readonly role: Role
  readonly socket: Socket
  readonly limits: Limits
  readonly dispatch: Dispatch
  readonly log: Log
}

export class Connection implements Caller {
  readonly id: number
  readonly role: Role
  readonly #socket: Socket
  readonly #limits: Limits
  readonly #dispatch: Dispatch
  readonly #log: Log
  readonly #reader: FrameReader
  // 'ended': the client sends no more, and still takes answers. 'draining': the server closes. 'closed': only the last bytes go out.
  #state: 'open' | 'ended' | 'draining' | 'closed' = 'open'
  #paused = false
  #isWaitingForTurn = false
  #inFlight = 0
  #isLargeRunning = false
  #out = ''
  #events: ReadonlySet<string> | null = null
  #missed = 0
  /** Number of the last event that was sent. */
  #lastEvent = 0
  #onDrained: (() => void)[] = []
  #receive: (frame: Frame) => void = () => {}
  #frameTimer: NodeJS.Timeout | null = null
  #lingerTimer: NodeJS.Timeout | null = null

  constructor(options: ConnectionOptions) {
    this.id = options.id
    this.role = options.role
    this.#socket = options.socket
    this.#limits = options.limits
    this.#dispatch = options.dispatch
    this.#log = options.log
    this.#reader = new FrameReader(options.limits.maxFrameBytes)
    // `printf ... | nc -U` ends its side at once and still wants the answer.
    this.#socket.allowHalfOpen = true
    this.#socket.on('end', () => {
      if (this.#state === 'open') this.#state = 'ended'
      this.#settle()
    })
    this.#socket.on('close', () => this.#forget())
  }

  subscribe(events: readonly string[], after = 0): void {
    this.#events = new Set(events)
    this.#lastEvent = after
  }

  async replay(message: { readonly event: string }): Promise<boolean> {
    this.#send(formatEvent(message))
    if (!this.#isRelaxed()) await new Promise<void>((resolve) => this.#onDrained.push(resolve))
    return this.#state !== 'closed'
  }

  unsubscribe(): void {
    this.#events = null
    this.#missed = 0
  }

  /** Takes a chunk of the stream; `receive` gets each frame, and may be called later too. Never throws. */
  read(chunk: string, receive: (frame: Frame) => void): void {
    if (this.#state === 'closed' || this.#state === 'draining') return
    this.#receive = receive
    this.#reader.push(chunk)
    this.#pump()
  }

  /** Answers the data of one `rpc` frame. */
  call(data: unknown): void {
    let isLarge = false
    const reply = this.#dispatch(data, this, () => {
      isLarge = true
    })
    if (typeof reply === 'string') {
      this.#send(reply)
      return
    }
    this.#inFlight++
    // Thirty-two at a time would all be in memory before the first of them counts as not taken.
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
   * Sends an event that this connection subscribed to, or counts it as missed.
   * @param number of the event; 0 for one that has none
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

  /** Tells a subscriber that an event could not be sent. */
  skip(name: string): void {
    if (this.#events?.has(name) !== true) return
    this.#missed++
    this.#catchUp()
  }

  /** Takes no more calls; closes once those that run are answered. */
  drain(): void {
    if (this.#state === 'closed') return
    this.#state = 'draining'
    this.#pause()
    this.#settle()
  }

  /** Says why, and closes. Whoever does not read it within lingerMs is cut. */
  fail(error: unknown): void {
    if (this.#state === 'closed') return
    const isOurs = error instanceof IpcError || error instanceof RpcError
    if (!isOurs) this.#log('error', 'a connection failed', { connection: this.id, error: errorText(error) })
    else this.#log('debug', 'a connection was refused', { connection: this.id, code: error.code })
    this.#send(formatError(null, isOurs ? error : new RpcError('INTERNAL', 'the daemon failed on this connection')))
    this.#close()
  }

  /** Frames are taken one at a time, so that neither calls nor answers pile up behind a client who only sends. */
  #pump(): void {
    if (this.#isWaitingForTurn) return
    const sliceEndMs = performance.now() + this.#limits.sliceMs
    try {
      while (this.#hasRoom()) {
        const frame = this.#reader.next()
        if (frame === null) {
          this.#resume()
          return
        }
        this.#frameTimer?.refresh()
        if (frame.type !== 'rpc') throw new IpcError('FRAME_TYPE_UNKNOWN', 'a client sends frames of type "rpc" alone')
        this.#receive(frame)
        if (performance.now() >= sliceEndMs) return this.#waitForTurn()
      }
      this.#pause()
    } catch (error) {
      this.fail(error)
    }
  }

  /** A chunk may hold hundreds of calls that are answered at once: the sockets of others are looked at before they go on. */
  #waitForTurn(): void {
    this.#isWaitingForTurn = true
    this.#pause()
    setImmediate(() => {
      this.#isWaitingForTurn = false
      if (this.#state === 'closed') return
      this.#pump()
      this.#settle()
    })
  }

  #hasRoom(): boolean {
    const isTaking = this.#state === 'open' || this.#state === 'ended'
    const isFree = this.#inFlight < this.#limits.maxInFlight && !this.#isLargeRunning
    return isTaking && isFree && this.#pending() < this.#limits.maxPending
  }

  #pending(): number {
    return this.#socket.writableLength + this.#out.length
  }

  #pause(): void {
    // While we do not read, the rest of a frame cannot come: that time is ours and not the sender's.
    this.#stopFrameTimer()
    if (this.#paused) return
    this.#paused = true
    this.#socket.pause()
  }

  #resume(): void {
    if (this.#reader.partialBytes === 0) this.#stopFrameTimer()
    else this.#frameTimer ??= setTimeout(() => this.fail(frameTimeout()), this.#limits.frameTimeoutMs).unref()
    if (!this.#paused) return
    this.#paused = false
    this.#socket.resume()
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
    // The same bytes, without a look at each character for what it becomes in UTF-8.
    this.#socket.write(out, ASCII.test(out) ? 'latin1' : 'utf8', this.#onWritten)
  }

  readonly #onWritten = (): void => {
    if (this.#paused) this.#pump()
    this.#catchUp()
    this.#settle()
  }

  /** The client has taken so much that it is worth to give it more. */
  #isRelaxed(): boolean {
    return this.#state === 'closed' || this.#pending() * 2 <= this.#limits.maxPending
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
    // Read and dropped until the client is through: closed with unread bytes, his next write would fail before he read our last.
    this.#socket.resume()
    this.#lingerTimer = setTimeout(() => this.#socket.destroy(), this.#limits.lingerMs).unref()
  }

  #forget(): void {
    this.#state = 'closed'
    this.#out = ''
    this.#events = null
    this.#catchUp()
    this.#stopFrameTimer()
    if (this.#lingerTimer !== null) clearTimeout(this.#lingerTimer)
  }

  #stopFrameTimer(): void {
    if (this.#frameTimer !== null) clearTimeout(this.#frameTimer)
    this.#frameTimer = null
  }
}

function frameTimeout(): IpcError {
  return new IpcError('FRAME_TIMEOUT', 'a frame was begun and not ended in time')
}
