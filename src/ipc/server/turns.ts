/**
 * The time that the frames of all connections together take in one turn of the event loop. Connections that wait are served in turn, one
 * frame each, so that a thousand frames of one wait behind the first frame of another.
 */
export const SLICE_MS = 1 // sanity: hundreds of lookups or a few verifies; then the event loop reads the other sockets

/** A connection that may have frames. */
export interface Runner {
  /** Reads and answers one frame. @returns whether it wants another one at once */
  step(): boolean
}

export class Turns {
  readonly #sliceMs: number
  readonly #nowMs: () => number
  /** The one that has waited for longest first. */
  readonly #waiting = new Set<Runner>()
  /** When the slice of this turn of the event loop ends; null before it has begun. */
  #endMs: number | null = null
  #isServing = false

  constructor(sliceMs: number = SLICE_MS, nowMs: () => number = () => performance.now()) {
    this.#sliceMs = sliceMs
    this.#nowMs = nowMs
  }

  /** Serves this connection at once if there is time left and nobody waits, else when its turn comes. */
  enter(runner: Runner): void {
    this.#waiting.add(runner)
    if (!this.#isServing) this.#serve()
  }

  isWaiting(runner: Runner): boolean {
    return this.#waiting.has(runner)
  }

  leave(runner: Runner): void {
    this.#waiting.delete(runner)
  }

  #serve(): void {
    const isOver = this.#endMs !== null && this.#nowMs() >= this.#endMs
    if (isOver) return
    this.#endMs ??= this.#begin()
    this.#isServing = true
    // A set keeps the order in which its members were added, also of those added meanwhile.
    for (const runner of this.#waiting) {
      this.#waiting.delete(runner)
      if (runner.step()) this.#waiting.add(runner)
      if (this.#nowMs() >= this.#endMs) break
    }
    this.#isServing = false
  }

  /** @returns when the slice ends */
  #begin(): number {
    setImmediate(() => {
      this.#endMs = null
      if (this.#waiting.size > 0) this.#serve()
    })
    return this.#nowMs() + this.#sliceMs
  }
}
