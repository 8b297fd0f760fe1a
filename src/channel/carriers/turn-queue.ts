/** The turns of one end: what waits when a turn begins shares it, and its commit. */

/** Inputs in one turn. */
const MAX_INPUTS = 64 // sanity: a turn is one commit, which stays small; frames of carriers take 5 MiB of it at most

export interface Input<Turn> {
  readonly work: (turn: Turn) => unknown
  /** Bytes that count for the bound of a turn. */
  readonly bytes: number
  readonly resolve: (result: never) => void
  readonly reject: (error: unknown) => void
}

export interface TurnQueueOptions<Turn> {
  /** Does one turn, and answers each input. If it throws, all its inputs are refused with that error. */
  readonly turn: (batch: readonly Input<Turn>[]) => Promise<void>
  /** Bytes of inputs in one turn. A larger input has a turn of its own. */
  readonly maxBytes?: number
  /** The error of work that comes after the end. */
  readonly closed: () => Error
}

export class TurnQueue<Turn> {
  readonly #options: TurnQueueOptions<Turn>
  #inputs: Input<Turn>[] = []
  #isBusy = false
  #isClosed = false
  #running: Promise<void> = Promise.resolve()

  constructor(options: TurnQueueOptions<Turn>) {
    this.#options = options
  }

  /** Whether a turn runs or waits. */
  get isBusy(): boolean {
    return this.#isBusy
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  /** Does something in the next turn that has room for it. @returns its result, once the turn is over @throws its error, or that of the turn */
  run<Result>(work: (turn: Turn) => Result, bytes: number = 0): Promise<Awaited<Result>> {
    const { promise, resolve, reject } = Promise.withResolvers<Awaited<Result>>()
    if (this.#isClosed) reject(this.#options.closed())
    else this.#inputs.push({ work, bytes, resolve, reject })
    if (!this.#isBusy && !this.#isClosed) {
      this.#isBusy = true
      this.#running = this.#work()
    }
    return promise
  }

  /** Resolves once nothing runs or waits. */
  async idle(): Promise<void> {
    while (this.#isBusy) await this.#running
  }

  /** Takes nothing more. Resolves once what waits is done. */
  async close(): Promise<void> {
    this.#isClosed = true
    await this.#running
  }

  async #work(): Promise<void> {
    // Calls that came together share the first turn.
    await Promise.resolve()
    while (this.#inputs.length > 0) {
      const batch = this.#inputs.splice(0, this.#countForTurn())
      await this.#options.turn(batch).catch((error: unknown) => {
        for (const { reject } of batch) reject(error)
      })
    }
    this.#isBusy = false
  }

  #countForTurn(): number {
    const { maxBytes = Infinity } = this.#options
    let sum = 0
    const end = this.#inputs.findIndex(({ bytes }, i) => {
      sum += bytes
      return i > 0 && (i === MAX_INPUTS || sum > maxBytes)
    })
    return end === -1 ? this.#inputs.length : end
  }
}
