/** The last cards that were read, parsed: an entry needs two of them, and to parse both costs more than to verify its token. */
import { parseCard, type Card } from '../../card/card.ts'

const MAX_CARDS = 256 // sanity: at most 20 KiB each, with its text

export class ParsedCards {
  /** By the text. The one that came first goes first. */
  readonly #cards = new Map<string, Card>()

  /** @param text of a card that the store has @throws {CardError} the codes of {@link parseCard} */
  read(text: string): Card {
    const known = this.#cards.get(text)
    if (known !== undefined) return known
    const card = parseCard(text)
    this.#cards.set(text, card)
    if (this.#cards.size > MAX_CARDS) this.#cards.delete(this.#cards.keys().next().value!)
    return card
  }
}
