/** Verifies cards, and remembers the last ones: the same cards are judged again and again. */
import { verifyCard, type CardEngine, type VerifiedCard } from '../../../card/verify.ts'
import { CardError } from '../../../card/errors.ts'

const MAX_CARDS = 512 // sanity: at most 8 MiB of the largest cards; a full cache only costs each card one more verification

export class CardReader {
  readonly #engine: CardEngine
  readonly #verified = new Map<string, VerifiedCard>()

  constructor(engine: CardEngine) {
    this.#engine = engine
  }

  /** @returns null for a text that is no valid card */
  read(text: string): VerifiedCard | null {
    const known = this.#verified.get(text)
    if (known !== undefined) return known
    try {
      const card = verifyCard(text, this.#engine)
      if (this.#verified.size >= MAX_CARDS) this.#verified.clear()
      this.#verified.set(text, card)
      return card
    } catch (error) {
      if (error instanceof CardError) return null
      throw error
    }
  }
}
