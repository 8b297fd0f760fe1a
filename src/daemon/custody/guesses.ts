/** Tries passphrases one at a time. Each wrong one delays the next, and only a few may wait. */
import { CustodyError } from './errors.ts'
import { Serial } from '../../process/serial.ts'

const GUESS_DELAY_SEC = 0.1 // sanity: each wrong passphrase delays the next one by this much more
const MAX_GUESS_DELAY_SEC = 10 // sanity: an owner who mistypes is not locked out
export const MAX_WAITING_GUESSES = 8 // sanity: an owner types one at a time, and each waiting passphrase is in memory

export class Guesses {
  readonly #delay: (seconds: number) => Promise<void>
  #wrong = 0
  #waiting = 0
  readonly #serial = new Serial()

  /** @param delay waits so many seconds */
  constructor(delay: (seconds: number) => Promise<void>) {
    this.#delay = delay
  }

  /**
   * Tries a passphrase when its turn comes.
   * @param isNeeded asked at that moment: an earlier attempt may already have opened the secrets
   * @param attempt throws if the passphrase is wrong
   * @throws {CustodyError} TOO_MANY_GUESSES, and whatever the attempt throws
   */
  async run(isNeeded: () => boolean, attempt: () => Promise<void>): Promise<void> {
    if (this.#waiting >= MAX_WAITING_GUESSES) {
      const hint = 'wait a few seconds for each of them, then try again'
      throw new CustodyError(
        'TOO_MANY_GUESSES',
        `${MAX_WAITING_GUESSES} passphrases are already waiting to be tried`,
        hint,
      )
    }
    this.#waiting++
    try {
      await this.#serial.run(() => this.#try(isNeeded, attempt))
    } finally {
      this.#waiting--
    }
  }

  async #try(isNeeded: () => boolean, attempt: () => Promise<void>): Promise<void> {
    if (!isNeeded()) return
    await this.#delay(Math.min(this.#wrong * GUESS_DELAY_SEC, MAX_GUESS_DELAY_SEC))
    // Count it before the result is known: an attempt that fails in another way must not be a free guess.
    this.#wrong++
    await attempt()
    this.#wrong = 0
  }
}
