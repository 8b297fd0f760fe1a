/** Cards as they come in: judged, taken into the state, and told to the wings (docs/card.md, sections 4 and 9). */
import { isExpired } from '../../card/verify.ts'
import type { CardFacts } from '../../channel/handshake/peer.ts'
import type { Keeper } from '../keeper/keeper.ts'
import { OWN } from '../state/own-record.ts'
import { knownCards, personaOf, verdictOn } from './kept/known.ts'
import type { Later } from './later.ts'
import type { OwnCards } from './own-cards.ts'
import type { CardReader } from './kept/read-card.ts'
import { CARDS } from './kept/records.ts'
import { noteEpoch, settleArrived, takeAsked, takeCard } from './kept/take-card.ts'

export type CardListener = (personaId: string, app: string) => void

export interface TakenCardsOptions {
  readonly keeper: Keeper
  readonly reader: CardReader
  readonly own: OwnCards
  readonly work: Later
  /** Called after an own card came in that changes something. */
  readonly ownCame: () => Promise<void>
}

export class TakenCards {
  readonly #options: TakenCardsOptions
  readonly #listeners = new Set<CardListener>()

  constructor(options: TakenCardsOptions) {
    this.#options = options
  }

  /** See Cards.judge. */
  judge(text: string, app: string): CardFacts | null {
    const { keeper, reader, work } = this.#options
    const card = reader.read(text)
    if (card === null || card.app !== app || isExpired(card, keeper.nowSec)) return null
    const { verdict } = verdictOn(card, knownCards(personaOf(card), keeper.onDisk, reader))
    // The alarm needs a change.
    if (verdict === 'disputed') work.run(() => this.take(text))
    if (verdict === 'disputed' || verdict === 'ended' || verdict === 'held') return null
    // An older card is good here: a device may not know what its sibling signed. Its standing tells whether it is still listed.
    const { chain, devices } = card
    return { personaId: chain.personaId, epoch: chain.epoch, deviceKeys: devices.map(({ sig }) => sig) }
  }

  /** See Cards.meet(). */
  meet(text: string): void {
    const { keeper, reader, work, ownCame } = this.#options
    const card = reader.read(text)
    if (card === null) return
    const personaId = personaOf(card)
    const { isNews } = takeCard(card, true, keeper.state, reader)
    if (!isNews) return
    work.run(async () => {
      await this.#tellOnceDurable(personaId)
      // Two siblings have met, and their cards need not have known of each other.
      if (personaId === this.#ownId && !work.isClosed) await ownCame()
    })
  }

  /**
   * See Cards.take().
   * @param isWanted somebody here asked for this very card
   */
  async take(text: string, isWanted = false): Promise<void> {
    const { keeper, reader, own, work, ownCame } = this.#options
    const card = reader.read(text)
    if (card === null) return
    const personaId = personaOf(card)
    const isNews = await keeper.change(() => {
      const before = knownCards(personaId, keeper.state.records, reader).cards.get(card.app)
      const taken = isWanted ? takeAsked(card, keeper.state, reader) : takeCard(card, false, keeper.state, reader)
      own.noteReadBack(card)
      if (personaId === this.#ownId && before !== undefined) own.noteForeign(before)
      return taken.isNews
    })
    if (!isNews) return
    if (personaId === this.#ownId && !work.isClosed) await ownCame()
    this.tell(personaId)
  }

  /** Judges what a snapshot brought, and notes epochs that ended while a crash kept this from it. */
  async sweep(): Promise<void> {
    const { keeper, reader } = this.#options
    for (const personaId of await this.personas()) {
      const isNews = await keeper.change(() => {
        const hasArrived = settleArrived(personaId, keeper.state, reader)
        return noteEpoch(personaId, keeper.state, reader) || hasArrived
      })
      if (isNews) this.tell(personaId)
    }
  }

  /** The table of a persona may have moved on. @returns whether it ended the epoch of its cards */
  async noteMoved(personaId: string): Promise<boolean> {
    const { keeper, reader } = this.#options
    const isNews = await keeper.change(() => noteEpoch(personaId, keeper.state, reader))
    this.tell(personaId)
    return isNews
  }

  /** Those of whom a card is kept. */
  async personas(): Promise<string[]> {
    const ids: string[] = []
    for await (const [personaId] of this.#options.keeper.onDisk.of(CARDS).iterate()) ids.push(personaId)
    return ids
  }

  /** See Cards.onChanged(). */
  onChanged(run: CardListener): () => void {
    this.#listeners.add(run)
    return () => void this.#listeners.delete(run)
  }

  /** Nobody hears of changes from now on. */
  close(): void {
    this.#listeners.clear()
  }

  /** Tells the wings that cards of a persona may have changed. */
  tell(personaId: string): void {
    const { keeper, own } = this.#options
    // An own card that lacks this device would stop its channels. A later one that has it follows.
    const waits = personaId === this.#ownId ? own.waiting.filter(({ due }) => due === 'entry') : []
    const cards = keeper.onDisk.of(CARDS).get(personaId)?.cards ?? []
    for (const { app } of cards.filter((card) => !waits.some((waiting) => waiting.app === card.app)))
      for (const listener of this.#listeners) listener(personaId, app)
  }

  /** Called inside of a change. */
  async #tellOnceDurable(personaId: string): Promise<void> {
    await Promise.resolve()
    // A change without writes ends when all before it are on disk.
    await this.#options.keeper.change(() => {})
    this.tell(personaId)
  }

  get #ownId(): string | null {
    return this.#options.keeper.onDisk.own.get(OWN)?.personaId ?? null
  }
}
