/** The mark that tells the peer how far a person has read: one mark for many lines, and with the next own line where there is one. */
import type { Clock } from '../../process/pulse.ts'

/** Between two marks that go alone. */
export const MARK_PAUSE_MS = 5_000 // sanity: a box of a relay takes one send a second, and a person looks at marks now and then

export class ReadMarks {
  readonly #clock: Clock
  readonly #onDue: () => void
  /** The last line that was read, until a way has taken the mark. */
  #waiting: string | null = null
  #nextMs = -Infinity
  #cancel: (() => void) | null = null

  /** @param onDue the mark that waits is due now */
  constructor(clock: Clock, onDue: () => void) {
    this.#clock = clock
    this.#onDue = onDue
  }

  /** A person has read this line. */
  note(id: string): void {
    this.#waiting = id
    const waitMs = this.#nextMs - this.#clock.nowMs()
    if (waitMs > 0) this.#cancel ??= this.#clock.after(waitMs, () => this.#due())
  }

  /** The mark that a line can take along; null if none waits. */
  get waiting(): string | null {
    return this.#waiting
  }

  /** The mark that goes alone now; null if none waits, or the last one was a moment ago. */
  get due(): string | null {
    return this.#clock.nowMs() >= this.#nextMs ? this.#waiting : null
  }

  /** Some way has taken the mark. @param alone without a line */
  sent(id: string, alone: boolean): void {
    if (alone) this.#nextMs = this.#clock.nowMs() + MARK_PAUSE_MS
    if (this.#waiting === id) this.forget()
  }

  forget(): void {
    this.#waiting = null
    this.#cancel?.()
    this.#cancel = null
  }

  #due(): void {
    this.#cancel = null
    this.#onDue()
  }
}
