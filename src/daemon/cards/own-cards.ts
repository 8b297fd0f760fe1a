/** The cards of the own persona at work: keys and card at first use, new keys each week, and what the owner should know (docs/card.md, section 5). */
import type { VerifiedCard } from '../../card/verify.ts'
import { isExpired } from '../../card/verify.ts'
import type { Identity } from '../../channel/handshake/message.ts'
import { formatRead, READ_BYTES } from '../../core/announce/settings.ts'
import { isAppName } from '../../core/encoding/app-name.ts'
import { encodeUtf8 } from '../../core/encoding/bytes.ts'
import type { TokenTarget } from '../../relay/cards.ts'
import { TableError } from '../../core/errors.ts'
import type { Keeper } from '../keeper/keeper.ts'
import { isUnlisted } from '../own/notes.ts'
import type { SealedRecords } from '../sealed/records.ts'
import { storedBytes } from '../state/records.ts'
import { ownOf } from '../state/view.ts'
import { appDevice } from './app-device.ts'
import type { AppDevice, OwnPlaces } from './cards.ts'
import { full, noneFor, takenOut } from './errors.ts'
import { knownCards, listsKey, personaOf } from './kept/known.ts'
import { dueOf, type Due } from './own-due.ts'
import { OwnKeys } from './own-keys.ts'
import { overruled, samePlaces, say, type Overruled } from './own-places.ts'
import { appOf, ownApps, ownAppsNow, putOwnApps, usedApps, withApp, type OwnState } from './own-record.ts'
import type { CardReader } from './kept/read-card.ts'
import { CARDS, MAX_APPS, type OwnApp } from './kept/records.ts'
import { hasRoom, maySign, ownEntry, sign, signDue, type SigningMeans } from './sign-own.ts'

export interface OwnCardsOptions {
  readonly keeper: Keeper
  readonly reader: CardReader
  readonly sealed: SealedRecords
  /** Called after a card was signed for a caller. */
  readonly signed: () => void
}

export class OwnCards {
  readonly #keeper: Keeper
  readonly #reader: CardReader
  readonly #keys: OwnKeys
  readonly #signed: () => void

  constructor({ keeper, reader, sealed, signed }: OwnCardsOptions) {
    this.#keeper = keeper
    this.#reader = reader
    this.#keys = new OwnKeys(keeper, sealed)
    this.#signed = signed
  }

  /** See Cards.identity(). */
  async identity(app: string): Promise<Identity | null> {
    const device = await this.device(app)
    return device === null ? null : { card: device.card.text, sign: device.sign }
  }

  /** See Cards.device(). */
  async device(app: string): Promise<AppDevice | null> {
    if (!isAppName(app)) throw new RangeError(`${JSON.stringify(app)} is not the name of an app`)
    if (ownOf(this.#keeper.onDisk) === null) return null
    this.#keys.require()
    if (this.#ready(app) === null) {
      await this.#ensureRead()
      await this.#keeper.change(() => this.#ensure(app))
      this.#signed()
    }
    // The persona may have been left meanwhile.
    return this.#ready(app) === null ? null : this.deviceNow(app)
  }

  /** See Cards.deviceNow(). */
  deviceNow(app: string): AppDevice | null {
    const used = usedApps(this.#keeper.onDisk)
    const known = used === null ? undefined : appOf(used.record, app)
    if (used === null || known === undefined || !this.#keys.isOpen) return null
    const card = this.#headOf(app, used.now)
    const keys = this.#keys.of(app)
    return card === null || keys === undefined ? null : appDevice(card, known, keys, this.#keeper.engine)
  }

  /**
   * Makes device tokens for requests with this body.
   * @returns null as {@link deviceNow}
   */
  tokenFor(app: string, body: string): ((to: TokenTarget, nowSec: number) => string) | null {
    const device = this.deviceNow(app)
    if (device === null) return null
    const bodyHash = this.#keeper.engine.sha256(encodeUtf8(body))
    return (to, nowSec) => device.token({ ...to, bodyHash }, nowSec)
  }

  /** Signs what is due, with new keys where they are a week old. The rest waits: see {@link waiting}. @returns whether it signed any */
  async update(): Promise<boolean> {
    const restored = await this.#restoredApps()
    const isDue = this.#duesNow().some(({ due }) => due !== 'no' && due !== 'asks')
    if (restored.length === 0 && !isDue && !this.isCopied) return false
    return await this.#keeper.change(() => {
      const now = ownOf(this.#keeper.state.records)
      if (now === null || !maySign(now, this.#means)) return false
      const cards = this.#keeper.state.of(CARDS)
      const before = cards.get(now.own.personaId)
      let record = this.#keys.refreshed(now, ownAppsNow(now, this.#keeper.state.records, this.#keeper), this.#reader)
      if (this.#keys.isOpen)
        for (const app of restored)
          if (appOf(record, app) === undefined) record = withApp(record, this.#keys.draw(app, record))
      putOwnApps(record, this.#keeper.state)
      signDue(now, record, [], this.#means)
      return cards.get(now.own.personaId) !== before
    })
  }

  /** Apps of before a restore. Their keys came with the backup, and the cards list them: they get new ones. */
  async #restoredApps(): Promise<string[]> {
    const { onDisk } = this.#keeper
    const now = ownOf(onDisk)
    if (now === null || !this.#keys.isOpen || now.own.restoredSec !== null) return []
    const used = new Set(ownApps(now, onDisk)?.apps.map(({ app }) => app))
    const ids = await this.#keys.apps()
    return ids.filter((app) => !used.has(app)).slice(0, MAX_APPS - used.size)
  }

  /** Each app of this device, and why its card waits. */
  get waiting(): readonly { readonly app: string; readonly due: Due }[] {
    return this.#duesNow().filter(({ due }) => due !== 'no')
  }

  /** Each app whose places somebody has changed since the owner named them here. */
  get overruled(): readonly Overruled[] {
    const used = usedApps(this.#keeper.onDisk)
    if (used === null) return []
    return used.record.apps.flatMap((known) => {
      const head = this.#headOf(known.app, used.now)
      if (head === null) return []
      const own = ownEntry(known, used.now, used.record, this.#keeper.engine)
      return overruled(known, own, head).map((places) => ({ app: known.app, places, urls: head[places] }))
    })
  }

  /** Whether the card of an app has no room for this device. */
  isFull(app: string): boolean {
    const { onDisk, engine } = this.#keeper
    const used = usedApps(onDisk)
    return used !== null && !hasRoom(used.now, used.record, this.#headOf(app, used.now), engine)
  }

  /** See Cards.isCopied. */
  get isCopied(): boolean {
    return usedApps(this.#keeper.onDisk)?.record.isOld === true
  }

  /** A card of the own persona was found elsewhere. If it counts and lists this device, nobody can take the device out unnoticed. Inside of a change. */
  noteReadBack(card: VerifiedCard): void {
    const { state } = this.#keeper
    const now = ownOf(state.records)
    if (now === null || personaOf(card) !== now.own.personaId) return
    const record = ownAppsNow(now, state.records, state)
    const known = appOf(record, card.app)
    const head = knownCards(record.personaId, state.records, this.#reader).cards.get(card.app)
    if (known === undefined || head?.text !== card.text || !listsKey(card, storedBytes(known.sig))) return
    putOwnApps(withApp(record, { ...known, listedAt: { epoch: card.chain.epoch, seq: card.seq } }), state)
  }

  /**
   * A card of the own persona was taken from elsewhere. Tells the owner if it names other places, or lacks this device. Inside of a change.
   * @param before the card that counted until then
   */
  noteForeign(before: VerifiedCard): void {
    const { state, own } = this.#keeper
    const record = usedApps(state.records)?.record
    const known = record === undefined ? undefined : appOf(record, before.app)
    if (record === undefined || known === undefined) return
    const head = knownCards(record.personaId, state.records, this.#reader).cards.get(before.app)
    if (head === undefined || head.text === before.text) return
    const sig = storedBytes(known.sig)
    if (!samePlaces(head, before) || (listsKey(before, sig) && !listsKey(head, sig))) own.cardChanged(before.app)
  }

  /**
   * The owner says that this device, which was taken out, belongs into the card.
   * @throws {CardsError} CARD_NONE {CustodyError} LOCKED, and those of OwnPersona.checkSigns()
   */
  async rejoin(app: string): Promise<void> {
    await this.#change(app, (known) => ({ ...known, listedAt: null }))
  }

  /**
   * The owner says where the card of an app lies.
   * @throws as {@link rejoin}
   */
  async setStores(app: string, stores: readonly string[]): Promise<void> {
    await this.#change(app, (known) => say(known, 'stores', stores))
  }

  /**
   * The owner says where they get messages of an app.
   * @throws as {@link rejoin}
   */
  async setInboxes(app: string, inboxes: readonly string[]): Promise<void> {
    await this.#change(app, (known) => say(known, 'inboxes', inboxes))
  }

  /** See Cards.placesOf(). */
  placesOf(app: string): OwnPlaces {
    const used = usedApps(this.#keeper.onDisk)
    const { inboxes = null, stores = null } = (used === null ? undefined : appOf(used.record, app)) ?? {}
    return { inboxes, stores }
  }

  /** Changes how this device stands in an app, and signs the card of it. */
  async #change(app: string, change: (known: OwnApp) => OwnApp): Promise<void> {
    await this.#keeper.change(() => {
      const { own, state, custody } = this.#keeper
      own.checkSigns()
      const now = ownOf(state.records)!
      const before = ownAppsNow(now, state.records, state)
      const known = appOf(before, app)
      if (known === undefined) throw noneFor(app)
      const record = withApp(before, change(known))
      putOwnApps(record, state)
      // Throws while the key is locked.
      custody.signer(now.own.epoch)
      const head = knownCards(record.personaId, state.records, this.#reader).cards.get(app) ?? null
      sign(now, record, app, head, new Set(), this.#means)
    })
    this.#signed()
  }

  get #means(): SigningMeans {
    const { state, custody } = this.#keeper
    return { state, custody, reader: this.#reader }
  }

  /** The card on disk, if this device can show it as it is. */
  #ready(app: string): VerifiedCard | null {
    const { onDisk, nowSec } = this.#keeper
    const used = usedApps(onDisk)
    if (used === null || used.record.isOld || !isGoodStanding(used.now)) return null
    const { now, record } = used
    const known = appOf(record, app)
    if (known === undefined) return null
    const card = this.#headOf(app, now)
    if (card === null || isExpired(card, nowSec)) return null
    // A sealed record that no key here opens is lost.
    if (this.#keys.of(app) === undefined) return null
    const due = dueOf(card, ownEntry(known, now, record, this.#keeper.engine), known, now.own.epoch, nowSec)
    return due === 'no' || due === 'time' || due === 'places' ? card : null
  }

  #headOf(app: string, { own }: OwnState): VerifiedCard | null {
    return knownCards(own.personaId, this.#keeper.onDisk, this.#reader).cards.get(app) ?? null
  }

  #duesNow(): { app: string; due: Due }[] {
    const { onDisk, engine, nowSec } = this.#keeper
    const used = usedApps(onDisk)
    if (used === null) return []
    const { now, record } = used
    const { cards } = knownCards(record.personaId, onDisk, this.#reader)
    return record.apps.map((known) => {
      const head = cards.get(known.app) ?? null
      return { app: known.app, due: dueOf(head, ownEntry(known, now, record, engine), known, now.own.epoch, nowSec) }
    })
  }

  /** Friends compute tags of nobody without `read`: it is made before the first card leaves. Without room for it the table does without. */
  async #ensureRead(): Promise<void> {
    const keeper = this.#keeper
    try {
      await keeper.change(() => {
        keeper.own.checkSigns()
        if (keeper.own.setting('read') !== null) return
        const value = formatRead(keeper.engine.randomBytes(READ_BYTES))
        keeper.own.edit({ kind: 'set', key: 'read', found: null, value })
      })
    } catch (error) {
      if (!(error instanceof TableError) || error.code !== 'TABLE_TOO_LARGE') throw error
    }
  }

  /** Makes keys and card of an app. Inside of a change. */
  #ensure(app: string): void {
    const { own, state, custody, engine } = this.#keeper
    own.checkSigns()
    const now = ownOf(state.records)!
    let record = this.#keys.refreshed(now, ownAppsNow(now, state.records, state), this.#reader)
    if (appOf(record, app) === undefined) record = withApp(record, this.#keys.draw(app, record))
    putOwnApps(record, state)
    // Throws while the key is locked.
    custody.signer(now.own.epoch)
    signDue(now, record, [], this.#means)
    const head = knownCards(record.personaId, state.records, this.#reader).cards.get(app) ?? null
    const known = appOf(record, app)!
    const due = dueOf(head, ownEntry(known, now, record, engine), known, now.own.epoch, state.nowSec)
    if (due === 'asks') throw takenOut(app)
    if (due !== 'no' && !hasRoom(now, record, head, engine)) throw full(app)
  }
}

function isGoodStanding({ own, persona }: OwnState): boolean {
  const isOver = own.restoredSec !== null || (own.succeededBy ?? null) !== null
  return !isOver && own.epoch === persona.epoch && !isUnlisted(own, persona.devices)
}
