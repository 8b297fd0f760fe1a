/** How long the secrets may stay open: while they are in use, but not forever. */

export const DEFAULT_IDLE_SEC = 600 // sanity: the owner went for a coffee
export const DEFAULT_AT_MOST_SEC = 7200 // sanity: even in constant use, the owner types the passphrase every two hours
export const MIN_OPEN_SEC = 10 // sanity: less would lock between an unlock and the command it was for
export const MAX_OPEN_SEC = 604_800 // sanity: a week; to keep them open longer, use no passphrase

/** Limits in seconds, each MIN_OPEN_SEC..MAX_OPEN_SEC. */
export interface OpenLimits {
  /** Since the last use. */
  readonly idleSec: number
  /** Since they were opened, used or not. */
  readonly atMostSec: number
}

/** Why the time ended. */
export type OpenEnd = 'idle' | 'ttl'

export class OpenTime {
  readonly #nowMs: () => number
  #limits: OpenLimits = { idleSec: DEFAULT_IDLE_SEC, atMostSec: DEFAULT_AT_MOST_SEC }
  #openedMs = 0
  #usedMs = 0

  /** @param nowMs milliseconds of a clock that never goes back: see {@link forwardClock} */
  constructor(nowMs: () => number) {
    this.#nowMs = nowMs
  }

  /** Sets the limits. Time already elapsed counts toward the new limits. */
  limit(limits: OpenLimits): void {
    this.#limits = limits
  }

  /** Starts both times: the secrets were just opened. */
  begin(): void {
    this.#openedMs = this.#usedMs = this.#nowMs()
  }

  /** Restarts the idle time. */
  use(): void {
    this.#usedMs = this.#nowMs()
  }

  /** Milliseconds until the time ends; 0 or less once it has ended. */
  leftMs(): number {
    const now = this.#nowMs()
    const { idleSec, atMostSec } = this.#limits
    return Math.min(this.#usedMs + idleSec * 1000, this.#openedMs + atMostSec * 1000) - now
  }

  /** Why the time ended; null while it has not. */
  end(): OpenEnd | null {
    if (this.leftMs() > 0) return null
    return this.#nowMs() - this.#openedMs >= this.#limits.atMostSec * 1000 ? 'ttl' : 'idle'
  }
}

/**
 * A clock that advances by whichever of two clocks advanced more since the last reading. The steady clock stands
 * still while the machine sleeps, and the wall clock can be set back. Setting the wall clock forward only locks too
 * early, which harms nobody.
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
