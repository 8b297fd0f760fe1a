/** Runs work one piece at a time, so that no piece sees a state that another is about to change. */
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
