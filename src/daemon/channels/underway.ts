/** Things that apps have asked for and that are not made yet: each counts for their quotas, or calls that come together would pass them together. */

export class Underway {
  readonly #counts = new Map<string, number>()

  countOf(app: string): number {
    return this.#counts.get(app) ?? 0
  }

  /** Counts one more for the app until the work ends. */
  async count<Result>(app: string, work: Promise<Result>): Promise<Result> {
    this.#add(app, 1)
    try {
      return await work
    } finally {
      this.#add(app, -1)
    }
  }

  #add(app: string, change: 1 | -1): void {
    const count = this.countOf(app) + change
    if (count === 0) this.#counts.delete(app)
    else this.#counts.set(app, count)
  }
}
