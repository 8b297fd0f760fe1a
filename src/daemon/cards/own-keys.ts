/** The keys of this device for its apps: drawn at first use, and drawn anew when they are old (docs/card.md, section 5). */
import type { Keeper } from '../keeper/keeper.ts'
import type { SealedRecords } from '../sealed/records.ts'
import { APP_KEYS, drawKeys, publicHalves, renewKeys, type AppKeys } from './app-keys.ts'
import { tooMany } from './errors.ts'
import { knownCards } from './kept/known.ts'
import { dueOf } from './own-due.ts'
import type { OwnState } from './own-record.ts'
import type { CardReader } from './kept/read-card.ts'
import { MAX_APPS, type OwnApp, type OwnAppsRecord } from './kept/records.ts'
import { ownEntry } from './sign-own.ts'

export class OwnKeys {
  readonly #keeper: Keeper
  readonly #sealed: SealedRecords

  constructor(keeper: Keeper, sealed: SealedRecords) {
    this.#keeper = keeper
    this.#sealed = sealed
  }

  /** Whether the apps key is open. */
  get isOpen(): boolean {
    return this.#sealed.key.isOpen
  }

  /** @throws {CustodyError} APPS_LOCKED */
  require(): void {
    this.#sealed.key.require()
  }

  /** Those on disk; undefined where there are none, and where no key here opens them. @throws {CustodyError} APPS_LOCKED */
  of(app: string): AppKeys | undefined {
    return this.#sealed.onDisk(APP_KEYS).get(app)
  }

  /** The apps that have keys on disk: also those of before a restore. */
  async apps(): Promise<string[]> {
    return await Array.fromAsync(this.#sealed.onDisk(APP_KEYS).ids())
  }

  /** Draws the keys of an app. Inside of a change. @throws {CardsError} CARD_APPS_FULL */
  draw(app: string, record: OwnAppsRecord): OwnApp {
    const { state, engine } = this.#keeper
    if (record.apps.length >= MAX_APPS) throw tooMany()
    const keys = this.#sealed.inChange(APP_KEYS)
    // A backup brought keys of this app: they go on opening.
    const drawn = drawKeys(keys.get(app), state.nowSec, engine)
    keys.put(app, drawn)
    return { app, ...publicHalves(drawn, engine), encSec: state.nowSec, listedAt: null, stores: null, inboxes: null }
  }

  /** New keys for apps whose keys are old, while the apps key is open. Inside of a change. */
  refreshed(now: OwnState, record: OwnAppsRecord, reader: CardReader): OwnAppsRecord {
    if (!this.isOpen) return record
    const { state, engine } = this.#keeper
    const keys = this.#sealed.inChange(APP_KEYS)
    const heads = knownCards(record.personaId, state.records, reader).cards
    const apps = record.apps.map((known): OwnApp => {
      const before = keys.get(known.app)
      const head = heads.get(known.app) ?? null
      const due = dueOf(head, ownEntry(known, now, record, engine), known, now.own.epoch, state.nowSec)
      const mustDraw = record.isOld || before === undefined
      if (!mustDraw && due !== 'time') return known
      const drawn = mustDraw ? drawKeys(before, state.nowSec, engine) : renewKeys(before, state.nowSec, engine)
      keys.put(known.app, drawn)
      return { ...known, ...publicHalves(drawn, engine), encSec: state.nowSec }
    })
    return { ...record, apps, isOld: false }
  }
}
