/**
 * Takes a snapshot into the state (docs/backup.md), as one outcome: it arrives beside the state, record by record, and is checked; only
 * when its last line has confirmed the whole is it taken, each record in one commit with its removal from what arrived.
 *
 * Crash before the whole was confirmed: start-up throws away what arrived, and the state never saw any of it. Crash while it is taken:
 * start-up takes the rest. The owner's record comes last, in one commit with the owner's persona, so until then there is no persona here.
 */
import { ContactError } from '../contacts/errors.ts'
import { SnapshotError } from './errors.ts'
import { formatHex } from '../../core/encoding/bytes.ts'
import type { Keeper } from '../keeper/keeper.ts'
import {
  IMPORT,
  MAX_PAST_TABLES,
  type ImportRecord,
  type PersonaRecord,
  type SnapshotItem,
  type WingItem,
} from '../state/records.ts'
import { arrivedOwner, clearArrivals, idOfArrival, applyArrivals } from './arrivals.ts'
import { checkItem, checkOwnRoot } from './check.ts'
import type { Purpose } from '../state/kind.ts'
import { SnapshotReader } from './stream.ts'

const MAX_ARRIVALS = 2_000_000 // sanity: 100 000 contacts with 10 devices each, and as much again
const MAX_INTENTS = 1024 // sanity: they are taken in one commit; the journal keeps a quarter of it

export interface ImportOptions {
  /** The sibling whose state it is, 1..100 characters; null for this persona's own past, whose reports keep their sources. */
  readonly sibling: string | null
  /** Whether `adopt` brings the signing key that belongs to it: then the later position in the key chain is taken as well. */
  readonly withKeys: boolean
}

/** What was taken. */
export interface ImportResult {
  readonly personaId: string | null
  readonly contacts: number
  readonly devices: number
}

const ID_BYTES = 8 // sanity: one import at a time, and the one before

export class SnapshotImport {
  readonly #keeper: Keeper
  readonly #options: ImportOptions
  /** A restore and a pairing know nothing of each other, and there is one place where records arrive: the store says whose they are. */
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
   * Begins an import, which ends the one before; what arrived of that is thrown away.
   * @throws {StoreError}
   */
  static async begin(keeper: Keeper, options: ImportOptions): Promise<SnapshotImport> {
    const { state } = keeper
    // Not while one is being taken, whose records it would clear away.
    return await keeper.serializeInit(async () => {
      if (isTaking(keeper)) throw new Error('an import that was confirmed waits for the next start')
      const begun = new SnapshotImport(keeper, options)
      await clearArrivals(state)
      await keeper.change(() => state.stage(state.records.imports.put(IMPORT, { state: 'arriving', id: begun.#id })))
      return begun
    })
  }

  /**
   * Takes the next bytes, and has them on disk when it returns.
   * @param chunk at most 1 MiB; cut anywhere
   * @throws {SnapshotError} SNAPSHOT_DAMAGED | SNAPSHOT_UNKNOWN_VERSION | SNAPSHOT_UNKNOWN_KIND | SNAPSHOT_INVALID | TRANSFER_ENDED
   */
  async push(chunk: Uint8Array): Promise<void> {
    const { state } = this.#keeper
    const items = this.#reader.push(chunk)
    if (items.length === 0) return
    for (const item of items) this.#check(item)
    await this.#keeper.change(() => {
      this.#checkUnderWay()
      for (const item of items) {
        const id = idOfArrival(item, this.#ownId)
        if (state.records.arrivals.get(id) !== undefined) throw damaged(`has ${item.kind} ${item.id} twice`)
        state.stage(state.records.arrivals.put(id, item))
      }
    })
  }

  /**
   * Takes the whole into the state.
   * @param adopt makes the secrets durable that belong to it; called when all else is known to be good, and before anything is taken
   * @throws {KeeperError} SNAPSHOT_CUT | SNAPSHOT_FOREIGN | SNAPSHOT_INVALID | CHAIN_DIFFERS | TRANSFER_ENDED, with nothing taken
   */
  async finish(adopt: () => Promise<void> = () => Promise.resolve()): Promise<ImportResult> {
    const { personaId: ownId } = this.#reader.end()
    // No change by somebody else may settle the keys meanwhile: by the old head it would erase the key that has just come.
    await this.#keeper.serializeInit(() => this.#keeper.keys.inTurn(() => this.#take(ownId, adopt)))
    return { personaId: ownId, contacts: this.#contacts, devices: this.#devices }
  }

  async #take(ownId: string | null, adopt: () => Promise<void>): Promise<void> {
    const keeper = this.#keeper
    const { state, own } = keeper
    this.#checkUnderWay()
    this.#checkOwner(ownId)
    await adopt()
    const { sibling, withKeys } = this.#options
    const source = sibling === null ? null : `sibling:${sibling}`
    const taking: ImportRecord = { state: 'taking', source, withKeys, ownId }
    await keeper.changeKeys(() => state.stage(state.records.imports.put(IMPORT, taking)))
    await applyArrivals(taking, own, state, (decide) => keeper.changeKeys(decide))
    await keeper.keys.eraseSpentKeysNow()
  }

  /** Throws away what arrived; what was confirmed is not thrown away any more. @throws {StoreError} */
  async abort(): Promise<void> {
    if (this.#isUnderWay) await clearArrivals(this.#keeper.state)
  }

  get #ownId(): string | null {
    return this.#reader.header?.personaId ?? null
  }

  get #isUnderWay(): boolean {
    const current = this.#keeper.state.records.imports.get(IMPORT)
    return current?.state === 'arriving' && current.id === this.#id
  }

  #checkUnderWay(): void {
    if (this.#isUnderWay) return
    const message = 'another restore or pairing was begun since, and what had arrived of this one is gone'
    throw new SnapshotError('TRANSFER_ENDED', message, 'begin again')
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
      throw damaged('is not of whom its first line names')
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
      const message = `the snapshot is not of the persona that is here, ${here}`
      throw new SnapshotError('SNAPSHOT_FOREIGN', message, 'one daemon keeps one persona')
    }
    if (ownId === null) return
    const { own, persona } = arrivedOwner(state)
    if (own === undefined || persona === undefined || persona.head === null) throw damaged("lacks the owner's records")
    checkOwnRoot(own, persona.root, state)
    const pinned = state.persona(ownId)
    if (pinned === undefined) return
    if (here === null && pinned.root !== persona.root) throw metBefore(pinned)
    checkOwnRoot(own, pinned.root, state)
  }
}

function isTaking({ state }: Keeper): boolean {
  return state.records.imports.get(IMPORT)?.state === 'taking'
}

/** Which of the two is the owner's nothing here can tell: a thief of the first key may have been met first. */
function metBefore({ entry, personaId }: PersonaRecord): ContactError {
  const name = entry?.name ?? personaId
  const message = `${name} is a contact here with the same PersonaID but another key chain: somebody who stole the first key made one of the two`
  const hint = 'if you trust the source of this snapshot, forget that contact and start again'
  return new ContactError('CHAIN_DIFFERS', message, hint, { contact: name, personaId, isOwn: true })
}

function damaged(what: string): SnapshotError {
  return new SnapshotError('SNAPSHOT_DAMAGED', `the snapshot ${what}`, 'copy it again from where it was made')
}
