/** Buckets of tokens in memory. After a start all are full: whoever could kill the relay gains a burst by it. */
import type { Bucket } from './relay-store.ts'

const MAX_BUCKETS = 200_000 // sanity: some 40 MB; beyond them the half that was silent longest is forgotten
const MAX_WAIT_MS = 86_400_000 // sanity: a bucket that never fills is looked at again after a day
const ENOUGH = 1 - 1e-9 // a token, less what doubles lose

/** Tokens in a bucket at a moment. */
export interface Level {
  tokens: number
  atUs: number
}

/** Fills a bucket up to now, in its place. A clock that goes back takes nothing away, and fills again from here. */
export function fillLevel(level: Level, { burst, perSec }: Bucket, nowUs: number): Level {
  const passedSec = Math.max(0, nowUs - level.atUs) / 1_000_000
  level.tokens = Math.min(burst, level.tokens + passedSec * perSec)
  level.atUs = nowUs
  return level
}

/** @param levels of the buckets, filled @returns 0 if each has a token, or the milliseconds until all have one */
export function waitOf(buckets: readonly Bucket[], levels: readonly Level[]): number {
  let waitMs = 0
  for (let i = 0; i < buckets.length; i++) {
    const { tokens } = levels[i]!
    if (tokens < ENOUGH) waitMs = Math.max(waitMs, ((1 - tokens) / buckets[i]!.perSec) * 1000)
  }
  return Math.ceil(Math.min(MAX_WAIT_MS, waitMs))
}

export class Buckets {
  /** Used since the last change of generations. A level changes in its place: to take a key out and put it back costs as much as a read of a box. */
  #young = new Map<string, Level>()
  /** Used in the generation before, and not since. */
  #old = new Map<string, Level>()

  /** Takes one token from each bucket, or from none. @returns 0, or the milliseconds until all have one */
  spend(buckets: readonly Bucket[], nowUs: number): number {
    const levels = buckets.map((bucket) => this.#fill(bucket, nowUs))
    const waitMs = waitOf(buckets, levels)
    if (waitMs > 0) return waitMs
    for (let i = 0; i < buckets.length; i++) {
      levels[i]!.tokens--
      this.#keep(buckets[i]!.key, levels[i]!)
    }
    return 0
  }

  get size(): number {
    return this.#young.size + this.#old.size
  }

  #fill(bucket: Bucket, nowUs: number): Level {
    const { key, burst } = bucket
    return fillLevel(this.#young.get(key) ?? this.#rejuvenate(key) ?? { tokens: burst, atUs: nowUs }, bucket, nowUs)
  }

  #rejuvenate(key: string): Level | undefined {
    const level = this.#old.get(key)
    if (level !== undefined) this.#keep(key, level)
    return level
  }

  /** Takes a level into the young generation. One of a call that is refused stays out if it is new: such a call costs its caller nothing. */
  #keep(key: string, level: Level): void {
    if (this.#young.has(key)) return
    this.#old.delete(key)
    if (this.#young.size >= MAX_BUCKETS / 2) {
      this.#old = this.#young
      this.#young = new Map()
    }
    this.#young.set(key, level)
  }
}
