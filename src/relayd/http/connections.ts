/** Counts the connections of a server, and the answers that they have not taken. Ends those over a limit. */
import type { Socket } from 'node:net'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Clock } from '../../process/pulse.ts'
import type { Callers } from './callers.ts'
import type { Counters } from './counters.ts'
import type { HttpLimits } from './http-limits.ts'

export class Connections {
  readonly #limits: HttpLimits
  readonly #callers: Callers
  readonly #counters: Counters
  readonly #clock: Clock
  readonly #ofAddress = new Map<string, number>()
  /** Connections that can carry requests, with the number of those that run. With TLS this is not the socket that was admitted. */
  readonly #running = new Map<Socket, number>()
  /** Each ends the watch over the body of a request. */
  readonly #bodies = new WeakMap<IncomingMessage, () => void>()
  #open = 0
  #unreadBytes = 0

  constructor(limits: HttpLimits, callers: Callers, counters: Counters, clock: Clock) {
    this.#limits = limits
    this.#callers = callers
    this.#counters = counters
    this.#clock = clock
  }

  get size(): number {
    return this.#open
  }

  get unreadBytes(): number {
    return this.#unreadBytes
  }

  /** Counts a new connection, or ends it. */
  admit(socket: Socket): void {
    const { maxConnections, maxConnectionsOfAddress } = this.#limits
    if (this.#open >= maxConnections) return this.#end(socket, 'too many')
    // All clients of a proxy share its address. The proxy limits them, and the boxes count what it forwards.
    const name = this.#callers.isProxy(socket.remoteAddress) ? null : this.#callers.nameOf(socket.remoteAddress)
    const count = name === null ? 0 : (this.#ofAddress.get(name) ?? 0)
    if (count >= maxConnectionsOfAddress) return this.#end(socket, 'too many of one address')
    this.#open++
    if (name !== null) this.#ofAddress.set(name, count + 1)
    socket.once('close', () => {
      this.#open--
      if (name !== null) this.#release(name)
    })
  }

  /** Takes a connection that is ready for requests. */
  open(socket: Socket): void {
    if (socket.destroyed) return
    this.#running.set(socket, 0)
    socket.once('close', () => this.#running.delete(socket))
  }

  /** Ends every connection without a running request. */
  endIdle(): void {
    for (const [socket, running] of this.#running) if (running === 0) socket.destroy()
  }

  /**
   * Counts a request until its answer is over. A client may send the next one before that, but not many.
   * @returns false if the connection was ended
   */
  begin(socket: Socket, response: ServerResponse): boolean {
    const running = this.#running.get(socket) ?? 0
    if (running >= this.#limits.maxPipelined) {
      this.#end(socket, 'pipelining')
      return false
    }
    this.#running.set(socket, running + 1)
    response.once('close', () => {
      const left = this.#running.get(socket)
      if (left !== undefined) this.#running.set(socket, left - 1)
    })
    return true
  }

  /** Ends the connection unless the body of a request is whole within this time. A later call for the same request counts instead. */
  expectBody(request: IncomingMessage, ms: number): void {
    const before = this.#bodies.get(request)
    const cancel = this.#clock.after(ms, () => this.#end(request.socket, 'slow sender'))
    this.#bodies.set(request, cancel)
    if (before !== undefined) return before()
    const forget = (): void => this.#bodies.get(request)!()
    request.once('end', forget).once('close', forget)
  }

  /** Ends the connection unless the answer is taken within this time. */
  expectReader(socket: Socket, response: ServerResponse, ms: number): void {
    response.once(
      'close',
      this.#clock.after(ms, () => this.#end(socket, 'slow reader')),
    )
  }

  /** Watches over an answer that its reader has not taken at once. Call it after the answer was written. */
  finish(socket: Socket, response: ServerResponse): void {
    const bytes = response.writableFinished ? 0 : response.writableLength
    if (bytes === 0) return
    if (this.#unreadBytes + bytes > this.#limits.maxUnreadBytes) return this.#end(socket, 'unread answers')
    this.#unreadBytes += bytes
    const cancel = this.#clock.after(this.#limits.answerMs, () => this.#end(socket, 'slow reader'))
    response.once('close', () => {
      this.#unreadBytes -= bytes
      cancel()
    })
  }

  #release(name: string): void {
    const left = (this.#ofAddress.get(name) ?? 1) - 1
    if (left === 0) this.#ofAddress.delete(name)
    else this.#ofAddress.set(name, left)
  }

  #end(socket: Socket, reason: Parameters<Counters['ended']>[0]): void {
    this.#counters.ended(reason)
    socket.destroy()
  }
}
