/** Limits how often somebody may do something: a bucket that refills over time. */

export interface Rate {
  /** How many are allowed at once. */
  readonly burst: number
  readonly perSec: number
}

const MAX_BUCKETS = 1024 // sanity: the bucket that was used longest ago is forgotten first, and is most likely full

export class Quota {
  readonly #rate: Rate
  readonly #nowSec: () => number
  /** The one used last comes last. */
  readonly #buckets = new Map<string, { left: number; atSec: number }>()

  /** @param nowSec any clock, with fractions or without */
  constructor(rate: Rate, nowSec: () => number) {
    this.#rate = rate
    this.#nowSec = nowSec
  }

  /** @returns 0, or the seconds until one is free */
  waitSec(name: string): number {
    const { left } = this.#fill(name)
    return left < 1 ? Math.ceil((1 - left) / this.#rate.perSec) : 0
  }

  /** Spends one. Ask {@link waitSec} first. */
  spend(name: string): void {
    this.#fill(name).left--
  }

  /** Spends one if one is free. @returns whether it did */
  take(name: string): boolean {
    const bucket = this.#fill(name)
    if (bucket.left < 1) return false
    bucket.left--
    return true
  }

  #fill(name: string): { left: number; atSec: number } {
    const nowSec = this.#nowSec()
    const bucket = this.#buckets.get(name) ?? { left: this.#rate.burst, atSec: nowSec }
    // A clock that was set back neither refills nor drains the bucket.
    const passedSec = Math.max(0, nowSec - bucket.atSec)
    bucket.left = Math.min(this.#rate.burst, bucket.left + passedSec * this.#rate.perSec)
    bucket.atSec = nowSec
    this.#keep(name, bucket)
    return bucket
  }

  #keep(name: string, bucket: { left: number; atSec: number }): void {
    this.#buckets.delete(name)
    this.#buckets.set(name, bucket)
    const [oldest] = this.#buckets.keys()
    if (this.#buckets.size > MAX_BUCKETS) this.#buckets.delete(oldest!)
  }
}
