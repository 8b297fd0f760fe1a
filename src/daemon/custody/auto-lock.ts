/** How long the secrets may stay open: while they are used, and not for ever. */

export const DEFAULT_IDLE_SEC = 600 // sanity: the owner went for a coffee
export const DEFAULT_AT_MOST_SEC = 7200 // sanity: somebody who uses them without a pause types the passphrase every two hours
export const MIN_OPEN_SEC = 10 // sanity: less would lock between an unlock and the command that it was for
export const MAX_OPEN_SEC = 604_800 // sanity: a week; who wants them open for good does without a passphrase

/** Seconds, each MIN_OPEN_SEC..MAX_OPEN_SEC. */
export interface OpenLimits {
  /** Without a use. */
  readonly idleSec: number
  /** Since they were opened, used or not. */
  readonly atMostSec: number
}

/** Why the time is over. */
export type OpenEnd = 'idle' | 'ttl'

export class OpenTime {
  readonly #nowMs: () => number
  #limits: OpenLimits = { idleSec: DEFAULT_IDLE_SEC, atMostSec: DEFAULT_AT_MOST_SEC }
  #openedMs = 0
  #usedMs = 0

  /** @param nowMs milliseconds of a clock that only goes forward: see {@link forwardClock} */
  constructor(nowMs: () => number) {
    this.#nowMs = nowMs
  }

  /** The times so far count under the new limits too. */
  limit(limits: OpenLimits): void {
    this.#limits = limits
  }

  begin(): void {
    this.#openedMs = this.#usedMs = this.#nowMs()
  }

  use(): void {
    this.#usedMs = this.#nowMs()
  }

  /** Milliseconds until the time is over; 0 or less when it is. */
  leftMs(): number {
    const now = this.#nowMs()
    const { idleSec, atMostSec } = this.#limits
    return Math.min(this.#usedMs + idleSec * 1000, this.#openedMs + atMostSec * 1000) - now
  }

  /** null as long as the time is not over. */
  end(): OpenEnd | null {
    if (this.leftMs() > 0) return null
    return this.#nowMs() - this.#openedMs >= this.#limits.atMostSec * 1000 ? 'ttl' : 'idle'
  }
}

/**
 * A clock that advances by whichever of two others advanced more since it was last read: the steady one stands still while the machine
 * sleeps, and the one on the wall can be set back. Setting that one forward locks too early, which harms nobody.
 */
export function forwardClock(
  steadyMs: () => number = () => performance.now(),
  wallMs: () => number = () => Date.now(),
): () => number {
  let [lastSteady, lastWall, total] = [steadyMs(), wallMs(), 0]
  return () => {
    const [steady, wall] = [steadyMs(), wallMs()]
    total += Math.max(steady - lastSteady, wall - lastWall, 0)
    ;[lastSteady, lastWall] = [steady, wall]
    return total
  }
}
