/** Stores of cards: puts the own ones there, and reads those of others (docs/card.md, sections 5 and 6). The way to a store is handed in. */
import { cardAt } from '../../card/place.ts'
import type { VerifiedCard } from '../../card/verify.ts'
import { formatHex } from '../../core/encoding/bytes.ts'
import type { PublicPlace } from '../../relay/paths/card-place.ts'
import type { TokenTarget } from '../../relay/cards.ts'
import { describeError } from '../../process/describe-error.ts'
import type { Log } from '../../process/log.ts'
import type { Keeper } from '../keeper/keeper.ts'
import { OWN } from '../state/own-record.ts'
import { storedBytes } from '../state/records.ts'
import { currentId } from '../state/view.ts'
import { knownCards, type KnownCards } from './kept/known.ts'
import type { CardReader } from './kept/read-card.ts'
import { kindIn, storesIn } from './tags.ts'

/** The way to a store. Each call makes one try, and throws where the store does not answer. */
export interface CardStores {
  /** Whether the owner uses a relay for all apps. */
  isInUse(): boolean
  /** @param url address of a relay @param at see cardAt() @returns a text that nobody has verified; null if there is none */
  get(url: string, at: string): Promise<string | null>
  /** `card`: one that counts before the one that was put, or a proof of a second chain. */
  put(url: string, at: string, card: string): Promise<Put>
  /**
   * Puts a card where everybody finds it who knows the PersonaID.
   * @param sign makes a device token for one request, for this second by the clock of the relay
   */
  putOpenly(
    url: string,
    place: PublicPlace,
    card: string,
    sign: (to: TokenTarget, nowSec: number) => string,
  ): Promise<Put>
}

/** An own card, and the address of a store. */
export interface LostCard {
  readonly url: string
  readonly app: string
}

type Put = { readonly outcome: string; readonly card?: string | null }

const MAX_PLACES = 16 // sanity: four stores and four inboxes of the card, four stores of the table, as many that a caller names; each is asked once

const MAX_TRIES = 4 // sanity: a put that meets a newer card is made again on top of it; siblings that sign at one time are few

export interface StoresOptions {
  readonly keeper: Keeper
  readonly reader: CardReader
  readonly stores: CardStores
  readonly log: Log
  /** Takes a card that was found, and signs a next own one where that is due. `isWanted`: somebody here asked for this very card. */
  readonly take: (card: string, isWanted: boolean) => Promise<void>
  /** Makes a device token of this device; null where it uses no such app, or its keys are closed. */
  readonly tokenFor: (app: string, body: string) => ((to: TokenTarget, nowSec: number) => string) | null
}

export class StoreRounds {
  readonly #options: StoresOptions
  /** The own cards that lie at a store: the text by store and app. A restart puts them once more. */
  readonly #put = new Map<string, string>()
  /** Stores that took an own card and did not give it when it was read back, by store and app. */
  readonly #lost = new Map<string, LostCard>()
  /** The calls that run, by store and text. */
  readonly #calls = new Map<string, Promise<Put>>()

  constructor(options: StoresOptions) {
    this.#options = options
  }

  /** Reads the cards of a persona from all stores that are known of it, for the apps whose cards are kept. */
  async read(personaId: string): Promise<void> {
    if (!this.#isInUse()) return
    const known = this.#known(personaId)
    for (const [app, card] of known.cards)
      for (const url of this.#placesOf(personaId, card)) await this.#readOne(url, known, app, false)
  }

  /** Reads the card of a persona for an app, kept or not, from all relays that are known of it and from these. */
  async look(personaId: string, app: string, alsoAt: readonly string[]): Promise<void> {
    if (!this.#isInUse()) return
    const known = this.#known(personaId)
    // Without the chain nobody can compute where the card lies.
    if (known.root === null) return
    const places = this.#placesOf(personaId, known.cards.get(app), alsoAt)
    await Promise.all(places.map(async (url) => await this.#readOne(url, known, app, true)))
  }

  /** Reads the own cards back, then puts those that a store does not have. */
  async refreshOwn(): Promise<void> {
    const own = this.#options.keeper.onDisk.own.get(OWN)
    if (own === undefined) return
    await this.read(own.personaId)
    await this.putOwn()
  }

  /** Puts the own cards to their stores, where they are not. */
  async putOwn(): Promise<void> {
    const own = this.#options.keeper.onDisk.own.get(OWN)
    if (own !== undefined) await this.putCards(own.personaId)
  }

  /** Also for the last cards of a persona that was left. */
  async putCards(personaId: string): Promise<void> {
    for (const app of this.#known(personaId).cards.keys()) await this.putCard(personaId, app)
  }

  /** Puts one card to its stores, where it is not. */
  async putCard(personaId: string, app: string): Promise<void> {
    const card = this.#known(personaId).cards.get(app)
    const urls = card === undefined ? [] : placesIn(card)
    const put = async (url: string): Promise<void> => await this.#putOne(url, personaId, app)
    await Promise.all(urls.map(async (url) => await this.#try('card.put', async () => await put(url))))
  }

  /** Puts a card to a relay that lacks it, or has lost it. @throws {RelayError} as putCard() {CustodyError} APPS_LOCKED */
  async putTo(url: string, app: string, personaId: string): Promise<void> {
    this.#put.delete(`${url} ${app}`)
    await this.#putOne(url, personaId, app)
  }

  /** The stores that do not have the cards of a persona as they are now. */
  notPut(personaId: string): { readonly url: string; readonly app: string }[] {
    return [...this.#known(personaId).cards].flatMap(([app, card]) =>
      placesIn(card)
        .filter((url) => this.#put.get(`${url} ${app}`) !== card.text)
        .map((url) => ({ url, app })),
    )
  }

  /** The stores that do not give an own card that they took. */
  get lost(): readonly LostCard[] {
    return [...this.#lost.values()]
  }

  async #readOne(url: string, known: KnownCards, app: string, isWanted: boolean): Promise<void> {
    const put = this.#put.get(`${url} ${app}`)
    const answer = await this.#try('card.get', async () => ({
      found: await this.#options.stores.get(url, this.#placeOf(known, app)),
    }))
    if (answer === null) return
    const card = answer.found === null ? null : this.#options.reader.read(answer.found)
    // A store may give any card. Only the one that was asked for is of use.
    if (card !== null && card.app === app && formatHex(card.chain.personaId) === known.personaId)
      await this.#options.take(card.text, isWanted)
    if (put !== undefined && known.personaId === this.#options.keeper.onDisk.own.get(OWN)?.personaId)
      this.#noteReadBack({ url, app }, put, answer.found)
  }

  /** A store that was set back by its operator, or lies, gets the card once more. @param put the card that it took @param found the one that it gives */
  #noteReadBack(at: LostCard, put: string, found: string | null): void {
    const name = `${at.url} ${at.app}`
    if (found === put) return void this.#lost.delete(name)
    const own = this.#options.keeper.onDisk.own.get(OWN)
    const counts = own === undefined ? undefined : this.#known(own.personaId).cards.get(at.app)?.text
    // A later card has taken its place, or was put meanwhile.
    if (counts !== put || this.#put.get(name) !== put) return
    this.#put.delete(name)
    this.#lost.set(name, at)
  }

  async #putOne(url: string, personaId: string, app: string): Promise<void> {
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const known = this.#known(personaId)
      const text = known.cards.get(app)?.text
      if (text === undefined || this.#put.get(`${url} ${app}`) === text) return
      const at = this.#placeOf(known, app)
      const answer = await this.#call(url, at, text)
      if (answer.outcome === 'kept') {
        await this.#putOpenly(url, personaId, app, text)
        return void this.#put.set(`${url} ${app}`, text)
      }
      if (answer.card == null) return
      // A sibling was faster, or somebody signs with the key. The next own card comes after theirs.
      await this.#options.take(answer.card, false)
      if (this.#known(personaId).cards.get(app)?.text === text) return
    }
  }

  /** Whoever wants the same card there at this moment shares the call. */
  async #call(url: string, at: string, text: string): Promise<Put> {
    const name = `${url} ${text}`
    const call = this.#calls.get(name) ?? this.#options.stores.put(url, at, text)
    this.#calls.set(name, call)
    return await call.finally(() => this.#calls.delete(name))
  }

  /** A persona that announces to everybody is found by everybody. */
  async #putOpenly(url: string, persona: string, app: string, text: string): Promise<void> {
    const { keeper, stores, tokenFor } = this.#options
    const record = keeper.onDisk.personas.get(persona)
    const sign = tokenFor(app, text)
    if (record === undefined || sign === null || kindIn(record, keeper) !== 'public') return
    await this.#try('card.put', async () => await stores.putOpenly(url, { persona, app }, text, sign))
  }

  /** The card of a peer takes nobody to the network who uses no relay, neither for all apps nor for one. */
  #isInUse(): boolean {
    const own = this.#options.keeper.onDisk.own.get(OWN)
    const cards = own === undefined ? [] : [...this.#known(own.personaId).cards.values()]
    return this.#options.stores.isInUse() || cards.some((card) => placesIn(card).length > 0)
  }

  #known(personaId: string): KnownCards {
    return knownCards(personaId, this.#options.keeper.onDisk, this.#options.reader)
  }

  #placeOf({ root, personaId }: KnownCards, app: string): string {
    return cardAt(root!, storedBytes(personaId), app, this.#options.keeper.engine)
  }

  /** The relays where the card of a persona may lie: those that it names, those that the persona's table names, and these. */
  #placesOf(personaId: string, card: VerifiedCard | undefined, alsoAt: readonly string[] = []): string[] {
    const { onDisk, engine } = this.#options.keeper
    const persona = onDisk.personas.get(currentId(personaId, onDisk))
    const hosts = persona === undefined ? [] : storesIn(persona, { engine })
    return [...new Set([...(card === undefined ? [] : placesIn(card)), ...hosts, ...alsoAt])].slice(0, MAX_PLACES)
  }

  async #try<T>(event: string, work: () => Promise<T>): Promise<T | null> {
    try {
      return await work()
    } catch (error) {
      // The next round tries again.
      this.#options.log.debug(event, describeError(error))
      return null
    }
  }
}

/** A card lies at its stores, and at its inboxes: these ask for it. */
function placesIn({ stores, inboxes }: VerifiedCard): string[] {
  return [...new Set([...stores, ...inboxes])]
}
