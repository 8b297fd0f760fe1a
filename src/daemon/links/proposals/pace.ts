/**
 * How fast proposals work when there are many at once, as after a link of apps with a thousand contacts. Each one that does something takes tens of
 * milliseconds of this daemon, with all that its channel sends and commits. Calls of apps and the channels of people come first.
 */
import type { Clock } from '../../../process/pulse.ts'

const AT_ONCE = 32 // sanity: a person who links two apps sees a screen of contacts at once
const MS_EACH = 150 // sanity: a fifth of the time of a small machine; a thousand contacts are there in some minutes

export class Pace {
  readonly #clock: Clock
  #free = AT_ONCE
  #atMs: number
  #isStopped = false

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

  /** Takes out one after another, for as long as they may work. */
  *take(): Generator<string> {
    for (const id of this.#ids) {
      if (this.#pace.waitMs > 0) return
      this.#ids.delete(id)
      yield id
    }
  }
}
