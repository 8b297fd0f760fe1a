/** The keeper: the one writer of the state. What answers each method of the socket is in handlers-*.ts. */
import { formatHex } from '../../core/bytes.ts'
import { newestSighting, type Policy, type Sighting } from '../../core/trust.ts'
import type { VerifiedBlob } from '../../core/verify.ts'
import type { CryptoEngine } from '../../crypto/engine.ts'
import { judgeText } from '../../ipc/shapes/judgement.ts'
import type { Handlers } from '../../ipc/methods/method.ts'
import type { Methods } from '../../ipc/methods/table.ts'
import type { DaemonEvent } from '../../ipc/shapes/events.ts'
import type { ObservationParams, ObserveResult, VerifyResult } from '../../ipc/shapes/judged.ts'
import type { OwnTable, StatusMessage } from '../../ipc/shapes/own.ts'
import { StoreError } from '../../store/errors.ts'
import { RecordCache } from '../../store/record-cache.ts'
import type { Store } from '../../store/store.ts'
import type { Custody } from '../custody/custody.ts'
import { KeeperError, noPersona } from '../state/errors.ts'
import type { Reader } from '../contacts/find.ts'
import { Apps } from '../apps/sessions.ts'
import { alarmHandlers } from '../methods/alarms.ts'
import { appHandlers, finishRevocations } from '../apps/methods.ts'
import { backupHandlers } from '../snapshot/methods.ts'
import { contactHandlers } from '../methods/contacts.ts'
import { custodyHandlers } from '../methods/custody.ts'
import { entryHandlers } from '../methods/entries.ts'
import { generalHandlers } from '../methods/general.ts'
import { linkHandlers } from '../methods/links.ts'
import { pendingHandlers } from '../methods/pending.ts'
import { ownHandlers } from '../methods/own.ts'
import { pairingHandlers } from '../pairing/methods.ts'
import { rotationHandlers } from '../methods/rotation.ts'
import { siblingHandlers } from '../methods/sibling.ts'
import { judgeAgainst } from '../personas/heads.ts'
import { HeldKeys } from './held-keys.ts'
import { Ledger, type PendingEvent } from '../state/state.ts'
import { observe } from '../contacts/observe.ts'
import { ownTable } from '../own/table.ts'
import type { NumberedTable } from '../own/past-tables.ts'
import { OwnPersona } from '../own/persona.ts'
import { noticeCopy } from './copy-check.ts'
import * as rec from '../state/records.ts'
import { clearArrivals, takeArrivals } from '../snapshot/arrivals.ts'
import type { About } from '../health/status.ts'
import { Turns } from '../../process/turns.ts'
import { clockAt, nameOf, type Clock } from '../state/view.ts'
import { Writer } from '../state/writer.ts'

export interface KeeperOptions {
  readonly store: Store
  readonly custody: Custody
  readonly engine: CryptoEngine
  /** Unix seconds. */
  readonly nowSec: () => number
  /** Sends an event to subscribers; called once what it tells is on disk. */
  readonly publish: (event: DaemonEvent) => void
  /** A write failed and nobody knows what is on disk: the daemon must stop and start again. */
  readonly onStoreFailure: (error: unknown) => void
  /** Where the state lies; null asks nothing. */
  readonly place?: rec.PlaceRecord | null
  /** Of contacts that are met from now on; `auto` when left out. */
  readonly defaultPolicy?: () => Policy
  /** What the daemon around the keeper knows for `status`; its notices come behind those of the keeper. */
  readonly about: () => About
}

/** What the keeper answers; the rest concerns profiles and the companion. */
export type KeeperMethods = Omit<
  Methods,
  'doctor' | 'persona.erase' | (`${'profile' | 'tox'}.${string}` & keyof Methods)
>

export class Keeper {
  readonly #options: KeeperOptions
  /** The state as it is inside of {@link change}. */
  readonly ledger: Ledger
  /** Only inside of {@link change}: what it reads and writes may not be on disk yet. */
  readonly own: OwnPersona
  /** Who is connected. */
  readonly apps: Apps
  /** What was acknowledged, and what every answer is made of. */
  readonly onDisk: rec.Records
  readonly keys: HeldKeys
  readonly #founding = new Turns()
  #handlers: Handlers<KeeperMethods> | null = null

  private constructor(options: KeeperOptions, ledger: Ledger, own: OwnPersona, onDisk: rec.Records) {
    this.#options = options
    this.ledger = ledger
    this.own = own
    this.onDisk = onDisk
    options.custody.watch({
      failed: options.onStoreFailure,
      lockChanged: (locked, cause) => {
        // Not waited for: a failed write of it stops the daemon.
        this.tell({ event: 'locked', data: { locked, cause } }).catch(() => {})
      },
    })
    this.apps = new Apps(onDisk, options.engine, options.nowSec)
    this.keys = new HeldKeys(this, () => own.followed())
  }

  /**
   * Takes up the state as it is on disk, and finishes what a crash left half done.
   * @throws {KeeperError} SECRETS_MISSING | SECRETS_FOREIGN @throws {StoreError}
   */
  static async open(options: KeeperOptions): Promise<Keeper> {
    const { store, custody, engine, nowSec } = options
    const cache = new RecordCache()
    const ledger = new Ledger(new Writer(store, (keys) => cache.forget(keys)), engine, nowSec, options.defaultPolicy)
    const intents = []
    for await (const [, intent] of ledger.records.intents.iterate()) intents.push(intent)
    const past: NumberedTable[] = []
    for await (const table of ledger.records.past.iterate()) past.push(table)
    const persona = new OwnPersona(ledger, custody, intents, past)
    await finishImport(persona, ledger)
    if (ledger.own()?.recent !== undefined) await ledger.change(() => persona.separatePast())
    const own = ledger.own()
    // Crash in the middle of init: the keys were written, the persona was not, and nobody has seen its words.
    if (own === undefined && custody.hasSecrets) await custody.discard()
    if (own !== undefined && !custody.hasSecrets) {
      const hint = 'put the file "secrets" back from a backup'
      throw new KeeperError(
        'SECRETS_MISSING',
        'the store has a persona, but the file with its signing key is gone',
        hint,
      )
    }
    if (own !== undefined) custody.checkKey(own.epoch, own.signingKey)
    if (own?.recoveryConfirmed === true) await custody.forgetSeed()
    const keeper = new Keeper(options, ledger, persona, rec.recordsOf(store, cache))
    await finishRevocations(keeper)
    const { place } = options
    if (place != null) await keeper.commit(() => noticeCopy(place, persona, ledger))
    await keeper.keys.settle()
    return keeper
  }

  /** What answers each method, but those of the profiles; the same object each time, since it may remember what is under way. */
  handlers(): Handlers<KeeperMethods> {
    this.#handlers ??= {
      ...generalHandlers(this),
      ...contactHandlers(this, this.apps),
      ...appHandlers(this, this.apps),
      ...linkHandlers(this),
      ...entryHandlers(this),
      ...pendingHandlers(this),
      ...alarmHandlers(this),
      ...ownHandlers(this),
      ...custodyHandlers(this),
      ...backupHandlers(this),
      ...rotationHandlers(this),
      ...siblingHandlers(this),
      ...pairingHandlers(this),
    }
    return this.#handlers
  }

  /** What makes a persona here comes one after the other: the second finds the persona of the first. */
  founding<T>(work: () => Promise<T>): Promise<T> {
    return this.#founding.take(work)
  }

  get custody(): Custody {
    return this.#options.custody
  }

  get engine(): CryptoEngine {
    return this.#options.engine
  }

  /** Unix seconds. */
  get nowSec(): number {
    return this.#options.nowSec()
  }

  /** What is on disk, for whoever copies it; nobody writes to it but {@link change}. */
  get store(): Store {
    return this.#options.store
  }

  /** What the daemon around the keeper knows for `status`. */
  get about(): About {
    return this.#options.about()
  }

  get hasPersona(): boolean {
    return this.onDisk.own.get(rec.OWN) !== undefined
  }

  /** When the own table is due to be signed again; null when it cannot be. */
  resignDueSec(): number | null {
    this.#options.custody.expire()
    return this.#options.custody.isLocked ? null : this.own.resignDueSec()
  }

  /** Signs the own table again, so that friends see that the persona is alive. */
  async resign(): Promise<void> {
    await this.change(() => this.own.resign())
  }

  close(): void {
    this.#options.custody.close()
  }

  /** Decides, writes, and tells in this order. When it returns, the key that a sibling's rotation took out of use is erased as well. */
  async change<T>(decide: () => T): Promise<T> {
    const result = await this.commit(decide)
    await this.keys.settle()
    return result
  }

  /** {@link change}, by one who moves keys and settles them himself. */
  async commit<T>(decide: () => T): Promise<T> {
    // Once, in front of the decision: in the middle of it nothing becomes locked.
    this.#options.custody.expire()
    try {
      const { result, events } = await this.ledger.change(decide)
      for (const event of events) this.#options.publish(event)
      return result
    } catch (error) {
      if (error instanceof StoreError && isOutcomeUnknown(error)) this.#options.onStoreFailure(error)
      throw error
    }
  }

  /** The own table as it is on disk; null without a persona. */
  get ownTable(): OwnTable | null {
    return this.hasPersona ? this.table() : null
  }

  /** Whether the last blob that a device of the owner was seen showing was the owner's. */
  hasShown(key: string): boolean {
    return this.shownBy(key) !== null
  }

  /** When and which that was; null when it was another persona's, or there was none. */
  shownBy(key: string): Sighting | null {
    const own = this.onDisk.own.get(rec.OWN)
    const newest = newestSighting(this.onDisk.devices.get(key)?.reports ?? [])
    return own !== undefined && newest?.personaId === own.personaId ? newest : null
  }

  /** Tells what happened outside of the state, once the history has it. */
  async tell(event: PendingEvent): Promise<void> {
    await this.change(() => this.ledger.emit(event))
  }

  /** The status message to show. @throws {KeeperError} NO_PERSONA | WORDS_TOO_LONG */
  statusMessage(words: string): Promise<StatusMessage> {
    return this.change(() => this.own.statusMessage(words))
  }

  /** Takes what a source saw, in one commit: it is on disk when this returns. @throws {StoreError} */
  observe(observations: readonly ObservationParams[], source: string): Promise<ObserveResult[]> {
    return this.change(() => observations.map((params) => observe(params, source, this.own, this.ledger)))
  }

  /** Judges a status message against what is on disk. */
  verify(text: string, from: string | null): VerifyResult {
    const personaOf = (blob: VerifiedBlob): rec.PersonaRecord | undefined =>
      this.onDisk.personas.get(formatHex(blob.personaId))
    return judgeText(text, from, this.#options.engine, this.nowSec, {
      verdict: (blob) => {
        const { verdict } = judgeAgainst(personaOf(blob), blob, this.ledger)
        return verdict === 'refused' ? null : verdict
      },
      nickname: (blob, key) => {
        const persona = personaOf(blob)
        return persona === undefined ? undefined : nameOf(persona, key)
      },
    })
  }

  /** The own table as it is on disk. @throws {KeeperError} NO_PERSONA */
  table(): OwnTable {
    const own = this.onDisk.own.get(rec.OWN)
    const persona = own === undefined ? undefined : this.onDisk.personas.get(own.personaId)
    if (own !== undefined && persona !== undefined && rec.hasHead(persona)) return ownTable(own, persona)
    throw noPersona()
  }

  /** The owner's persona as it is on disk. @throws {KeeperError} NO_PERSONA */
  ownPersona(): rec.PersonaRecord {
    const own = this.onDisk.own.get(rec.OWN)
    const persona = own === undefined ? undefined : this.onDisk.personas.get(own.personaId)
    if (persona === undefined) throw noPersona()
    return persona
  }

  /** What lookups read. */
  reader(): Reader {
    return { records: this.onDisk, clock: this.clock(), ownId: this.onDisk.own.get(rec.OWN)?.personaId ?? null }
  }

  clock(): Clock {
    return clockAt(this.nowSec, this.onDisk)
  }

  counts(): rec.Counts {
    return this.onDisk.counts.get(rec.COUNTS) ?? rec.NO_COUNTS
  }
}

/** What a crash has left of an import: all of it is taken, or nothing. */
async function finishImport(own: OwnPersona, ledger: Ledger): Promise<void> {
  const state = ledger.records.imports.get(rec.IMPORT)
  if (state === undefined) return
  if (state.state === 'arriving') await clearArrivals(ledger)
  else await takeArrivals(state, own, ledger, async (decide) => void (await ledger.change(decide)))
}

/** Nothing was written for these; for all others nobody knows. */
function isOutcomeUnknown(error: StoreError): boolean {
  return error.code !== 'STORE_TOO_LARGE' && error.code !== 'STORE_KEY_INVALID'
}
