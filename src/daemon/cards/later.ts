/** Work that no caller waits for. */
import { describeError } from '../../process/describe-error.ts'
import type { Log } from '../../process/log.ts'

export class Later {
  readonly #log: Log
  readonly #running = new Set<Promise<void>>()
  #isClosed = false

  constructor(log: Log) {
    this.#log = log
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  /** Nothing begins from now on. Work that runs goes on: see {@link idle}. */
  close(): void {
    this.#isClosed = true
  }

  /** Begins work. A store that fails stops the daemon by itself. */
  run(work: () => Promise<void>): void {
    if (this.#isClosed) return
    const running = work()
      .catch((error: unknown) => this.#log.warn('cards.failed', describeError(error)))
      .finally(() => this.#running.delete(running))
    this.#running.add(running)
  }

  /** Resolves once nothing runs, also when work was added meanwhile. */
  async idle(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running)
  }
}
