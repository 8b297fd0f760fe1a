/** The cards of the relay's store in memory: a plain list, written to be compared with the contract. */
import { judgeCard } from '../../card/order.ts'
import type { CardPlace } from '../../relay/paths/card-place.ts'
import type { PersonaId } from './persona-id.ts'
import type { CardOutcome, HeldCard, OfferedCard } from './relay-store.ts'
import { CARD_COST_BYTES, endOfCard, type StoreLimits } from './rules.ts'

interface TimedCard extends OfferedCard {
  readonly endsUs: number
}

export class MemoryCards {
  #all: TimedCard[] = []

  get count(): number {
    return this.#all.length
  }

  get bytes(): number {
    return this.#all.reduce((sum, { text }) => sum + text.length + CARD_COST_BYTES, 0)
  }

  knows(persona: PersonaId): boolean {
    return this.#all.some((card) => card.persona === persona)
  }

  /** @param otherBytes that the rest of the store takes */
  put(card: OfferedCard, limits: StoreLimits, otherBytes: number, nowUs: number): CardOutcome {
    const before = this.#all
    const outcome = this.#put(card, limits, otherBytes, nowUs)
    if (outcome.outcome !== 'kept') this.#all = before
    return outcome
  }

  #put(card: OfferedCard, limits: StoreLimits, otherBytes: number, nowUs: number): CardOutcome {
    this.#drop(({ persona, endsUs }) => persona === card.persona && endsUs <= nowUs)
    const [first] = this.#all.filter(({ persona }) => persona === card.persona)
    const head = this.#all.find(({ persona, app }) => persona === card.persona && app === card.app)
    const verdict = judgeCard(card.rank, {
      root: first?.rank.root ?? null,
      minEpoch: first?.rank.chain.epoch ?? 0,
      head: head?.rank ?? null,
    })
    const text = head?.text ?? null
    if (verdict.verdict === 'ended') return { outcome: 'ended', epoch: first!.rank.chain.epoch }
    if (verdict.verdict === 'held' || verdict.verdict === 'disputed') return { outcome: verdict.verdict, card: text }
    if (verdict.verdict === 'stale' || (verdict.verdict === 'fork' && !verdict.wins))
      return { outcome: 'newer', card: text }
    if (verdict.verdict === 'same') {
      const guest = card.guest === null ? null : head!.guest
      this.#replace([head!], { ...head!, guest, isPublic: head!.isPublic || card.isPublic })
      return { outcome: 'kept' }
    }
    const isRotated = first !== undefined && card.rank.chain.epoch > first.rank.chain.epoch
    const gone = this.#all.filter((each) => each === head || (isRotated && each.persona === card.persona))
    const left = this.#all.filter((each) => !gone.includes(each))
    if (card.guest !== null && left.filter(({ guest }) => guest === card.guest).length >= limits.maxGuestCards)
      return { outcome: 'crowded' }
    if (left.filter(({ persona }) => persona === card.persona).length >= limits.maxApps) return { outcome: 'apps' }
    const bytes = left.reduce((sum, each) => sum + each.text.length + CARD_COST_BYTES, otherBytes)
    if (bytes + card.text.length + CARD_COST_BYTES > limits.maxDiskBytes) return { outcome: 'full' }
    this.#replace(gone, { ...card, endsUs: endOfCard(card.expiresUs, nowUs, limits) })
    return { outcome: 'kept' }
  }

  get(place: CardPlace, nowUs: number): string | null {
    const found = this.#all.find((card) =>
      'at' in place ? card.at === place.at : card.isPublic && card.persona === place.persona && card.app === place.app,
    )
    return found === undefined || found.endsUs <= nowUs ? null : found.text
  }

  of(persona: PersonaId, app: string, nowUs: number): HeldCard | null {
    const found = this.#all.find((card) => card.persona === persona && card.app === app)
    if (found === undefined || found.endsUs <= nowUs) return null
    return { at: found.at, text: found.text, isGuest: found.guest !== null }
  }

  epochOf(persona: PersonaId): number {
    return this.#all.find((card) => card.persona === persona)?.rank.chain.epoch ?? 0
  }

  forget(persona: PersonaId): number {
    return this.#drop((card) => card.persona === persona)
  }

  /** @returns the number of personas that it looked at */
  expire(nowUs: number, limit: number): number {
    const due = new Set(this.#all.filter(({ endsUs }) => endsUs <= nowUs).map(({ persona }) => persona))
    const looked = [...due].slice(0, limit)
    this.#drop(({ persona, endsUs }) => endsUs <= nowUs && looked.includes(persona))
    return looked.length
  }

  #replace(gone: readonly TimedCard[], card: TimedCard): void {
    this.#all = [...this.#all.filter((each) => !gone.includes(each)), card]
  }

  #drop(isDropped: (card: TimedCard) => boolean): number {
    const before = this.#all.length
    this.#all = this.#all.filter((card) => !isDropped(card))
    return before - this.#all.length
  }
}
