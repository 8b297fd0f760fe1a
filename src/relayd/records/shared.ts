/** Work that takes long, and that many callers want at once: one run serves all who asked before it began. */
export class Shared {
  readonly #work: () => Promise<void>
  #running: Promise<void> | null = null
  /** Begins after the one that runs. */
  #next: Promise<void> | null = null

  constructor(work: () => Promise<void>) {
    this.#work = work
  }

  /** Ends with a run that began after this call. @throws the error of that run */
  async run(): Promise<void> {
    if (this.#running === null) return await this.#begin()
    await (this.#next ??= this.#running.catch(() => {}).then(() => this.#begin()))
  }

  #begin(): Promise<void> {
    this.#next = null
    const run = this.#work().finally(() => {
      if (this.#running === run) this.#running = null
    })
    this.#running = run
    return run
  }
}
