/** Passphrases that are tried: one after the other, each wrong one makes the next wait longer, and few wait at a time. */
import { CustodyError } from './errors.ts'
import { Serial } from '../../process/serial.ts'

const GUESS_DELAY_SEC = 0.1 // sanity: each wrong passphrase makes the next one wait so much longer
const MAX_GUESS_DELAY_SEC = 10 // sanity: an owner who mistypes is not shut out
export const MAX_WAITING_GUESSES = 8 // sanity: an owner types one at a time; each holds a passphrase in memory while it waits

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
   * Tries a passphrase when its turn has come.
   * @param isNeeded asked then: whether it is to be tried at all, since one before it may have opened what it was for
   * @param attempt throws when the passphrase is wrong
   * @throws {KeeperError} TOO_MANY_GUESSES, and what the attempt throws
   */
  async run(isNeeded: () => boolean, attempt: () => Promise<void>): Promise<void> {
    if (this.#waiting >= MAX_WAITING_GUESSES) {
      const hint = 'wait until they were tried: some seconds each'
      throw new CustodyError('TOO_MANY_GUESSES', `${MAX_WAITING_GUESSES} passphrases wait to be tried already`, hint)
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
    // Counted before it is known: what ends the attempt in another way must not be a free guess.
    this.#wrong++
    await attempt()
    this.#wrong = 0
  }
}
