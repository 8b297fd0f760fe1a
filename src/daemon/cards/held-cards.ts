/** Cards at work: judges and keeps those of peers, signs the own ones, and tells the wings when one may have changed (docs/card.md). */
import type { VerifiedCard } from '../../card/verify.ts'
import type { Identity } from '../../channel/handshake/message.ts'
import { equalBytes } from '../../core/encoding/bytes.ts'
import type { DaemonEvent } from '../../ipc/methods/events.ts'
import type { CardsMethods } from '../../ipc/methods/cards.ts'
import type { Handlers } from '../../ipc/methods/method.ts'
import type { Finding } from '../../ipc/shapes/doctor.ts'
import type { Unreached } from '../../ipc/shapes/rotation.ts'
import type { Log } from '../../process/log.ts'
import { within, type Clock } from '../../process/pulse.ts'
import { SharedWork } from '../../process/serial.ts'
import type { Keeper } from '../keeper/keeper.ts'
import type { SealedRecords } from '../sealed/records.ts'
import { OWN } from '../state/own-record.ts'
import { CardLooks } from './card-looks.ts'
import type { AppDevice, Cards, FindOptions, OwnPlaces } from './cards.ts'
import { putLastCards, signLastCards } from './farewell.ts'
import { formerDevice } from './former-device.ts'
import { cardChecks, lostCard, ownFindings } from './findings.ts'
import { countingCard, knownCards, standingIn, type Standing } from './kept/known.ts'
import { Later } from './later.ts'
import { cardHandlers } from './methods.ts'
import { usedApps } from './own-record.ts'
import { OwnCards } from './own-cards.ts'
import { ownDevicesIn } from './own-devices.ts'
import type { CardReader } from './kept/read-card.ts'
import { CARDS } from './kept/records.ts'
import { StoreRounds, type CardStores, type StoresOptions } from './stores.ts'
import { TakenCards, type CardListener } from './taken-cards.ts'

const ROUND_MS = 3_600_000 // format: the own cards are read back hourly
const SHOW_MS = 3000 // sanity: a relay that works answers within a second, and an app that opens its inbox waits
const CATCH_UP_MS = 1000 // sanity: a relay that works answers sooner, and an app that sends waits
const SIBLINGS_MS = 60_000 // sanity: siblings that signed at the same time have put their cards, and one of them has taken the place of the others
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
  readonly #taken: TakenCards
  readonly #rounds: StoreRounds | null
  readonly #looks: CardLooks
  readonly #work: Later
  readonly #signing: SharedWork
  #ends: (() => void)[] = []
  #round = 0
  /** The own persona as it was last seen here: after the owner has left it, its last cards go to their stores. */
  #lastOwnId: string | null = null

  constructor(options: HeldCardsOptions) {
    this.#options = options
    this.#work = new Later(options.log)
    this.#own = new OwnCards({ ...options, signed: () => this.#signed() })
    this.#signing = new SharedWork(async () => {
      if ((await this.#own.update()) && this.#ownId !== null) this.#taken.tell(this.#ownId)
    })
    const { keeper, reader, stores } = options
    const ownCame = (): Promise<void> => this.#update()
    this.#taken = new TakenCards({ keeper, reader, own: this.#own, work: this.#work, ownCame })
    const tokenFor: StoresOptions['tokenFor'] = (app, body) => this.#own.tokenFor(app, body)
    const take: StoresOptions['take'] = (card, isWanted) => this.#taken.take(card, isWanted)
    this.#rounds = stores === null ? null : new StoreRounds({ ...options, stores, take, tokenFor })
    this.#looks = new CardLooks({ ...options, rounds: this.#rounds })
  }

  /** Judges what a snapshot brought, notes epochs that ended while a crash kept this from it, and begins the rounds. */
  async start(): Promise<void> {
    this.#lastOwnId = this.#ownId
    await this.#taken.sweep()
    this.#ends = [this.#options.sealed.key.whenOpened(() => this.#work.run(() => this.#update()))]
    this.#again()
  }

  /** Ends the rounds. Resolves once nothing of them runs. */
  async close(): Promise<void> {
    this.#work.close()
    for (const end of this.#ends) end()
    this.#taken.close()
    await this.idle()
  }

  /** Resolves once nothing runs, also when work was added meanwhile. */
  async idle(): Promise<void> {
    await this.#work.idle()
  }

  handlers(): Handlers<CardsMethods> {
    const { keeper, reader } = this.#options
    return cardHandlers({ keeper, reader, own: this.#own })
  }

  /** For `status`. */
  findings(): Finding[] {
    const findings = ownFindings(this.#own.waiting, (app) => this.#own.isFull(app), this.#own.overruled)
    return [...findings, ...(this.#rounds?.lost ?? []).map(lostCard)]
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
    return await this.#own.identity(app)
  }

  async device(app: string): Promise<AppDevice | null> {
    return await this.#own.device(app)
  }

  get apps(): readonly string[] {
    return usedApps(this.#options.keeper.onDisk)?.record.apps.map(({ app }) => app) ?? []
  }

  deviceNow(app: string): AppDevice | null {
    return this.#own.deviceNow(app)
  }

  get isCopied(): boolean {
    return this.#own.isCopied
  }

  deviceAs(app: string, personaId: string | null = this.#ownId ?? this.#lastOwnId): AppDevice | null {
    if (personaId === null || personaId === this.#ownId) return this.deviceNow(app)
    return formerDevice(personaId, app, this.#options)
  }

  async find(personaId: string, app: string, options?: FindOptions): Promise<VerifiedCard | null> {
    return await this.#looks.find(personaId, app, options)
  }

  counting(personaId: string, app: string): VerifiedCard | null {
    const { keeper, reader } = this.#options
    return countingCard(personaId, app, keeper.onDisk, reader)
  }

  async putTo(url: string, app: string, personaId: string): Promise<void> {
    await this.#rounds?.putTo(url, app, personaId)
  }

  async show(app: string): Promise<void> {
    await this.#waitFor(SHOW_MS, async (personaId) => await this.#rounds?.putCard(personaId, app))
  }

  async catchUp(app: string, alsoAt: readonly string[]): Promise<void> {
    await this.#waitFor(CATCH_UP_MS, async (personaId) => void (await this.#looks.find(personaId, app, { alsoAt })))
  }

  placesOf(app: string): OwnPlaces {
    return this.#own.placesOf(app)
  }

  async setInboxes(app: string, inboxes: readonly string[]): Promise<void> {
    await this.#own.setInboxes(app, inboxes)
  }

  async setStores(app: string, stores: readonly string[]): Promise<void> {
    await this.#own.setStores(app, stores)
  }

  readonly judge: Cards['judge'] = (text, app) => this.#taken.judge(text, app)

  meet(text: string): void {
    this.#taken.meet(text)
  }

  async take(text: string): Promise<void> {
    await this.#taken.take(text)
  }

  standing(personaId: string, app: string, deviceKey: Uint8Array): Standing {
    const { keeper, reader } = this.#options
    return standingIn(personaId, app, deviceKey, { records: keeper.onDisk, nowSec: keeper.nowSec, reader })
  }

  ownDevices(app: string): ReadonlyMap<string, string> {
    const { keeper, reader } = this.#options
    return ownDevicesIn(app, { records: keeper.onDisk, reader, engine: keeper.engine })
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

  onChanged(run: CardListener): () => void {
    return this.#taken.onChanged(run)
  }

  onEvent({ event, data }: DaemonEvent): void {
    if (event === 'contact.changed' && data.contact.personaId !== null) this.#moved(data.contact.personaId)
    if (event === 'contact.replaced') this.#moved(data.personaId)
    if (event === 'locked' && !data.locked) this.#work.run(() => this.#update())
    if (event === 'own.changed') {
      if (data.cause === 'import') this.#work.run(() => this.#taken.sweep())
      this.#lastOwnId = data.table.personaId
      this.#moved(data.table.personaId)
      this.#work.run(() => this.#update())
    }
  }

  /**
   * The owner has left the persona, or is about to erase everything. No card lists this device from now on, so the wings say farewell before. It
   * never rejects.
   * @returns the cards that still do somewhere
   */
  async farewell(): Promise<Unreached[]> {
    const { keeper, reader, clock } = this.#options
    const personaId = this.#ownId ?? this.#lastOwnId
    if (personaId === null) return []
    const isErasing = this.#ownId !== null
    // Nothing puts this device back meanwhile.
    if (isErasing) this.#work.close()
    const unsigned = isErasing ? await signLastCards(keeper, reader) : []
    return await putLastCards({ personaId, unsigned, rounds: this.#rounds, clock })
  }

  /** Resolves once work for the own persona has ended, or its time is over: then it goes on. */
  async #waitFor(ms: number, work: (personaId: string) => Promise<void>): Promise<void> {
    const personaId = this.#ownId
    if (personaId === null || this.#work.isClosed) return
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#work.run(async () => await work(personaId).finally(resolve))
    await within(this.#options.clock, ms, promise)
  }

  /** Signs what is due, and puts it to the stores. */
  async #update(): Promise<void> {
    await this.#signing.ask()
    await this.#rounds?.putOwn()
  }

  /** A card of the own persona was signed. */
  #signed(): void {
    if (this.#ownId !== null) this.#taken.tell(this.#ownId)
    this.#work.run(async () => await this.#rounds?.putOwn())
    this.#ends[2]?.()
    this.#ends[2] = this.#options.clock.after(SIBLINGS_MS, () =>
      this.#work.run(async () => await this.#rounds?.refreshOwn()),
    )
  }

  get #ownId(): string | null {
    return this.#options.keeper.onDisk.own.get(OWN)?.personaId ?? null
  }

  /** The table of a persona may have moved on. */
  #moved(personaId: string): void {
    if (this.#options.keeper.onDisk.of(CARDS).get(personaId) === undefined) return
    this.#work.run(async () => {
      const isNews = await this.#taken.noteMoved(personaId)
      // Its owner has rotated, so there may be a new card.
      if (isNews && personaId !== this.#ownId) await this.#rounds?.read(personaId)
    })
  }

  #again(): void {
    this.#ends[1]?.()
    this.#ends[1] = this.#options.clock.after(ROUND_MS, () => {
      this.#again()
      this.#work.run(() => this.#nextRound())
    })
  }

  async #nextRound(): Promise<void> {
    await this.#update()
    await this.#rounds?.refreshOwn()
    if (++this.#round % ROUNDS_A_DAY !== 0) return
    for (const personaId of await this.#taken.personas())
      if (personaId !== this.#ownId) await this.#rounds?.read(personaId)
  }
}
