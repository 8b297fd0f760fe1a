/** The keeper: the one writer of the state, and what answers each method of the socket (docs/ipc.md, section 3). */
import { encodeUtf8, formatHex } from '../core/bytes.ts'
import type { Edit } from '../core/intents.ts'
import { foldNickname } from '../core/nickname.ts'
import { newestSighting } from '../core/trust.ts'
import type { VerifiedBlob } from '../core/verify.ts'
import type { CryptoEngine } from '../crypto/engine.ts'
import { judgeText } from '../ipc/judgement.ts'
import type { Handlers } from '../ipc/method.ts'
import { MAX_PAGE } from '../ipc/limits.ts'
import type { ChosenWord, InitParams, Methods } from '../ipc/methods.ts'
import type { DaemonEvent } from '../ipc/events.ts'
import type {
  DaemonStatus,
  EditResult,
  ObservationParams,
  ObserveResult,
  OwnTable,
  StatusMessage,
  VerifyResult,
} from '../ipc/shapes.ts'
import { EVENT_NAMES } from '../ipc/events.ts'
import { StoreError } from '../store/errors.ts'
import { RecordCache } from '../store/record-cache.ts'
import type { Store } from '../store/store.ts'
import type { Custody } from './custody.ts'
import { KeeperError, noPersona } from './errors.ts'
import { findContact, listContacts, lookup, MIN_PREFIX_DIGITS, type Reader } from './find.ts'
import { judgeAgainst } from './heads.ts'
import { Ledger, type PendingEvent } from './ledger.ts'
import { observe } from './observe.ts'
import { ownTable } from './own-table.ts'
import { OwnPersona } from './own.ts'
import * as rec from './records.ts'
import { makeStatus, type About } from './status.ts'
import { clockAt, nameOf, type Clock } from './view.ts'
import { Writer } from './writer.ts'

const APP_SOURCE = 'app' // until apps have names of their own, all of them are one source
const OWNER_SOURCE = 'owner'
const DEFAULT_PAGE = 100

export interface KeeperOptions {
  readonly store: Store
  readonly custody: Custody
  readonly engine: CryptoEngine
  /** Unix seconds. */
  readonly nowSec: () => number
  /** Sends an event to subscribers; called once what it tells is on disk. */
  readonly publish: (event: DaemonEvent) => void
  /** A write failed and nobody knows what is on disk: the daemon must stop and start again. */
  readonly onStoreFailure: (error: StoreError) => void
  /** What the daemon around the keeper knows for `status`; its notices come behind those of the keeper. */
  readonly about: () => About
}

/** What the keeper answers; the rest is about profiles. */
export type KeeperMethods = Omit<Methods, 'profile.list'>

export class Keeper {
  readonly #options: KeeperOptions
  readonly #ledger: Ledger
  readonly #own: OwnPersona
  readonly #onDisk: rec.Records
  #lastEvent = 0
  #initialising: Promise<unknown> = Promise.resolve()

  private constructor(options: KeeperOptions, ledger: Ledger, own: OwnPersona, onDisk: rec.Records) {
    this.#options = options
    this.#ledger = ledger
    this.#own = own
    this.#onDisk = onDisk
  }

  /**
   * Takes up the state as it is on disk, and finishes what a crash left half done.
   * @throws {KeeperError} SECRETS_MISSING | SECRETS_FOREIGN @throws {StoreError}
   */
  static async open(options: KeeperOptions): Promise<Keeper> {
    const { store, custody, engine, nowSec } = options
    const cache = new RecordCache()
    const ledger = new Ledger(new Writer(store, (keys) => cache.forget(keys)), engine, nowSec)
    const intents = []
    for await (const [, intent] of ledger.records.intents.iterate()) intents.push(intent)
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
    if (own !== undefined) checkSecrets(own, custody)
    if (own?.recoveryConfirmed === true) await custody.forgetSeed()
    return new Keeper(options, ledger, new OwnPersona(ledger, custody, intents), rec.recordsOf(store, cache))
  }

  /** What answers each method, but those of the profiles. */
  handlers(): Handlers<KeeperMethods> {
    return {
      status: () => this.#status(),
      lookup: ({ query }) => lookup(query, this.#reader()),
      verify: ({ text, from }) => this.verify(text, from ?? null),
      'contact.list': async ({ after, limit }) => {
        const page = await listContacts(after, Math.min(limit ?? DEFAULT_PAGE, MAX_PAGE), this.#reader())
        const counts = this.#counts()
        return { ...page, total: counts.contacts + counts.provisional }
      },
      'contact.show': ({ contact }) => findContact(contact, this.#reader()),
      subscribe: ({ events }, caller) => {
        const names = events ?? [...EVENT_NAMES]
        caller.subscribe(names)
        return { events: names }
      },
      unsubscribe: (_, caller) => {
        caller.unsubscribe()
        return {}
      },
      observe: async (params, caller) => {
        const source = caller.role === 'admin' ? OWNER_SOURCE : APP_SOURCE
        const [result] = await this.observe([params], source)
        return result!
      },
      'observe.batch': async ({ source, observations }) => ({ results: await this.observe(observations, source) }),
      'blob.get': ({ words }) => this.statusMessage(words ?? ''),
      'persona.init': (params) => this.#init(params),
      'persona.unlock': ({ passphrase }) => this.#unlock(passphrase),
      'recovery.show': () => ({ words: this.#words(), confirmed: false }),
      'recovery.confirm': ({ words }) => this.#confirmRecovery(words),
      'device.list': () => this.#table(),
      'device.add': ({ name, key, again }) => this.#edit(() => ({ kind: 'add', key, name }), again),
      'device.rename': ({ device, name }) => this.#edit(() => this.#renameOf(device, name)),
      'device.activate': ({ device }) => this.#edit(() => this.#activateOf(device)),
      'device.remove': ({ device }) => this.#edit(() => ({ kind: 'remove', key: this.#deviceKey(device) })),
    }
  }

  get hasPersona(): boolean {
    return this.#onDisk.own.get(rec.OWN) !== undefined
  }

  /** When the own table is due to be signed again; null when it cannot be. */
  resignDueSec(): number | null {
    return this.#options.custody.isLocked ? null : this.#own.resignDueSec()
  }

  /** Signs the own table again, so that friends see that the persona is alive. */
  async resign(): Promise<void> {
    await this.#change(() => this.#own.resign())
  }

  close(): void {
    this.#options.custody.close()
  }

  /** Decides, writes, and tells in this order. */
  async #change<T>(decide: () => T): Promise<T> {
    try {
      const { result, events } = await this.#ledger.change(decide)
      const atSec = this.#options.nowSec()
      for (const event of events) this.#options.publish({ ...event, id: ++this.#lastEvent, atSec })
      return result
    } catch (error) {
      if (error instanceof StoreError && isOutcomeUnknown(error)) this.#options.onStoreFailure(error)
      throw error
    }
  }

  /** The own table as it is on disk; null without a persona. */
  get ownTable(): OwnTable | null {
    return this.hasPersona ? this.#table() : null
  }

  /** Whether a device of the owner was ever seen showing the owner's blob. */
  hasShown(key: string): boolean {
    const own = this.#onDisk.own.get(rec.OWN)
    const reports = this.#onDisk.devices.get(key)?.reports ?? []
    return own !== undefined && newestSighting(reports)?.personaId === own.personaId
  }

  /** Tells what happened outside of the state. */
  tell(event: PendingEvent): void {
    this.#options.publish({ ...event, id: ++this.#lastEvent, atSec: this.#options.nowSec() })
  }

  /** The status message to show. @throws {KeeperError} NO_PERSONA | WORDS_TOO_LONG */
  statusMessage(words: string): Promise<StatusMessage> {
    return this.#change(() => this.#own.statusMessage(words))
  }

  /** Takes what a source saw, in one commit: it is on disk when this returns. @throws {StoreError} */
  observe(observations: readonly ObservationParams[], source: string): Promise<ObserveResult[]> {
    return this.#change(() => observations.map((params) => observe(params, source, this.#own, this.#ledger)))
  }

  #edit(edit: () => Edit, again?: boolean): Promise<EditResult> {
    return this.#change(() => this.#own.edit(edit(), again))
  }

  #renameOf(device: string, name: string): Edit {
    const key = this.#deviceKey(device)
    const found = this.#own.table().devices.find((listed) => listed.key === key)!.name
    return { kind: 'rename', key, found, name }
  }

  #activateOf(device: string): Edit {
    return { kind: 'activate', key: this.#deviceKey(device), found: this.#own.table().devices[0]!.key }
  }

  /** The key of an own device, by nickname or by a prefix of the key. @throws {KeeperError} NO_PERSONA | NOT_FOUND | AMBIGUOUS */
  #deviceKey(query: string): string {
    const { devices } = this.#own.table()
    const folded = foldNickname(query)
    const named = devices.filter((device) => foldNickname(device.name) === folded)
    const digits = query.length >= MIN_PREFIX_DIGITS ? query.toUpperCase() : ' '
    const keyed = devices.filter((device) => device.key.startsWith(digits) && !named.includes(device))
    const found = [...named, ...keyed]
    if (found.length > 1) {
      const message = `"${query}" fits more than one device of the table`
      throw new KeeperError('AMBIGUOUS', message, 'give more digits of the key')
    }
    const [device] = found
    if (device !== undefined) return device.key
    throw new KeeperError('NOT_FOUND', `the table lists no device "${query}"`, 'see: persona device list')
  }

  /** Inits come one after the other: the second finds the persona of the first. */
  #init(params: InitParams): Promise<{ table: OwnTable }> {
    const turn = this.#initialising.then(() => this.#create(params))
    this.#initialising = turn.catch(() => {})
    return turn
  }

  async #create({ device, passphrase, unnamed }: InitParams): Promise<{ table: OwnTable }> {
    const { custody } = this.#options
    const exists = this.#own.personaId
    if (exists !== null) {
      const hint = 'one daemon keeps one persona; see: persona status'
      throw new KeeperError('PERSONA_EXISTS', `there is a persona already: ${exists}`, hint)
    }
    const position = await custody.create(passphrase ?? null)
    try {
      return await this.#change(() => {
        this.#own.begin(position, device === undefined ? [] : [device], unnamed !== true)
        return { table: this.#own.table() }
      })
    } catch (error) {
      // After a failed write nobody knows whether the persona is in the store; the next start does.
      if (!(error instanceof StoreError)) await custody.discard()
      throw error
    }
  }

  async #unlock(passphrase: string): Promise<{ locked: boolean }> {
    const { custody } = this.#options
    await custody.unlock(passphrase)
    const own = this.#onDisk.own.get(rec.OWN)
    if (own !== undefined) checkSecrets(own, custody)
    await this.#change(() => {
      this.#own.replay()
      // The timer could not while it was locked.
      if ((this.#own.resignDueSec() ?? Infinity) <= this.#options.nowSec()) this.#own.resign()
    })
    return { locked: false }
  }

  /** Those of a persona that is on disk: of one that a crash may still undo they would be written down in vain. */
  #words(): string[] {
    this.#table()
    return this.#options.custody.words()
  }

  async #confirmRecovery(chosen: readonly ChosenWord[]): Promise<{ confirmed: boolean }> {
    const { custody, engine } = this.#options
    const words = this.#words()
    const positions = new Set(chosen.map(({ position }) => position))
    const isRight = chosen.every(({ position, word }) => {
      const [given, right] = [word, words[position - 1] ?? ''].map((text) => encodeUtf8(text.trim().toLowerCase()))
      return engine.equal(given!, right!)
    })
    if (!isRight || positions.size !== chosen.length) {
      const hint = 'look at the words again with: persona recovery show'
      throw new KeeperError('RECOVERY_MISMATCH', 'these are not the words at these places', hint)
    }
    // Crash here: the words are confirmed and the seed still there; the next start erases it.
    await this.#change(() => this.#own.confirmRecovery())
    await custody.forgetSeed()
    return { confirmed: true }
  }

  /** Judges a status message against what is on disk. */
  verify(text: string, from: string | null): VerifyResult {
    const personaOf = (blob: VerifiedBlob): rec.PersonaRecord | undefined =>
      this.#onDisk.personas.get(formatHex(blob.personaId))
    return judgeText(text, from, this.#options.engine, this.#options.nowSec(), {
      verdict: (blob) => {
        const { verdict } = judgeAgainst(personaOf(blob), blob, this.#ledger)
        return verdict === 'refused' ? null : verdict
      },
      nickname: (blob, key) => {
        const persona = personaOf(blob)
        return persona === undefined ? undefined : nameOf(persona, key)
      },
    })
  }

  #table(): OwnTable {
    const own = this.#onDisk.own.get(rec.OWN)
    const persona = own === undefined ? undefined : this.#onDisk.personas.get(own.personaId)
    if (own !== undefined && persona !== undefined) return ownTable(own, persona)
    throw noPersona()
  }

  #reader(): Reader {
    return { records: this.#onDisk, clock: this.#clock(), ownId: this.#onDisk.own.get(rec.OWN)?.personaId ?? null }
  }

  #clock(): Clock {
    return clockAt(this.#options.nowSec(), this.#onDisk)
  }

  #counts(): rec.Counts {
    return this.#onDisk.counts.get(rec.COUNTS) ?? rec.NO_COUNTS
  }

  #status(): DaemonStatus {
    const { about, custody, engine } = this.#options
    const own = this.#onDisk.own.get(rec.OWN)
    return makeStatus(about(), {
      engine: engine.name,
      table: own === undefined ? null : this.#table(),
      isLocked: custody.isLocked,
      theftProtection: own?.recoveryConfirmed === true,
      counts: this.#counts(),
      clock: this.#clock(),
    })
  }
}

/** The secrets file may have been put back from the backup of another persona: nothing that it signs would be believed. */
function checkSecrets(own: rec.OwnRecord, custody: Custody): void {
  const held = custody.publicKey(own.epoch)
  if (held === null || formatHex(held) === own.signingKey) return
  custody.close()
  const hint = 'put back the file "secrets" that belongs to this store'
  throw new KeeperError('SECRETS_FOREIGN', 'the secrets file holds the key of another persona than the store', hint)
}

/** Nothing was written for these; for all others nobody knows. */
function isOutcomeUnknown(error: StoreError): boolean {
  return error.code !== 'STORE_TOO_LARGE' && error.code !== 'STORE_KEY_INVALID'
}
