/** Decides when the desktop shows a notice: at most a few a minute, and one summary of the rest. Holds no clock and no socket. */
import type { Notice, Urgency } from './texts.ts'

// A friend or a stranger can cause events. Beyond this the notices would hide each other, and the desktop's list would hold nothing else.
export const MAX_NOTICES = 4
export const WINDOW_MS = 60_000

export interface NotifierOptions {
  readonly nowMs: () => number
  /** Calls `run` later; returns a function that prevents it. */
  readonly later: (ms: number, run: () => void) => () => void
  /** Shows a notice on the desktop. Never rejects. @returns whether it was shown */
  readonly show: (notice: Notice) => Promise<boolean>
}

/** Alarms, and what waits, have a budget each: a friend who causes events all the time must not hide the alarm that a thief causes. */
export class Notifier {
  readonly #budgets: Readonly<Record<Urgency, Budget>>
  /** One after the other, in the order of the events. */
  #queue: Promise<void> = Promise.resolve()
  #isClosing = false
  #hasFailed = false

  constructor(options: NotifierOptions) {
    const show = (notice: Notice): void => {
      this.#queue = this.#queue.then(async () => {
        // A desktop that hangs costs the end of the daemon the time of one notice, not of all.
        if (this.#isClosing && this.#hasFailed) return
        this.#hasFailed = !(await options.show(notice))
      })
    }
    this.#budgets = { normal: new Budget('normal', options, show), low: new Budget('low', options, show) }
  }

  notify(notice: Notice): void {
    this.#budgets[notice.urgency].notify(notice)
  }

  /** Resolves once everything was shown that is due, or the desktop failed. Notices that wait for a summary are dropped: the state still has them. */
  async close(): Promise<void> {
    this.#isClosing = true
    for (const budget of Object.values(this.#budgets)) budget.close()
    await this.#queue
  }
}

/** The notices of one urgency. */
class Budget {
  readonly #urgency: Urgency
  readonly #options: Pick<NotifierOptions, 'nowMs' | 'later'>
  readonly #show: (notice: Notice) => void
  /** When the notices of the last minute were shown. */
  #shownAtMs: number[] = []
  #heldBack = 0
  #stopSummary: (() => void) | null = null

  constructor(urgency: Urgency, options: Pick<NotifierOptions, 'nowMs' | 'later'>, show: (notice: Notice) => void) {
    this.#urgency = urgency
    this.#options = options
    this.#show = show
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

  close(): void {
    this.#stopSummary?.()
    this.#stopSummary = null
  }

  #sum(): void {
    const [count, urgency] = [this.#heldBack, this.#urgency]
    this.#heldBack = 0
    this.#stopSummary = null
    this.#shownAtMs = [this.#options.nowMs()]
    const body = `${count} more ${count === 1 ? 'event' : 'events'} came within a minute. The status of the daemon lists what waits.`
    const kind = urgency === 'normal' ? 'alarms' : 'waiting'
    this.#show({ kind, urgency, summary: 'More events of personad', body })
  }
}
