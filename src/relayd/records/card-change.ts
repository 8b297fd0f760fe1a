/** One change of the cards of one persona: begun with them as they will be once all queued commits are on disk, and ended as one commit. */
import type { Write } from '../../store/store.ts'
import type { KeptCard, KeptPersona } from './kept-card.ts'
import { dueId, type Records } from './records.ts'
import type { PersonaId } from '../store/persona-id.ts'
import type { OfferedCard } from '../store/relay-store.ts'
import { CARD_COST_BYTES, endOfCard, type StoreLimits } from '../store/rules.ts'
import { Tally } from './tally.ts'

export class CardChange {
  readonly #records: Records
  readonly #limits: StoreLimits
  readonly #id: PersonaId
  readonly #nowUs: number
  readonly #found: KeptPersona | null
  readonly #tally: Tally
  readonly #writes: Write[] = []
  #cards: readonly KeptCard[]
  #root: Uint8Array
  #epoch: number
  #isChanged = false

  /** Drops the cards that have ended. */
  constructor(records: Records, limits: StoreLimits, id: PersonaId, nowUs: number) {
    this.#records = records
    this.#limits = limits
    this.#id = id
    this.#nowUs = nowUs
    this.#tally = new Tally(records.totals, records.guests)
    this.#found = records.personas.get(id) ?? null
    this.#root = this.#found?.root ?? new Uint8Array(0)
    this.#epoch = this.#found?.epoch ?? 0
    this.#cards = this.#found?.cards ?? []
    for (const card of this.#cards) if (card.endsUs <= nowUs) this.remove(card)
  }

  get isChanged(): boolean {
    return this.#isChanged
  }

  /** The cards, with the root and the epoch of all; null if there is none, so that nothing is known of the persona. */
  get persona(): Omit<KeptPersona, 'dueUs'> | null {
    return this.#cards.length === 0 ? null : { root: this.#root, epoch: this.#epoch, cards: this.#cards }
  }

  cardOf(app: string): KeptCard | null {
    return this.#cards.find((card) => card.app === app) ?? null
  }

  /** Whether the address, as a guest, may have another card here. */
  isCrowded(address: string): boolean {
    return this.#tally.of(address) >= this.#limits.maxGuestCards
  }

  /** Whether the disk may take a card in the place of those that were removed. */
  hasDiskFor({ text }: OfferedCard): boolean {
    return this.#tally.bytes + text.length + CARD_COST_BYTES <= this.#limits.maxDiskBytes
  }

  /** Puts a card beside those that are there. */
  add({ at, app, rank, text, expiresUs, guest, isPublic }: OfferedCard): void {
    const { seq, hash, root, chain } = rank
    this.#root = root
    this.#epoch = chain.epoch
    const bytes = text.length
    const endsUs = endOfCard(expiresUs, this.#nowUs, this.#limits)
    this.#cards = [...this.#cards, { at, app, seq, hash, bytes, endsUs, guest, isPublic }]
    this.#writes.push(this.#records.cards.put(at, { endsUs, text }))
    this.#count(guest, 1)
    this.#tally.add({ cards: 1, bytes: bytes + CARD_COST_BYTES })
    this.#isChanged = true
  }

  /** Notes that the same card came from somebody with a right, or for everybody. */
  note(card: KeptCard, { guest, isPublic }: Pick<OfferedCard, 'guest' | 'isPublic'>): void {
    const noted = { ...card, guest: guest === null ? null : card.guest, isPublic: card.isPublic || isPublic }
    if (noted.guest === card.guest && noted.isPublic === card.isPublic) return
    if (noted.guest === null) this.#count(card.guest, -1)
    this.#cards = this.#cards.map((each) => (each === card ? noted : each))
    this.#isChanged = true
  }

  remove(card: KeptCard): void {
    this.#cards = this.#cards.filter((each) => each !== card)
    this.#writes.push(this.#records.cards.remove(card.at))
    this.#count(card.guest, -1)
    this.#tally.add({ cards: -1, bytes: -card.bytes - CARD_COST_BYTES })
    this.#isChanged = true
  }

  removeAll(): void {
    for (const card of this.#cards) this.remove(card)
  }

  writes(): readonly Write[] {
    const { personas, personaDue } = this.#records
    const before = this.#found?.dueUs ?? 0
    const dueUs = this.#cards.length === 0 ? 0 : Math.min(...this.#cards.map(({ endsUs }) => endsUs))
    const { persona } = this
    const writes = [
      ...this.#writes,
      persona === null ? personas.remove(this.#id) : personas.put(this.#id, { ...persona, dueUs }),
    ]
    if (dueUs !== before) {
      if (before !== 0) writes.push(personaDue.remove(dueId(this.#id, before)))
      if (dueUs !== 0) writes.push(personaDue.put(dueId(this.#id, dueUs), null))
    }
    return [...writes, ...this.#tally.writes()]
  }

  #count(guest: string | null, change: number): void {
    if (guest !== null) this.#tally.count(guest, change)
  }
}
