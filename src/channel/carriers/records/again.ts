/** Looks again soon, and ever later, at a ring whose newest data was not there at the last look. */
import type { Clock } from '../../../process/pulse.ts'
import { RETRY_MS } from './record-failures.ts'

const FIRST_MS = 250 // sanity: a writer puts the data some milliseconds after the header on Veilid, and seconds after it on the DHT

export class Again {
  readonly #clock: Clock
  readonly #look: () => void
  #waitMs = FIRST_MS
  #cancel: (() => void) | null = null

  constructor(clock: Clock, look: () => void) {
    this.#clock = clock
    this.#look = look
  }

  /** It is not there yet. Data that does not come for so long is lost, and its sender repeats it. */
  later(): void {
    if (this.#cancel !== null || this.#waitMs > RETRY_MS) return
    this.#cancel = this.#clock.after(this.#waitMs, () => {
      this.#cancel = null
      this.#look()
    })
    this.#waitMs *= 2
  }

  /** All is there. */
  done(): void {
    this.#cancel?.()
    this.#cancel = null
    this.#waitMs = FIRST_MS
  }
}
