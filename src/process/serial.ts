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

/** Work for which many ask at a time. Whoever asks before it begins shares it with all who asked before, so it sees what each of them has changed. */
export class SharedWork {
  readonly #work: () => Promise<void>
  readonly #serial: Serial
  #next: Promise<void> | null = null

  /** @param serial of other work that must not run beside this */
  constructor(work: () => Promise<void>, serial: Serial = new Serial()) {
    this.#work = work
    this.#serial = serial
  }

  /** Resolves once the work has run from its beginning after this call; rejects with its error. */
  ask(): Promise<void> {
    this.#next ??= this.#serial.run(() => {
      this.#next = null
      return this.#work()
    })
    return this.#next
  }
}
