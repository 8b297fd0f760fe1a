/**
 * How fast proposals work when there are many at once, as after a link of apps with a thousand contacts. Each one that does something takes tens of
 * milliseconds of this daemon, with all that its channel sends and commits. Calls of apps and the channels of people come first.
 */
import type { Clock } from '../../../process/pulse.ts'

const AT_ONCE = 32 // sanity: a person who links two apps sees a screen of contacts at once
const A_TURN = 4 // sanity: an answer of the owner waits for a tenth of a second
const MS_EACH = 400 // sanity: calls of other apps hardly notice it (decision 65); a thousand contacts are there in a quarter of an hour

export class Pace {
  readonly #clock: Clock
  #free = AT_ONCE
  #atMs: number
  #isStopped = false
  /** How many have done something. */
  spent = 0

  constructor(clock: Clock) {
    this.#clock = clock
    this.#atMs = clock.nowMs()
  }

  /** Milliseconds until the next one may work: 0 for now, Infinity for never. */
  get waitMs(): number {
    if (this.#isStopped) return Infinity
    const nowMs = this.#clock.nowMs()
    this.#free = Math.min(AT_ONCE, this.#free + (nowMs - this.#atMs) / MS_EACH)
    this.#atMs = nowMs
    return this.#free >= 1 ? 0 : Math.ceil((1 - this.#free) * MS_EACH)
  }

  /** One has done something. */
  spend(): void {
    this.#free--
    this.spent++
  }

  /** Nobody begins anything any more. */
  stop(): void {
    this.#isStopped = true
  }
}

/** Ids that wait until the pace lets them work. Those of the newest change come first. */
export class Due {
  readonly #pace: Pace
  #ids = new Set<string>()

  constructor(pace: Pace) {
    this.#pace = pace
  }

  get isEmpty(): boolean {
    return this.#ids.size === 0
  }

  add(ids: Iterable<string>): void {
    this.#ids = new Set([...ids, ...this.#ids])
  }

  clear(): void {
    this.#ids.clear()
  }

  /** Takes out one after another, for as long as they may work, and a few of those that do something. */
  *take(): Generator<string> {
    const lastSpent = this.#pace.spent + A_TURN
    for (const id of this.#ids) {
      if (this.#pace.waitMs > 0 || this.#pace.spent >= lastSpent) return
      this.#ids.delete(id)
      yield id
    }
  }
}
