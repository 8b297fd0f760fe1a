/** The cards of a relay as records. */
import { judgeCard, type CardVerdict, type KnownCards } from '../../card/order.ts'
import type { CardPlace } from '../../relay/paths/card-place.ts'
import { CardChange } from './card-change.ts'
import type { KeptCard, KeptPersona } from './kept-card.ts'
import type { RecordAccess } from './record-access.ts'
import { dueKeys, parseDueId } from './records.ts'
import type { PersonaId } from '../store/persona-id.ts'
import type { CardOutcome, HeldCard, OfferedCard } from '../store/relay-store.ts'

export class RecordCards {
  readonly #access: RecordAccess

  constructor(access: RecordAccess) {
    this.#access = access
  }

  async put(card: OfferedCard, nowUs: number): Promise<CardOutcome> {
    const change = this.#change(card.persona, nowUs)
    const outcome = this.#decide(change, card)
    if (outcome.outcome !== 'kept' || !change.isChanged) return outcome
    return (await this.#access.write(change.writes())) ? outcome : { outcome: 'full' }
  }

  get(place: CardPlace, nowUs: number): string | null {
    const { cards, personas } = this.#access.present
    if ('at' in place) return living(cards.get(place.at), nowUs)
    const { app, persona } = place
    const found = personas.get(persona)?.cards.find((card) => card.app === app && card.isPublic)
    return found === undefined ? null : living(cards.get(found.at), nowUs)
  }

  of(persona: PersonaId, app: string, nowUs: number): HeldCard | null {
    const { cards, personas } = this.#access.present
    const found = personas.get(persona)?.cards.find((card) => card.app === app)
    if (found === undefined) return null
    const text = living(cards.get(found.at), nowUs)
    return text === null ? null : { at: found.at, text, isGuest: found.guest !== null }
  }

  epochOf(persona: PersonaId): number {
    return this.#access.present.personas.get(persona)?.epoch ?? 0
  }

  async forget(persona: PersonaId): Promise<number> {
    const change = this.#change(persona, 0)
    const count = change.persona?.cards.length ?? 0
    change.removeAll()
    if (change.isChanged) await this.#access.commit(change.writes())
    return count
  }

  /** The moments at which a persona is to be looked at, where they have come. */
  due(nowUs: number, limit: number): Promise<string[]> {
    return dueKeys(this.#access.present.personaDue, nowUs, limit)
  }

  /** Looks at a persona whose moment has come. @param dueKey as {@link due} gives it */
  async look(dueKey: string, nowUs: number): Promise<void> {
    const { coming, write } = this.#access
    const change = this.#change(parseDueId(dueKey).id, nowUs)
    // Without a change another one moved it since the iteration began.
    await write(change.isChanged ? change.writes() : [coming.personaDue.remove(dueKey)])
  }

  #decide(change: CardChange, card: OfferedCard): CardOutcome {
    const { coming, limits } = this.#access
    const head = change.cardOf(card.app)
    const verdict = judgeCard(card.rank, knownOf(change.persona, head))
    const refusal = refusalOf(verdict)
    if (refusal !== null) {
      // A card that is still on its way may be given out: its persona signed it, whatever becomes of it here.
      const text = head === null ? null : (coming.cards.get(head.at)?.text ?? null)
      return refusal === 'ended' ? { outcome: refusal, epoch: change.persona!.epoch } : { outcome: refusal, card: text }
    }
    if (head !== null && verdict.verdict === 'same') {
      change.note(head, card)
      return { outcome: 'kept' }
    }
    const isRotated = card.rank.chain.epoch > (change.persona?.epoch ?? 0)
    // No card of an ended epoch counts any more, of whatever app.
    if (isRotated) change.removeAll()
    else if (head !== null) change.remove(head)
    if (card.guest !== null && change.isCrowded(card.guest)) return { outcome: 'crowded' }
    if ((change.persona?.cards.length ?? 0) >= limits.maxApps) return { outcome: 'apps' }
    if (!change.hasDiskFor(card)) return { outcome: 'full' }
    change.add(card)
    return { outcome: 'kept' }
  }

  #change(persona: PersonaId, nowUs: number): CardChange {
    const { coming, limits } = this.#access
    return new CardChange(coming, limits, persona, nowUs)
  }
}

function living(card: { readonly endsUs: number; readonly text: string } | undefined, nowUs: number): string | null {
  return card === undefined || card.endsUs <= nowUs ? null : card.text
}

type Persona = Omit<KeptPersona, 'dueUs'> | null

/** Everything that decides on a card of a persona. @param head of its app */
function knownOf(persona: Persona, head: KeptCard | null): KnownCards {
  if (persona === null) return { root: null, minEpoch: 0, head: null }
  const { root, epoch } = persona
  return { root, minEpoch: epoch, head: head === null ? null : { ...head, root, chain: { epoch } } }
}

/** The outcome of a card that does not count. @returns null for one that does, or that is there already */
function refusalOf(verdict: CardVerdict): 'newer' | 'held' | 'disputed' | 'ended' | null {
  switch (verdict.verdict) {
    case 'accept':
    case 'same':
      return null
    case 'fork':
      return verdict.wins ? null : 'newer'
    case 'stale':
      return 'newer'
    case 'held':
    case 'disputed':
    case 'ended':
      return verdict.verdict
  }
}
