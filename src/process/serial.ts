/** Runs pieces of work one after the other, where two at a time would each see a state that the other is about to change. */
export class Serial {
  #last: Promise<unknown> = Promise.resolve()

  /** Runs the work after all earlier work has ended. A failure reaches only the caller of that work. */
  run<T>(work: () => Promise<T>): Promise<T> {
    const run = this.#last.then(work)
    this.#last = run.catch(() => {})
    return run
  }

  /** Resolves once nothing runs or waits, also when work was added meanwhile. */
  async idle(): Promise<void> {
    for (let last: unknown = null; last !== this.#last;) {
      last = this.#last
      await last
    }
  }
}
