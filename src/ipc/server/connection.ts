/** One connection on the server's side. Its memory is bounded, and it cannot disturb other connections (docs/ipc.md, section 1). */
import type { Socket } from 'node:net'
import type { Dispatch, Log } from './dispatch.ts'
import { FrameTimer } from './frame-timer.ts'
import type { Limits } from './limits.ts'
import { errorText, IpcError } from '../wire/errors.ts'
import { FrameReader, MAX_FRAME_VALUES, type Frame } from '../wire/frame.ts'
import type { Caller, Role } from '../methods/method.ts'
import { formatError, formatEvent, RpcError } from '../wire/rpc.ts'
import { Outbox } from './outbox.ts'
import type { Room, Tenant } from './room.ts'
import { Subscription } from './subscription.ts'
import { LARGE_FRAME_BYTES, type Runner } from './turns.ts'

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
  /** When a frame began or ended, or the client read something. */
  #movedAtMs = performance.now()
  readonly #outbox: Outbox
  readonly #subscription = new Subscription()
  #onDrained: (() => void)[] = []
  #receive: (frame: Frame) => void = () => {}
  readonly #frameTimer: FrameTimer
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
    this.#frameTimer = new FrameTimer(options.limits.frameTimeoutMs, (error) => this.fail(error))
    this.#outbox = new Outbox(options.socket, {
      handedOver: (hadReadAll) => {
        if (hadReadAll) this.#movedAtMs = performance.now()
        this.#account()
      },
      written: () => this.#onWritten(),
    })
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

  get isBusy(): boolean {
    return this.#inFlight > 0 && this.#outbox.pending === 0
  }

  get isSubscribed(): boolean {
    return this.#subscription.isActive
  }

  get isOpen(): boolean {
    return this.#state === 'open' || this.#state === 'ended'
  }

  get isLarge(): boolean {
    return this.#reader.nextBytes >= LARGE_FRAME_BYTES
  }

  subscribe(events: readonly string[], after = 0): void {
    this.#subscription.begin(events, after)
  }

  async replay(message: { readonly event: string }): Promise<boolean> {
    this.#send(formatEvent(message))
    if (!this.#isRelaxed()) await new Promise<void>((resolve) => this.#onDrained.push(resolve))
    return this.isOpen
  }

  unsubscribe(): void {
    this.#subscription.end()
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
   * @param bytes the frame in UTF-8, the same array for all connections @param number of the event; 0 if it has none
   */
  event(name: string, frame: string, bytes: Uint8Array, number = 0): void {
    const { pending } = this.#outbox
    const hasRoom = pending === 0 || pending + frame.length <= this.#limits.maxPending
    if (this.#subscription.takes(name, number, hasRoom)) this.#send(frame, bytes)
  }

  /** Counts an event that cannot be sent as missed, if this connection subscribed to it. */
  skip(name: string): void {
    if (this.#subscription.skip(name)) this.#catchUp()
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
    const canRead = this.#outbox.pending === 0
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
    this.#frameTimer.renew(this.#movedAtMs)
    if (frame.type !== 'rpc') throw new IpcError('FRAME_TYPE_UNKNOWN', 'a client may send only frames of type "rpc"')
    this.#receive(frame)
  }

  #hasRoom(): boolean {
    const isFree = this.#inFlight < this.#limits.maxInFlight && !this.#isLargeRunning
    return this.isOpen && isFree && this.#outbox.pending < this.#limits.maxPending
  }

  #pause(): void {
    // While we do not read, the rest of a frame cannot arrive, so that time does not count for the sender.
    this.#frameTimer.stop()
    if (this.#paused) return
    this.#paused = true
    this.#socket.pause()
  }

  #resume(): void {
    if (this.#reader.partialBytes === 0) this.#frameTimer.stop()
    else this.#frameTimer.start()
    if (!this.#paused) return
    this.#paused = false
    this.#socket.resume()
  }

  /** Tells the room how much this connection holds: what the client has not read, and its unfinished frame. */
  #account(): void {
    this.#room.note(this, this.#state === 'closed' ? 0 : this.#outbox.pending + this.#reader.partialBytes)
  }

  #finish(frame: string): void {
    this.#inFlight--
    this.#send(frame)
    if (this.#paused) this.#pump()
    this.#settle()
  }

  #send(frame: string, bytes: Uint8Array | null = null): void {
    if (this.#state !== 'closed') this.#outbox.add(frame, bytes)
  }

  #onWritten(): void {
    this.#movedAtMs = performance.now()
    this.#account()
    if (this.#paused) this.#pump()
    this.#catchUp()
    this.#settle()
  }

  /** The client has read enough for more events. */
  #isRelaxed(): boolean {
    return !this.isOpen || this.#outbox.pending * 2 <= this.#limits.maxPending
  }

  #catchUp(): void {
    if (!this.#isRelaxed()) return
    for (const resume of this.#onDrained.splice(0)) resume()
    const lagged = this.#subscription.takeLagged()
    if (lagged !== null) this.#send(lagged)
  }

  #settle(): void {
    if (this.#inFlight > 0) return
    if (this.#state === 'draining' || (this.#state === 'ended' && !this.#paused)) this.#close()
  }

  #close(): void {
    this.#outbox.flush()
    this.#state = 'closed'
    this.#frameTimer.stop()
    this.#socket.end()
    // Read and drop until the client is done. If we closed with unread bytes, its next write would fail before it read our last bytes.
    this.#socket.resume()
    this.#lingerTimer = setTimeout(() => this.#socket.destroy(), this.#limits.lingerMs).unref()
  }

  #forget(): void {
    this.#state = 'closed'
    this.#room.turns.leave(this)
    this.#outbox.clear()
    this.#subscription.end()
    this.#catchUp()
    this.#account()
    this.#frameTimer.stop()
    if (this.#lingerTimer !== null) clearTimeout(this.#lingerTimer)
  }
}
