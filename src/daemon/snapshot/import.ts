/**
 * Imports a snapshot into the state (docs/backup.md), all of it or nothing. The records arrive beside the state and are checked one by one.
 * Once the last line has confirmed the whole, they are applied. A record is applied and removed from the arrivals in one commit.
 *
 * Crash before the last line: start-up discards the arrivals, and the state never saw any of them. Crash while they are applied: start-up
 * applies the rest. The owner's record comes last, in one commit with the owner's persona, so until then there is no persona here.
 */
import { ContactError } from '../contacts/errors.ts'
import { SnapshotError } from './errors.ts'
import { formatHex } from '../../core/encoding/bytes.ts'
import { sourceOfSibling } from '../../core/consent.ts'
import type { Keeper } from '../keeper/keeper.ts'
import { IMPORT, type ImportRecord } from '../state/local-records.ts'
import { MAX_PAST_TABLES } from '../state/own-record.ts'
import type { PersonaRecord } from '../state/persona-record.ts'
import type { SnapshotItem, WingItem } from '../state/records.ts'
import { arrivedOwner, clearArrivals, idOfArrival, applyArrivals } from './arrivals.ts'
import { checkItem, checkOwnRoot } from './check.ts'
import type { Purpose } from '../state/kind.ts'
import { SnapshotReader } from './stream.ts'

const MAX_ARRIVALS = 2_000_000 // sanity: 100 000 contacts with 10 devices each, and as much again
const MAX_INTENTS = 1024 // sanity: they are applied in one commit; the journal keeps a quarter of this

export interface ImportOptions {
  /** The sibling whose state it is, 1..100 characters; null for this persona's own past, whose reports keep their sources. */
  readonly sibling: string | null
  /** Whether the signing key comes with it: then a later position in the key chain is imported as well. */
  readonly withKeys: boolean
}

/** Counts of the imported records. */
export interface ImportResult {
  readonly personaId: string | null
  readonly contacts: number
  readonly devices: number
}

const ID_BYTES = 8 // sanity: it only tells an import from the one before

export class SnapshotImport {
  readonly #keeper: Keeper
  readonly #options: ImportOptions
  /** The store notes whose records are arriving, because a restore and a pairing share the one place for arrivals. */
  readonly #id: string
  readonly #reader: SnapshotReader
  #arrived = 0
  #intents = 0
  #past = 0
  #contacts = 0
  #devices = 0

  private constructor(keeper: Keeper, options: ImportOptions) {
    this.#keeper = keeper
    this.#options = options
    this.#reader = new SnapshotReader(keeper.state.records.kinds)
    this.#id = formatHex(keeper.engine.randomBytes(ID_BYTES))
  }

  /**
   * Begins an import. It ends the one before and discards its records.
   * @throws {StoreError}
   */
  static async begin(keeper: Keeper, options: ImportOptions): Promise<SnapshotImport> {
    const { state } = keeper
    // Never while another import is being applied: this would discard its records.
    return await keeper.serializeInit(async () => {
      if (isBeingApplied(keeper)) throw new Error('a confirmed import waits for the next start')
      const begun = new SnapshotImport(keeper, options)
      await clearArrivals(state)
      await keeper.change(() => state.stage(state.records.imports.put(IMPORT, { state: 'arriving', id: begun.#id })))
      return begun
    })
  }

  /**
   * Reads the next bytes. On return their records are on disk.
   * @param chunk at most 1 MiB; cut anywhere
   * @throws {SnapshotError} SNAPSHOT_DAMAGED | SNAPSHOT_UNKNOWN_VERSION | SNAPSHOT_UNKNOWN_KIND | SNAPSHOT_INVALID | TRANSFER_ENDED
   */
  async push(chunk: Uint8Array): Promise<void> {
    const { state } = this.#keeper
    const items = this.#reader.push(chunk)
    if (items.length === 0) return
    for (const item of items) this.#check(item)
    await this.#keeper.change(() => {
      this.#checkArriving()
      for (const item of items) {
        const id = idOfArrival(item, this.#ownId)
        if (state.records.arrivals.get(id) !== undefined) throw damaged(`has ${item.kind} ${item.id} twice`)
        state.stage(state.records.arrivals.put(id, item))
      }
    })
  }

  /**
   * Imports the whole snapshot into the state.
   * @param writeSecrets writes the secrets that belong to it; called once everything is checked, and before anything is imported
   * @throws {SnapshotError} SNAPSHOT_CUT | SNAPSHOT_FOREIGN | SNAPSHOT_INVALID | TRANSFER_ENDED if nothing was imported
   * @throws {ContactError} CHAIN_DIFFERS if nothing was imported
   */
  async finish(writeSecrets: () => Promise<void> = () => Promise.resolve()): Promise<ImportResult> {
    const { personaId: ownId } = this.#reader.end()
    // In turn: another change would compare the keys with the old head, and erase the key that has just arrived.
    await this.#keeper.serializeInit(() => this.#keeper.keys.inTurn(() => this.#apply(ownId, writeSecrets)))
    return { personaId: ownId, contacts: this.#contacts, devices: this.#devices }
  }

  async #apply(ownId: string | null, writeSecrets: () => Promise<void>): Promise<void> {
    const keeper = this.#keeper
    const { state, own } = keeper
    this.#checkArriving()
    this.#checkOwner(ownId)
    await writeSecrets()
    const { sibling, withKeys } = this.#options
    const source = sibling === null ? null : sourceOfSibling(sibling)
    const origin: ImportRecord = { state: 'taking', source, withKeys, ownId }
    await keeper.changeKeys(() => state.stage(state.records.imports.put(IMPORT, origin)))
    await applyArrivals(origin, own, state, (decide) => keeper.changeKeys(decide))
    await keeper.keys.eraseSpentKeysNow()
  }

  /** Discards the records that arrived, unless the snapshot is already being applied. @throws {StoreError} */
  async abort(): Promise<void> {
    if (this.#isArriving) await clearArrivals(this.#keeper.state)
  }

  get #ownId(): string | null {
    return this.#reader.header?.personaId ?? null
  }

  get #isArriving(): boolean {
    const current = this.#keeper.state.records.imports.get(IMPORT)
    return current?.state === 'arriving' && current.id === this.#id
  }

  #checkArriving(): void {
    if (this.#isArriving) return
    const message = 'another restore or pairing has replaced this one'
    throw new SnapshotError('TRANSFER_ENDED', message, 'start again')
  }

  #check(item: SnapshotItem): void {
    if (++this.#arrived > MAX_ARRIVALS) throw damaged(`has more than ${MAX_ARRIVALS} records`)
    const isOfOneDevice = item.kind === 'intent' || item.kind === 'alarm'
    if (isOfOneDevice && this.#options.sibling !== null) throw damaged(`has an ${item.kind}, which no sibling sends`)
    if (item.kind === 'wing') this.#checkTravels(item)
    if (item.kind === 'intent' && ++this.#intents > MAX_INTENTS) throw damaged(`has more than ${MAX_INTENTS} intents`)
    if (item.kind === 'past' && ++this.#past > MAX_PAST_TABLES)
      throw damaged(`has more than ${MAX_PAST_TABLES} own tables`)
    if (item.kind === 'own' && item.value.personaId !== this.#ownId)
      throw damaged('belongs to another persona than its first line names')
    checkItem(item, this.#keeper.state)
    if (item.kind === 'persona' && item.id !== this.#ownId) this.#contacts++
    if (item.kind === 'device') this.#devices++
  }

  #checkTravels({ of }: WingItem): void {
    const purpose: Purpose = this.#options.sibling === null ? 'backup' : 'sibling'
    const travels = this.#keeper.state.records.kinds.find(({ name }) => name === of)?.travels
    if (travels !== 'always' && travels !== purpose) throw damaged(`has records of ${of}, which no ${purpose} holds`)
  }

  #checkOwner(ownId: string | null): void {
    const { state } = this.#keeper
    const here = state.own()?.personaId ?? null
    if (here !== null && here !== ownId) {
      const message = `the snapshot belongs to another persona than ${here}, which is on this device`
      throw new SnapshotError('SNAPSHOT_FOREIGN', message, 'one daemon keeps one persona')
    }
    if (ownId === null) return
    const { own, persona } = arrivedOwner(state)
    if (own === undefined || persona === undefined || persona.head === null)
      throw damaged("does not have the owner's records")
    checkOwnRoot(own, persona.root, state)
    const pinned = state.persona(ownId)
    if (pinned === undefined) return
    if (here === null && pinned.root !== persona.root) throw chainDiffers(pinned)
    checkOwnRoot(own, pinned.root, state)
  }
}

function isBeingApplied({ state }: Keeper): boolean {
  return state.records.imports.get(IMPORT)?.state === 'taking'
}

/** Nothing here can decide which of the two is the owner's: the contact may be a thief of the first key who was seen first. */
function chainDiffers({ entry, personaId }: PersonaRecord): ContactError {
  const name = entry?.name ?? personaId
  const message = `${name} is a contact here with the same PersonaID but another key chain: somebody who stole the first key made one of the two`
  const hint = 'if you trust the source of this snapshot, forget that contact and start again'
  return new ContactError('CHAIN_DIFFERS', message, hint, { contact: name, personaId, isOwn: true })
}

function damaged(problem: string): SnapshotError {
  return new SnapshotError('SNAPSHOT_DAMAGED', `the snapshot ${problem}`, 'copy it again from where it was made')
}
