/** Notices that somebody has fallen silent, by a clock that a test can replace. */

export interface Clock {
  /** Milliseconds of a monotonic clock. */
  nowMs(): number
  /** @returns a function that cancels it */
  after(ms: number, run: () => void): () => void
}

export const systemClock: Clock = {
  nowMs: () => performance.now(),
  after: (ms, run) => {
    const timer = setTimeout(run, ms)
    timer.unref()
    return () => clearTimeout(timer)
  },
}

/** Fires after a time of silence. Pause it while what was heard is handled: that delay is not the speaker's fault. */
export class Pulse {
  readonly #clock: Clock
  readonly #silenceMs: number
  readonly #onSilence: () => void
  #cancel: () => void = () => {}

  constructor(clock: Clock, silenceMs: number, onSilence: () => void) {
    this.#clock = clock
    this.#silenceMs = silenceMs
    this.#onSilence = onSilence
    this.resume()
  }

  pause(): void {
    this.#cancel()
  }

  resume(): void {
    this.#cancel()
    this.#cancel = this.#clock.after(this.#silenceMs, this.#onSilence)
  }
}
