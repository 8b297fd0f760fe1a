/**
 * The time that the frames of all connections together take in one turn of the event loop. Connections that wait are served in turn, one
 * frame each, so that a thousand frames of one are served after the first frame of another.
 */
export const SLICE_MS = 1 // sanity: hundreds of lookups or a few verifies; then the event loop reads the other sockets

/**
 * Bytes from which a frame counts as large. It is parsed and checked in one piece, at up to 20 ms a megabyte.
 * Sanity: a call for one thing is below 4 KiB, and 64 connections with frames just below this take some 20 ms of one round.
 */
export const LARGE_FRAME_BYTES = 16_384

/** A connection that may have frames. */
export interface Runner {
  /** Whether its next frame is whole and has at least {@link LARGE_FRAME_BYTES}. */
  readonly isLarge: boolean
  /** Reads and answers one frame. @returns whether it wants another one at once */
  step(): boolean
}

export class Turns {
  readonly #sliceMs: number
  readonly #nowMs: () => number
  /** Connections that wait, by the kind of their next frame. The one that has waited for longest is first. */
  readonly #small = new Set<Runner>()
  readonly #large = new Set<Runner>()
  /** The time that small frames have before the next large one: as much as the last large one took. */
  #owedMs = 0
  /** When the slice of this turn of the event loop ends; null before it has begun. */
  #endMs: number | null = null
  #isServing = false

  constructor(sliceMs: number = SLICE_MS, nowMs: () => number = () => performance.now()) {
    this.#sliceMs = sliceMs
    this.#nowMs = nowMs
  }

  /** Serves this connection at once if there is time left and nobody waits, else when its turn comes. */
  enter(runner: Runner): void {
    this.#add(runner)
    if (!this.#isServing) this.#serve()
  }

  isWaiting(runner: Runner): boolean {
    return this.#small.has(runner) || this.#large.has(runner)
  }

  leave(runner: Runner): void {
    this.#small.delete(runner)
    this.#large.delete(runner)
  }

  /** More bytes can make the next frame of a connection that waits a large one. */
  #add(runner: Runner): void {
    const { isLarge } = runner
    const other = isLarge ? this.#small : this.#large
    other.delete(runner)
    // A set keeps the order in which its members were added.
    ;(isLarge ? this.#large : this.#small).add(runner)
  }

  #serve(): void {
    const isOver = this.#endMs !== null && this.#nowMs() >= this.#endMs
    if (isOver) return
    this.#endMs ??= this.#begin()
    this.#isServing = true
    let nowMs = this.#nowMs()
    do {
      const kind = this.#next()
      const [runner] = kind
      if (runner === undefined) break
      kind.delete(runner)
      if (runner.step()) this.#add(runner)
      const tookMs = this.#nowMs() - nowMs
      nowMs += tookMs
      this.#owedMs = kind === this.#large ? tookMs : this.#owedMs - tookMs
    } while (nowMs < this.#endMs)
    this.#isServing = false
  }

  /** Large frames together get half of the time while small ones wait. In turn with them, each small one would wait for all large ones. */
  #next(): Set<Runner> {
    const isTurnOfLarge = this.#large.size > 0 && (this.#owedMs <= 0 || this.#small.size === 0)
    return isTurnOfLarge ? this.#large : this.#small
  }

  /** @returns when the slice ends */
  #begin(): number {
    setImmediate(() => {
      this.#endMs = null
      if (this.#small.size + this.#large.size > 0) this.#serve()
    })
    return this.#nowMs() + this.#sliceMs
  }
}
