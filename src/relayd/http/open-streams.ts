/** The streams of events that are open, of whatever route: how many there may be, and the one timer for all of them. */
import type { ServerResponse } from 'node:http'
import type { Clock } from '../../process/pulse.ts'
import type { RelayLimits } from '../../relay/limits.ts'

export const TOO_MANY_SEC = 60 // sanity: streams of others end within an hour, those of an app that restarts within seconds

export interface OpenStream {
  /** Time for a comment. */
  tick(): void
  end(): void
}

export class OpenStreams {
  readonly #clock: Clock
  readonly #limits: RelayLimits['wait']
  /** With the address of each reader, as HMAC. */
  readonly #open = new Map<OpenStream, string>()
  readonly #ofAddress = new Map<string, number>()
  #cancelTick: (() => void) | null = null

  constructor(clock: Clock, limits: RelayLimits['wait']) {
    this.#clock = clock
    this.#limits = limits
  }

  get size(): number {
    return this.#open.size
  }

  hasRoomFor(address: string): boolean {
    const { maxStreams, maxStreamsOfAddress } = this.#limits
    return this.#open.size < maxStreams && (this.#ofAddress.get(address) ?? 0) < maxStreamsOfAddress
  }

  /** Counts a stream until it is removed, or its response closes. @param closed called then */
  add(stream: OpenStream, response: ServerResponse, address: string, closed: () => void): void {
    this.#open.set(stream, address)
    this.#ofAddress.set(address, (this.#ofAddress.get(address) ?? 0) + 1)
    response.once('close', () => {
      this.remove(stream)
      closed()
    })
    this.#cancelTick ??= this.#tickLater()
  }

  remove(stream: OpenStream): void {
    const address = this.#open.get(stream)
    if (address === undefined) return
    this.#open.delete(stream)
    const left = (this.#ofAddress.get(address) ?? 1) - 1
    if (left === 0) this.#ofAddress.delete(address)
    else this.#ofAddress.set(address, left)
  }

  /** Ends every stream, for a stop. */
  close(): void {
    this.#cancelTick?.()
    this.#cancelTick = null
    for (const stream of this.#open.keys()) stream.end()
  }

  #tickLater(): () => void {
    return this.#clock.after(this.#limits.commentSec * 1000, () => {
      this.#cancelTick = null
      for (const stream of this.#open.keys()) stream.tick()
      if (this.#open.size > 0) this.#cancelTick = this.#tickLater()
    })
  }
}
