/** Looks often for a while, for somebody who waits where the network wakes no reader. */
import type { Clock } from '../../../process/pulse.ts'

export const LOOK_MS = 10_000 // sanity: people who wait look up now and then; a look is some 30 packets
export const EXPECTED_MS = 3_600_000 // sanity: whoever waits longer has gone to do something else

export class Lookout {
  readonly #clock: Clock
  readonly #look: () => void
  #untilMs = 0
  #cancel: (() => void) | null = null

  constructor(clock: Clock, look: () => void) {
    this.#clock = clock
    this.#look = look
  }

  /** Somebody waits from now on. */
  begin(): void {
    this.#untilMs = this.#clock.nowMs() + EXPECTED_MS
    this.#cancel ??= this.#next()
  }

  close(): void {
    this.#cancel?.()
    this.#cancel = null
  }

  #next(): () => void {
    return this.#clock.after(LOOK_MS, () => {
      this.#cancel = this.#clock.nowMs() < this.#untilMs ? this.#next() : null
      this.#look()
    })
  }
}
