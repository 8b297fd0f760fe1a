/** Decides when the desktop shows a notice: at most a few a minute, and one summary of the rest. Holds no clock and no socket. */
import type { Notice } from './texts.ts'

// A friend or a stranger can cause events. Beyond this the notices would hide each other, and the desktop's list would hold nothing else.
export const MAX_NOTICES = 4
export const WINDOW_MS = 60_000

export interface NotifierOptions {
  readonly nowMs: () => number
  /** Calls `run` later; returns a function that prevents it. */
  readonly later: (ms: number, run: () => void) => () => void
  /** Shows a notice on the desktop. Never rejects. */
  readonly show: (notice: Notice) => Promise<void>
}

export class Notifier {
  readonly #options: NotifierOptions
  /** When the notices of the last minute were shown. */
  #shownAtMs: number[] = []
  #heldBack = 0
  #stopSummary: (() => void) | null = null
  /** One after the other, in the order of the events. */
  #queue: Promise<void> = Promise.resolve()

  constructor(options: NotifierOptions) {
    this.#options = options
  }

  notify(notice: Notice): void {
    const nowMs = this.#options.nowMs()
    // A clock that stepped back must not silence the desktop.
    this.#shownAtMs = this.#shownAtMs.filter((atMs) => atMs <= nowMs && nowMs - atMs < WINDOW_MS)
    if (this.#heldBack === 0 && this.#shownAtMs.length < MAX_NOTICES) {
      this.#shownAtMs.push(nowMs)
      return this.#show(notice)
    }
    this.#heldBack++
    this.#stopSummary ??= this.#options.later(WINDOW_MS, () => this.#sum())
  }

  /** Resolves once everything was shown that is due. Notices that wait for the summary are dropped: the state still has them. */
  async close(): Promise<void> {
    this.#stopSummary?.()
    this.#stopSummary = null
    await this.#queue
  }

  #sum(): void {
    const count = this.#heldBack
    this.#heldBack = 0
    this.#stopSummary = null
    this.#shownAtMs = [this.#options.nowMs()]
    const body = `${count} more ${count === 1 ? 'event' : 'events'} came within a minute. The status of the daemon lists what waits.`
    this.#show({ kind: 'waiting', urgency: 'low', summary: 'More events of personad', body })
  }

  #show(notice: Notice): void {
    this.#queue = this.#queue.then(() => this.#options.show(notice))
  }
}
