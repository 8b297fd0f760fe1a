/**
 * The answers that were used, in memory: an answer lives a minute, and a commit for each would cost more than all else. After a start nobody
 * knows which were used before. So those to questions from before it are refused, and their clients ask again.
 */
import type { UsedAnswer } from '../store/relay-store.ts'

const MAX_SPENT = 500_000 // sanity: some 50 MB; 8 000 answers a second for a minute are more than the rest of a relay can do
const SLICE_US = 10_000_000 // answers are forgotten in slices of ten seconds

export class SpentAnswers {
  readonly #startUs: number
  readonly #answerUs: number
  /** Ids by the slice in which they expire. */
  readonly #slices = new Map<number, Set<string>>()
  #size = 0

  /** @param answerUs how long after its question an answer is good @param startUs now */
  constructor(answerUs: number, startUs: number) {
    this.#answerUs = answerUs
    this.#startUs = startUs
  }

  /** Uses an answer. @returns false if it is not good, or not any more */
  use({ id, expiresUs }: UsedAnswer, nowUs: number): boolean {
    const askedUs = expiresUs - this.#answerUs
    // A question from the future was asked before the clock went back, perhaps by the process before this one.
    if (expiresUs <= nowUs || askedUs < this.#startUs || askedUs > nowUs) return false
    this.forget(nowUs)
    const slice = Math.floor(expiresUs / SLICE_US)
    let ids = this.#slices.get(slice)
    if (ids?.has(id) === true || this.#size >= MAX_SPENT) return false
    if (ids === undefined) this.#slices.set(slice, (ids = new Set()))
    ids.add(id)
    this.#size++
    return true
  }

  /** Forgets those that have expired. */
  forget(nowUs: number): void {
    for (const [slice, ids] of this.#slices) {
      if ((slice + 1) * SLICE_US > nowUs) continue
      this.#slices.delete(slice)
      this.#size -= ids.size
    }
  }

  get size(): number {
    return this.#size
  }
}
