/** Work that is done one after the other, where two at once would each find what the other is about to change. */
export class Turns {
  #last: Promise<unknown> = Promise.resolve()

  /** Does the work once all that came before it has ended, however it ended; a failure is its own caller's alone. */
  take<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(work)
    this.#last = turn.catch(() => {})
    return turn
  }
}
