/** One line on the terminal that says how far long work is, and is gone afterwards. */

const CLEAR_LINE = '\r\x1b[K'

export class Progress {
  readonly #what: string
  readonly #total: number
  readonly #isShown: boolean

  /** @param what already escaped */
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
