/** The cards of the own persona at work: keys and card at first use, new keys each week, and what the owner should know (docs/card.md, section 5). */
import type { VerifiedCard } from '../../card/verify.ts'
import { isExpired } from '../../card/verify.ts'
import type { Identity } from '../../channel/handshake/message.ts'
import { formatRead, READ_BYTES } from '../../core/announce/settings.ts'
import { isAppName } from '../../core/encoding/app-name.ts'
import { encodeUtf8, formatHex } from '../../core/encoding/bytes.ts'
import type { TokenTarget } from '../../relay/cards.ts'
import { TableError } from '../../core/errors.ts'
import type { Keeper } from '../keeper/keeper.ts'
import { isUnlisted } from '../own/notes.ts'
import type { SealedRecords } from '../sealed/records.ts'
import { storedBytes } from '../state/records.ts'
import { ownOf } from '../state/view.ts'
import { deviceToken } from './device-token.ts'
import { APP_KEYS, drawKeys, renewKeys, signAs, type AppKeys } from './app-keys.ts'
import { full, noneFor, takenOut, tooMany } from './errors.ts'
import { knownCards, listsKey, personaOf } from './known.ts'
import { dueOf, type Due } from './own-due.ts'
import { appOf, ownApps, ownAppsNow, putOwnApps, withApp, type OwnState } from './own-record.ts'
import type { CardReader } from './read-card.ts'
import { CARDS, MAX_APPS, type OwnApp, type OwnAppsRecord } from './records.ts'
import { hasRoom, maySign, ownEntry, sign, signDue, type SigningMeans } from './sign-own.ts'

export class OwnCards {
  readonly #keeper: Keeper
  readonly #reader: CardReader
  readonly #sealed: SealedRecords

  constructor(keeper: Keeper, reader: CardReader, sealed: SealedRecords) {
    this.#keeper = keeper
    this.#reader = reader
    this.#sealed = sealed
  }

  /** See Cards.identity(). */
  async identity(app: string): Promise<Identity | null> {
    if (!isAppName(app)) throw new RangeError(`${JSON.stringify(app)} is not the name of an app`)
    if (ownOf(this.#keeper.onDisk) === null) return null
    this.#sealed.key.require()
    if (this.#ready(app) === null) {
      await this.#ensureRead()
      await this.#keeper.change(() => this.#ensure(app))
    }
    const card = this.#ready(app)
    // The persona may have been left meanwhile.
    if (card === null) return null
    return { card: card.text, sign: (message) => signAs(this.#keysOf(app), message, this.#keeper.engine) }
  }

  /**
   * Makes device tokens for requests with this body.
   * @returns null where this device uses no such app, or the apps key is closed
   */
  tokenFor(app: string, body: string): ((to: TokenTarget, nowSec: number) => string) | null {
    const { onDisk, engine } = this.#keeper
    const now = ownOf(onDisk)
    const record = now === null ? undefined : ownApps(now, onDisk)
    const known = record === undefined ? undefined : appOf(record, app)
    const keys = known === undefined || !this.#sealed.key.isOpen ? undefined : this.#sealed.onDisk(APP_KEYS).get(app)
    if (record === undefined || known === undefined || keys === undefined) return null
    const of = { personaId: storedBytes(record.personaId), app, deviceKey: storedBytes(known.sig), to: null }
    const bodyHash = engine.sha256(encodeUtf8(body))
    return (to, nowSec) => deviceToken(of, { ...to, bodyHash }, keys, nowSec, engine)
  }

  /** Signs what is due, with new keys where they are a week old. The rest waits: see {@link waiting}. @returns whether it signed any */
  async update(): Promise<boolean> {
    const restored = await this.#restoredApps()
    const isDue = this.#duesNow().some(({ due }) => due !== 'no' && due !== 'asks')
    if (restored.length === 0 && !isDue && !this.#isOld) return false
    return await this.#keeper.change(() => {
      const now = ownOf(this.#keeper.state.records)
      if (now === null || !maySign(now, this.#means)) return false
      const cards = this.#keeper.state.of(CARDS)
      const before = cards.get(now.own.personaId)
      let record = this.#withFreshKeys(now, ownAppsNow(now, this.#keeper.state.records, this.#keeper))
      if (this.#sealed.key.isOpen)
        for (const app of restored)
          if (appOf(record, app) === undefined) record = withApp(record, this.#newApp(app, record))
      putOwnApps(record, this.#keeper.state)
      signDue(now, record, [], this.#means)
      return cards.get(now.own.personaId) !== before
    })
  }

  /** Apps of before a restore. Their keys came with the backup, and the cards list them: they get new ones. */
  async #restoredApps(): Promise<string[]> {
    const { onDisk } = this.#keeper
    const now = ownOf(onDisk)
    if (now === null || !this.#sealed.key.isOpen || now.own.restoredSec !== null) return []
    const used = new Set(ownApps(now, onDisk)?.apps.map(({ app }) => app))
    const ids = await Array.fromAsync(this.#sealed.onDisk(APP_KEYS).ids())
    return ids.filter((app) => !used.has(app)).slice(0, MAX_APPS - used.size)
  }

  /** Each app of this device, and why its card waits. */
  get waiting(): readonly { readonly app: string; readonly due: Due }[] {
    return this.#duesNow().filter(({ due }) => due !== 'no')
  }

  /** Whether the card of an app has no room for this device. */
  isFull(app: string): boolean {
    const { onDisk, engine } = this.#keeper
    const now = ownOf(onDisk)
    const record = now === null ? undefined : ownApps(now, onDisk)
    return now !== null && record !== undefined && !hasRoom(now, record, this.#headOf(app, now), engine)
  }

  /** Whether the owner put this state back, and the keys of before are still to be replaced. */
  get #isOld(): boolean {
    const now = ownOf(this.#keeper.onDisk)
    return now !== null && ownApps(now, this.#keeper.onDisk)?.isOld === true
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
    await this.#change(app, (known) => ({ ...known, stores }))
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
  }

  get #means(): SigningMeans {
    const { state, custody } = this.#keeper
    return { state, custody, reader: this.#reader }
  }

  /** The card on disk, if this device can show it as it is. */
  #ready(app: string): VerifiedCard | null {
    const { onDisk, nowSec } = this.#keeper
    const now = ownOf(onDisk)
    if (now === null || !isGoodStanding(now)) return null
    const record = ownApps(now, onDisk)
    const known = record === undefined ? undefined : appOf(record, app)
    if (record === undefined || record.isOld || known === undefined) return null
    const card = this.#headOf(app, now)
    if (card === null || isExpired(card, nowSec)) return null
    // A sealed record that no key here opens is lost.
    if (this.#sealed.onDisk(APP_KEYS).get(app) === undefined) return null
    const due = dueOf(card, ownEntry(known, now, record, this.#keeper.engine), known, now.own.epoch, nowSec)
    return due === 'no' || due === 'time' ? card : null
  }

  #headOf(app: string, { own }: OwnState): VerifiedCard | null {
    return knownCards(own.personaId, this.#keeper.onDisk, this.#reader).cards.get(app) ?? null
  }

  #duesNow(): { app: string; due: Due }[] {
    const { onDisk, engine, nowSec } = this.#keeper
    const now = ownOf(onDisk)
    const record = now === null ? undefined : ownApps(now, onDisk)
    if (now === null || record === undefined) return []
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
    let record = this.#withFreshKeys(now, ownAppsNow(now, state.records, state))
    if (appOf(record, app) === undefined) record = withApp(record, this.#newApp(app, record))
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

  #newApp(app: string, record: OwnAppsRecord): OwnApp {
    const { state, engine } = this.#keeper
    if (record.apps.length >= MAX_APPS) throw tooMany()
    const keys = this.#sealed.inChange(APP_KEYS)
    // A backup brought keys of this app: they go on opening.
    const drawn = drawKeys(keys.get(app), state.nowSec, engine)
    keys.put(app, drawn)
    return { app, ...this.#publicHalves(drawn), encSec: state.nowSec, listedAt: null, stores: null }
  }

  /** New keys for apps whose keys are old, while the apps key is open. Inside of a change. */
  #withFreshKeys(now: OwnState, record: OwnAppsRecord): OwnAppsRecord {
    if (!this.#sealed.key.isOpen) return record
    const { state, engine } = this.#keeper
    const keys = this.#sealed.inChange(APP_KEYS)
    const heads = knownCards(record.personaId, state.records, this.#reader).cards
    const apps = record.apps.map((known): OwnApp => {
      const before = keys.get(known.app)
      const head = heads.get(known.app) ?? null
      const due = dueOf(head, ownEntry(known, now, record, engine), known, now.own.epoch, state.nowSec)
      const mustDraw = record.isOld || before === undefined
      if (!mustDraw && due !== 'time') return known
      const drawn = mustDraw ? drawKeys(before, state.nowSec, engine) : renewKeys(before, state.nowSec, engine)
      keys.put(known.app, drawn)
      return { ...known, ...this.#publicHalves(drawn), encSec: state.nowSec }
    })
    return { ...record, apps, isOld: false }
  }

  #publicHalves({ sigSeed, encSecret }: AppKeys): Pick<OwnApp, 'sig' | 'enc'> {
    const { engine } = this.#keeper
    const { publicKey, secretKey } = engine.signKeyPair(sigSeed)
    engine.wipe(secretKey)
    return { sig: formatHex(publicKey), enc: formatHex(engine.boxPublicKey(encSecret)) }
  }

  #keysOf(app: string): AppKeys {
    const keys = this.#sealed.onDisk(APP_KEYS).get(app)
    if (keys === undefined) throw new Error(`the keys of the app ${app} are gone`)
    return keys
  }
}

function isGoodStanding({ own, persona }: OwnState): boolean {
  const isOver = own.restoredSec !== null || (own.succeededBy ?? null) !== null
  return !isOver && own.epoch === persona.epoch && !isUnlisted(own, persona.devices)
}
