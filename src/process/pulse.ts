/** Waits by a clock that a test can replace: for work that may take too long, and for somebody who has fallen silent. */

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

/**
 * Waits for work, at most for a time.
 * @returns the result; null once the time is over: then the work goes on
 * @throws what the work throws in time
 */
export async function within<T>(clock: Clock, ms: number, work: Promise<T>): Promise<T | null> {
  const { promise: late, resolve } = Promise.withResolvers<null>()
  const cancel = clock.after(ms, () => resolve(null))
  try {
    return await Promise.race([work, late])
  } finally {
    cancel()
  }
}

/**
 * Waits for work until it is over, or the signal is aborted: then the work goes on, and nobody hears of it.
 * @throws what the work throws, or the reason of the signal
 */
export async function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>()
  const abort = (): void => reject(signal.reason as Error)
  if (signal.aborted) abort()
  signal.addEventListener('abort', abort, { once: true })
  try {
    return await Promise.race([work, aborted])
  } finally {
    // The signal may live for as long as the process.
    signal.removeEventListener('abort', abort)
  }
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
