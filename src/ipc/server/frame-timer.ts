/** The time for one frame of a client, from its first byte to its form feed (docs/ipc.md, section 1). */
import { IpcError } from '../wire/errors.ts'

const MAX_LATE_MS = 1000 // sanity: a timer of a running process is late by milliseconds

export class FrameTimer {
  readonly #timeoutMs: number
  readonly #onTimeout: (error: IpcError) => void
  #timer: NodeJS.Timeout | null = null
  #startedAtMs = 0

  /** @param onTimeout called with FRAME_TIMEOUT when a frame did not end in time */
  constructor(timeoutMs: number, onTimeout: (error: IpcError) => void) {
    this.#timeoutMs = timeoutMs
    this.#onTimeout = onTimeout
  }

  /** Starts the time, unless it runs already. */
  start(): void {
    if (this.#timer !== null) return
    this.#startedAtMs = performance.now()
    this.#timer = setTimeout(() => {
      // The daemon itself was stopped meanwhile: the rest of the frame may be waiting, so its time begins again.
      const isLate = performance.now() - this.#startedAtMs > this.#timeoutMs + MAX_LATE_MS
      if (!isLate) return this.#onTimeout(new IpcError('FRAME_TIMEOUT', 'a frame did not end in time'))
      this.renew(performance.now())
    }, this.#timeoutMs).unref()
  }

  /** A frame ended, so the time of the next one begins. */
  renew(nowMs: number): void {
    this.#startedAtMs = nowMs
    this.#timer?.refresh()
  }

  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
  }
}
