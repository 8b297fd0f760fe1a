/** A progress line on the terminal, which disappears at the end. */

const CLEAR_LINE = '\r\x1b[K'

export class Progress {
  readonly #what: string
  readonly #total: number
  readonly #isShown: boolean

  /** @param what the work, escaped */
  constructor(what: string, total: number) {
    this.#what = what
    this.#total = total
    this.#isShown = process.stderr.isTTY && process.env['TERM'] !== 'dumb'
    this.show(0)
  }

  show(done: number): void {
    if (this.#isShown) process.stderr.write(`${CLEAR_LINE}${this.#what}: ${done} of ${this.#total}`)
  }

  end(): void {
    if (this.#isShown) process.stderr.write(CLEAR_LINE)
  }
}
