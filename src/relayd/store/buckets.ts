/** Buckets of tokens in memory. After a start all are full: whoever could kill the relay gains a burst by it. */
import type { Bucket } from './relay-store.ts'

const MAX_BUCKETS = 200_000 // sanity: some 40 MB; an address or box beyond them takes the place of the one that was longest silent
const MAX_WAIT_MS = 86_400_000 // sanity: a bucket that never fills is looked at again after a day
const ENOUGH = 1 - 1e-9 // a token, less what doubles lose

interface Level {
  readonly tokens: number
  readonly atUs: number
}

export class Buckets {
  /** The longest silent first. */
  readonly #levels = new Map<string, Level>()

  /** Takes one token from each bucket, or from none. @returns 0, or the milliseconds until all have one */
  spend(buckets: readonly Bucket[], nowUs: number): number {
    let waitMs = 0
    const levels = buckets.map((bucket) => this.#levelOf(bucket, nowUs))
    for (let i = 0; i < buckets.length; i++)
      if (levels[i]! < ENOUGH) waitMs = Math.max(waitMs, ((1 - levels[i]!) / buckets[i]!.perSec) * 1000)
    if (waitMs > 0) return Math.ceil(Math.min(MAX_WAIT_MS, waitMs))
    for (let i = 0; i < buckets.length; i++) {
      const { key } = buckets[i]!
      this.#levels.delete(key)
      this.#levels.set(key, { tokens: levels[i]! - 1, atUs: nowUs })
    }
    if (this.#levels.size <= MAX_BUCKETS) return 0
    for (const key of this.#levels.keys()) {
      if (this.#levels.size <= MAX_BUCKETS) break
      this.#levels.delete(key)
    }
    return 0
  }

  get size(): number {
    return this.#levels.size
  }

  #levelOf({ key, burst, perSec }: Bucket, nowUs: number): number {
    const level = this.#levels.get(key)
    if (level === undefined) return burst
    // A clock that goes back takes nothing away, and fills again from here.
    if (nowUs < level.atUs) this.#levels.set(key, { tokens: level.tokens, atUs: nowUs })
    return Math.min(burst, level.tokens + (Math.max(0, nowUs - level.atUs) / 1_000_000) * perSec)
  }
}
