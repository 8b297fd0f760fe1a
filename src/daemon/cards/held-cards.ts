/** Cards at work: judges and keeps those of peers, signs the own ones, and tells the wings when one may have changed (docs/card.md). */
import { isExpired } from '../../card/verify.ts'
import type { Identity } from '../../channel/handshake/message.ts'
import type { CardFacts } from '../../channel/handshake/peer.ts'
import { equalBytes } from '../../core/encoding/bytes.ts'
import type { DaemonEvent } from '../../ipc/methods/events.ts'
import type { CardsMethods } from '../../ipc/methods/cards.ts'
import type { Handlers } from '../../ipc/methods/method.ts'
import type { Finding } from '../../ipc/shapes/doctor.ts'
import type { Unreached } from '../../ipc/shapes/rotation.ts'
import { describeError } from '../../process/describe-error.ts'
import type { Log } from '../../process/log.ts'
import type { Clock } from '../../process/pulse.ts'
import type { Keeper } from '../keeper/keeper.ts'
import type { SealedRecords } from '../sealed/records.ts'
import { OWN } from '../state/own-record.ts'
import type { Cards, Standing } from './cards.ts'
import { putLastCards, signLastCards } from './farewell.ts'
import { cardChecks, ownFindings } from './findings.ts'
import { knownCards, personaOf, standingIn, verdictOn } from './known.ts'
import { cardHandlers } from './methods.ts'
import { OwnCards } from './own-cards.ts'
import type { CardReader } from './read-card.ts'
import { CARDS } from './records.ts'
import { StoreRounds, type CardStores, type StoresOptions } from './stores.ts'
import { noteEpoch, settleArrived, takeCard } from './take-card.ts'

type Listener = (personaId: string, app: string) => void

const ROUND_MS = 3_600_000 // format: the own cards are read back hourly
const ROUNDS_A_DAY = 24 // format: those of peers daily, and whenever their table moves

export interface HeldCardsOptions {
  readonly keeper: Keeper
  readonly reader: CardReader
  readonly sealed: SealedRecords
  /** null without a way to the network: then cards come by channels alone. */
  readonly stores: CardStores | null
  readonly clock: Clock
  readonly log: Log
}

export class HeldCards implements Cards {
  readonly #options: HeldCardsOptions
  readonly #own: OwnCards
  readonly #rounds: StoreRounds | null
  readonly #listeners = new Set<Listener>()
  #ends: (() => void)[] = []
  #round = 0
  #isClosed = false
  /** The own persona as it was last seen here: once it is left, its last cards go to their stores. */
  #lastOwnId: string | null = null
  readonly #running = new Set<Promise<void>>()

  constructor(options: HeldCardsOptions) {
    this.#options = options
    this.#own = new OwnCards(options.keeper, options.reader, options.sealed)
    const { stores } = options
    const tokenFor: StoresOptions['tokenFor'] = (app, body) => this.#own.tokenFor(app, body)
    const means = { ...options, take: (card: string) => this.take(card), tokenFor }
    this.#rounds = stores === null ? null : new StoreRounds({ ...means, stores })
  }

  /** Judges what a snapshot brought, notes epochs that ended while a crash kept this from it, and begins the rounds. */
  async start(): Promise<void> {
    this.#lastOwnId = this.#ownId
    await this.#sweep()
    this.#ends = [this.#options.sealed.key.whenOpened(() => this.#later(() => this.#update()))]
    this.#again()
  }

  /** Ends the rounds. Resolves once nothing of them runs. */
  async close(): Promise<void> {
    this.#isClosed = true
    for (const end of this.#ends) end()
    this.#listeners.clear()
    await this.idle()
  }

  /** Resolves once nothing runs, also when work was added meanwhile. */
  async idle(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running)
  }

  handlers(): Handlers<CardsMethods> {
    const { keeper, reader } = this.#options
    return cardHandlers({ keeper, reader, own: this.#own, signed: () => this.#signed() })
  }

  /** For `status`. */
  findings(): Finding[] {
    return ownFindings(this.#own.waiting, (app) => this.#own.isFull(app))
  }

  /** For `doctor`. */
  async checks(): Promise<Finding[]> {
    return [...this.findings(), ...(await cardChecks(this.#options.keeper, this.#options.reader))]
  }

  /** Those of the own persona. */
  get mine(): OwnCards {
    return this.#own
  }

  async identity(app: string): Promise<Identity | null> {
    const before = this.own(app)
    const identity = await this.#own.identity(app)
    if (identity !== null && identity.card !== before) this.#signed()
    return identity
  }

  readonly judge = (text: string, app: string): CardFacts | null => {
    const { keeper, reader } = this.#options
    const card = reader.read(text)
    if (card === null || card.app !== app || isExpired(card, keeper.nowSec)) return null
    const { verdict } = verdictOn(card, knownCards(personaOf(card), keeper.onDisk, reader))
    // The alarm needs a change.
    if (verdict === 'disputed') this.#later(() => this.take(text))
    if (verdict === 'disputed' || verdict === 'ended' || verdict === 'held') return null
    // An older card is good here: a device may not know what its sibling signed. Its standing tells whether it is still listed.
    const { chain, devices } = card
    return { personaId: chain.personaId, epoch: chain.epoch, deviceKeys: devices.map(({ sig }) => sig) }
  }

  meet(text: string): void {
    const { keeper, reader } = this.#options
    const card = reader.read(text)
    if (card === null) return
    const { isNews } = takeCard(card, true, keeper.state, reader)
    if (isNews) this.#later(() => this.#tellOnceDurable(personaOf(card)))
  }

  async take(text: string): Promise<void> {
    const { keeper, reader } = this.#options
    const card = reader.read(text)
    if (card === null) return
    const personaId = personaOf(card)
    const isNews = await keeper.change(() => {
      const { isNews: isTaken } = takeCard(card, false, keeper.state, reader)
      this.#own.noteReadBack(card)
      return isTaken
    })
    if (!isNews) return
    if (personaId === this.#ownId && !this.#isClosed) await this.#update()
    this.#tell(personaId)
  }

  standing(personaId: string, app: string, deviceKey: Uint8Array): Standing {
    const { keeper, reader } = this.#options
    return standingIn(personaId, app, deviceKey, { records: keeper.onDisk, nowSec: keeper.nowSec, reader })
  }

  newest(personaId: string, app: string): string | null {
    return knownCards(personaId, this.#options.keeper.onDisk, this.#options.reader).cards.get(app)?.text ?? null
  }

  unseenBy(personaId: string, app: string, deviceKey: Uint8Array): string | null {
    const { keeper, reader } = this.#options
    const card = knownCards(personaId, keeper.onDisk, reader).cards.get(app)
    // Whoever signs a card writes their own entry last.
    const signer = card?.devices.at(-1)?.sig
    return card === undefined || (signer !== undefined && equalBytes(signer, deviceKey)) ? null : card.text
  }

  own(app: string): string | null {
    return this.#ownId === null ? null : this.newest(this.#ownId, app)
  }

  onChanged(run: Listener): () => void {
    this.#listeners.add(run)
    return () => void this.#listeners.delete(run)
  }

  onEvent({ event, data }: DaemonEvent): void {
    if (event === 'contact.changed' && data.contact.personaId !== null) {
      this.#moved(data.contact.personaId)
      this.#leave(data.contact.personaId)
    }
    if (event === 'contact.replaced') this.#moved(data.personaId)
    if (event === 'locked' && !data.locked) this.#later(() => this.#update())
    if (event === 'own.changed') {
      if (data.cause === 'import') this.#later(() => this.#sweep())
      this.#lastOwnId = data.table.personaId
      this.#moved(data.table.personaId)
      this.#later(() => this.#update())
    }
  }

  /** Puts the own cards to their stores now, where they are not. */
  async putNow(): Promise<void> {
    await this.#rounds?.putOwn()
  }

  /**
   * The owner has left the persona, or is about to erase everything. No card lists this device from now on. It never rejects.
   * @returns the cards that still do somewhere
   */
  async farewell(): Promise<Unreached[]> {
    const { keeper, reader, clock } = this.#options
    const personaId = this.#ownId ?? this.#lastOwnId
    if (personaId === null) return []
    const isErasing = this.#ownId !== null
    // Nothing puts this device back meanwhile.
    this.#isClosed ||= isErasing
    const unsigned = isErasing ? await signLastCards(keeper, reader) : []
    return await putLastCards({ personaId, unsigned, rounds: this.#rounds, clock })
  }

  /** Signs what is due, and puts it to the stores. */
  async #update(): Promise<void> {
    if ((await this.#own.update()) && this.#ownId !== null) this.#tell(this.#ownId)
    await this.#rounds?.putOwn()
  }

  /** A card of the own persona was signed. */
  #signed(): void {
    if (this.#ownId !== null) this.#tell(this.#ownId)
    this.#later(async () => await this.#rounds?.putOwn())
  }

  get #ownId(): string | null {
    return this.#options.keeper.onDisk.own.get(OWN)?.personaId ?? null
  }

  /** The own persona was left, and is a contact now. */
  #leave(personaId: string): void {
    if (personaId !== this.#lastOwnId || this.#ownId !== null) return
    this.#later(async () => await this.#rounds?.putCards(personaId))
  }

  /** The table of a persona may have moved on. */
  #moved(personaId: string): void {
    const { keeper, reader } = this.#options
    if (keeper.onDisk.of(CARDS).get(personaId) === undefined) return
    this.#later(async () => {
      const isNews = await keeper.change(() => noteEpoch(personaId, keeper.state, reader))
      this.#tell(personaId)
      // Its owner has rotated, so there may be a new card.
      if (isNews && personaId !== this.#ownId) await this.#rounds?.read(personaId)
    })
  }

  #again(): void {
    this.#ends[1]?.()
    this.#ends[1] = this.#options.clock.after(ROUND_MS, () => {
      this.#again()
      this.#later(() => this.#nextRound())
    })
  }

  async #nextRound(): Promise<void> {
    await this.#update()
    await this.#rounds?.refreshOwn()
    if (++this.#round % ROUNDS_A_DAY !== 0) return
    for (const personaId of await this.#personas()) if (personaId !== this.#ownId) await this.#rounds?.read(personaId)
  }

  async #personas(): Promise<string[]> {
    const ids: string[] = []
    for await (const [personaId] of this.#options.keeper.onDisk.of(CARDS).iterate()) ids.push(personaId)
    return ids
  }

  async #sweep(): Promise<void> {
    const { keeper, reader } = this.#options
    for (const personaId of await this.#personas()) {
      const isNews = await keeper.change(() => {
        const hasArrived = settleArrived(personaId, keeper.state, reader)
        return noteEpoch(personaId, keeper.state, reader) || hasArrived
      })
      if (isNews) this.#tell(personaId)
    }
  }

  /** Called inside of a change. */
  async #tellOnceDurable(personaId: string): Promise<void> {
    await Promise.resolve()
    // A change without writes ends when all before it are on disk.
    await this.#options.keeper.change(() => {})
    this.#tell(personaId)
  }

  #tell(personaId: string): void {
    // An own card that lacks this device would stop its channels. A later one that has it follows.
    const waits = personaId === this.#ownId ? this.#own.waiting.filter(({ due }) => due === 'entry') : []
    const cards = this.#options.keeper.onDisk.of(CARDS).get(personaId)?.cards ?? []
    for (const { app } of cards.filter((card) => !waits.some((waiting) => waiting.app === card.app)))
      for (const listener of this.#listeners) listener(personaId, app)
  }

  /** Runs work that no caller waits for. A store that fails stops the daemon by itself. */
  #later(work: () => Promise<void>): void {
    if (this.#isClosed) return
    const running = work()
      .catch((error: unknown) => this.#options.log.warn('cards.failed', describeError(error)))
      .finally(() => this.#running.delete(running))
    this.#running.add(running)
  }
}
