/** The keeper: the one writer of the state. The methods of the socket are in methods.ts and the folders that it lists. */
import { formatHex } from '../../core/encoding/bytes.ts'
import { newestSighting, type Sighting } from '../../core/consent.ts'
import type { VerifiedBlob } from '../../core/verify.ts'
import type { CryptoEngine } from '../../crypto/engine.ts'
import { judgeText } from '../../ipc/shapes/judge-text.ts'
import type { DaemonEvent } from '../../ipc/methods/events.ts'
import type { ObservationParams, ObserveResult, VerifyResult } from '../../ipc/shapes/judged.ts'
import type { OwnTable, StatusForm, StatusMessage } from '../../ipc/shapes/own.ts'
import type { ShownShort } from '../../ipc/shapes/profiles.ts'
import { StoreError } from '../../store/errors.ts'
import { RecordCache } from '../../store/record-cache.ts'
import type { Store } from '../../store/store.ts'
import type { Custody } from '../custody/custody.ts'
import { noPersona } from '../state/errors.ts'
import { judgeAgainst } from '../personas/decide.ts'
import { decodeStored } from '../personas/heads.ts'
import { HeldKeys, type OnSpent } from './held-keys.ts'
import { State, type StateOptions } from '../state/state.ts'
import { observe } from '../contacts/observe.ts'
import { ownTable } from '../own/own-records.ts'
import type { NumberedTable } from '../own/past-tables.ts'
import { OwnPersona } from '../own/persona.ts'
import { judgeOwnShort } from '../own/status-message.ts'
import { COUNTS, type Counts, NO_COUNTS } from '../state/local-records.ts'
import { OWN } from '../state/own-record.ts'
import type { PersonaRecord } from '../state/persona-record.ts'
import { type Records, recordsOf } from '../state/records.ts'
import { Serial } from '../../process/serial.ts'
import { clockAt, nameOf, ownOf, readerAt, type Clock, type Reader } from '../state/view.ts'
import { Writer } from '../state/writer.ts'
import type { NewEvent } from '../state/new-event.ts'

export interface KeeperOptions extends StateOptions {
  readonly store: Store
  readonly custody: Custody
  readonly engine: CryptoEngine
  /** Unix seconds. */
  readonly nowSec: () => number
  /** Sends an event to subscribers. Called once its change is on disk. */
  readonly publish: (event: DaemonEvent) => void
  /**
   * A commit failed. On a full disk nothing was written, and changes are refused until there is room. With any other code nobody knows what
   * is on disk, so the daemon must stop and start again.
   */
  readonly onStoreFailure: (error: unknown) => void
  /** Lets wings sign with keys that are about to be erased. It runs at the start too, which finishes the work that a crash interrupted. */
  readonly onSpent?: OnSpent
  /** Called at the end of each change of the owner's record or table, inside of it. */
  readonly onOwnChanged?: OnOwnChanged
  /** The owner approves a device. Called inside of a change. */
  readonly onApproved?: (key: string, state: State) => void
}

/** @param before both records of the owner as they were before the change; null if there was no persona */
export type OnOwnChanged = (
  before: ReturnType<typeof ownOf>,
  means: { readonly state: State; readonly custody: Custody },
) => void

export class Keeper {
  readonly #options: KeeperOptions
  /** The state inside {@link change}. */
  readonly state: State
  /** The own persona. Use it only inside {@link change}: its reads and writes may not be on disk yet. */
  readonly own: OwnPersona
  /** The records on disk. Queries read these. A change answers from its own state, after it is on disk. */
  readonly onDisk: Records
  readonly keys: HeldKeys
  readonly #serializeInit = new Serial()

  private constructor(options: KeeperOptions, state: State, own: OwnPersona, onDisk: Records) {
    this.#options = options
    this.state = state
    this.own = own
    this.onDisk = onDisk
    options.custody.watch({
      failed: options.onStoreFailure,
      lockChanged: (locked, cause) => {
        // Not awaited: a failed write stops the daemon anyway.
        this.emit({ event: 'locked', data: { locked, cause } }).catch(() => {})
      },
    })
    this.keys = new HeldKeys(this, () => own.followed(), options.onSpent ?? (() => {}))
  }

  /** Loads the state from disk. openKeeper finishes what a crash interrupted. @throws {StoreError} */
  static async load(options: KeeperOptions): Promise<Keeper> {
    const { store, custody, engine, nowSec } = options
    const cache = new RecordCache()
    const state = new State(new Writer(store, (keys) => cache.forget(keys)), engine, nowSec, options)
    const intents = []
    for await (const [, intent] of state.records.intents.iterate()) intents.push(intent)
    const past: NumberedTable[] = []
    for await (const table of state.records.past.iterate()) past.push(table)
    const persona = new OwnPersona(state, custody, intents, past)
    return new Keeper(options, state, persona, recordsOf(store, cache, options.kindsOfWings))
  }

  /** Serializes init, restore and join, so that the second sees the persona that the first one made. */
  serializeInit<T>(work: () => Promise<T>): Promise<T> {
    return this.#serializeInit.run(work)
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

  /** The store itself, for exporting snapshots. Write only through {@link change}. */
  get store(): Store {
    return this.#options.store
  }

  get hasPersona(): boolean {
    return this.onDisk.own.get(OWN) !== undefined
  }

  /** When the own table is due to be signed again; null if it cannot be signed. */
  resignDueSec(): number | null {
    this.#options.custody.expire()
    return this.#options.custody.isLocked ? null : this.own.resignDueSec()
  }

  /** Signs the own table again, so that contacts see that the persona is in use. */
  async resign(): Promise<void> {
    await this.change(() => this.own.resign())
  }

  close(): void {
    this.#options.custody.close()
  }

  /** Decides, writes, then publishes. If a sibling's rotation made our key useless, that key is erased before this returns. */
  async change<T>(decide: () => T): Promise<T> {
    const result = await this.changeKeys(decide)
    await this.keys.eraseSpentKeys()
    return result
  }

  /** Decides a change and undoes it. @returns what the change would answer @throws the error that refuses it */
  async tryOut<T>(decide: () => T): Promise<T> {
    const answers: T[] = []
    const undo = new Error('undo')
    try {
      return await this.changeKeys(() => {
        answers.push(decide())
        throw undo
      })
    } catch (error) {
      if (error === undo) return answers[0]!
      throw error
    }
  }

  /** {@link change} for callers that move keys and erase spent ones themselves. */
  async changeKeys<T>(decide: () => T): Promise<T> {
    // Only here, before the decision: the key must not become locked in the middle of one.
    this.#options.custody.expire()
    try {
      const { result, events } = await this.state.change(() => this.#decideWithOwn(decide))
      for (const event of events) this.#options.publish(event)
      return result
    } catch (error) {
      if (error instanceof StoreError && stopsWriting(error)) this.#options.onStoreFailure(error)
      throw error
    }
  }

  /** Decides a change. All that follows from a change of the own table goes to disk with it. */
  #decideWithOwn<T>(decide: () => T): T {
    const { state, custody } = this
    const before = ownOf(state.records)
    const decided = decide()
    const after = ownOf(state.records)
    if (before?.own !== after?.own || before?.persona !== after?.persona)
      this.#options.onOwnChanged?.(before, { state, custody })
    return decided
  }

  /** The owner approves a device that came through a sibling's table. Inside of a change. */
  approveDevice(key: string): OwnTable {
    const table = this.own.approve(key)
    this.#options.onApproved?.(key, this.state)
    return table
  }

  /** The own table as it is on disk; null without a persona. */
  get ownTable(): OwnTable | null {
    return this.hasPersona ? this.table() : null
  }

  /** Whether the last blob seen on one of the owner's devices was the owner's. */
  hasShown(key: string): boolean {
    return this.shownBy(key) !== null
  }

  /** That sighting; null if the blob was another persona's, or there was none. */
  shownBy(key: string): Sighting | null {
    const own = this.onDisk.own.get(OWN)
    const newest = newestSighting(this.onDisk.devices.get(key)?.reports ?? [])
    return own !== undefined && newest?.personaId === own.personaId ? newest : null
  }

  /** Records an event from outside the state in the history, then publishes it. */
  async emit(event: NewEvent): Promise<void> {
    await this.change(() => this.state.emit(event))
  }

  /** The status message to show. @throws {KeeperError} NO_PERSONA {OwnPersonaError} WORDS_TOO_LONG | NOT_ANNOUNCED */
  statusMessage(words: string, form: StatusForm = 'table'): Promise<StatusMessage> {
    return this.change(() => this.own.statusMessage(words, form))
  }

  /** Judges a short status against the own table on disk: see judgeOwnShort(); null also without a persona. */
  shownShort(encoded: string): ShownShort | null {
    const found = ownOf(this.onDisk)
    return found === null ? null : judgeOwnShort(encoded, decodeStored(found.persona.head, this), this.engine)
  }

  /** Records a source's observations in one commit. On return they are on disk. @throws {StoreError} */
  observe(observations: readonly ObservationParams[], source: string): Promise<ObserveResult[]> {
    return this.change(() => observations.map((params) => observe(params, source, this.own, this.state)))
  }

  /** Judges a status message against what is on disk. */
  verify(text: string, from: string | null): VerifyResult {
    const personaOf = (blob: VerifiedBlob): PersonaRecord | undefined =>
      this.onDisk.personas.get(formatHex(blob.personaId))
    return judgeText(text, from, this.#options.engine, this.nowSec, {
      verdict: (blob) => {
        const { verdict } = judgeAgainst(personaOf(blob), blob, this.state)
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
    const found = ownOf(this.onDisk)
    if (found === null) throw noPersona()
    return ownTable(found.own, found.persona)
  }

  /** The owner's persona as it is on disk. @throws {KeeperError} NO_PERSONA */
  ownPersona(): PersonaRecord {
    const found = ownOf(this.onDisk)
    if (found === null) throw noPersona()
    return found.persona
  }

  /** Reads the state that is on disk now, for lookups. */
  reader(): Reader {
    return readerAt(this.nowSec, this.onDisk)
  }

  clock(): Clock {
    return clockAt(this.nowSec, this.onDisk)
  }

  counts(): Counts {
    return this.onDisk.counts.get(COUNTS) ?? NO_COUNTS
  }
}

/** These two codes refuse one change; every other one concerns the disk. */
function stopsWriting(error: StoreError): boolean {
  return error.code !== 'STORE_TOO_LARGE' && error.code !== 'STORE_KEY_INVALID'
}
