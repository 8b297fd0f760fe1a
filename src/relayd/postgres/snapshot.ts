/**
 * The records that some turns read and write, over one connection. A turn needs a record at once, and a database answers later. So a turn
 * that asks for a record that is not here gets nothing, and runs again once it is. Its writes stay here until they go to the database together.
 */
import { PersonadError } from '../../errors/personad-error.ts'
import { checkCommit, KEY_RANGE_END, type Entry, type Range, type Store, type Write } from '../../store/store.ts'
import { recordsOf, type Records } from '../records/records.ts'
import type { Connection, Query, QueryResult } from './driver.ts'
import {
  lockAbsent,
  lockByKeys,
  putRecords,
  removeRecords,
  selectByKeys,
  selectMessages,
  selectRange,
  tableOf,
  type KeyRange,
  type RecordTable,
} from './tables.ts'
import { readTotals, selectTotals, TOTALS, TURN_TOTALS, type ChangedTotals } from './totals.ts'

/** A turn that only looks wants to write. */
export class WantsToWrite extends PersonadError<'WANTS_TO_WRITE'> {
  override readonly name = 'WantsToWrite'

  constructor() {
    super('WANTS_TO_WRITE', 'the turn only looks, and wants to write')
  }
}

/** A turn cannot go on before its records are read. */
class Unread extends Error {}

/** Nobody reads these to change them by what is there. */
const NEVER_LOCKED = new Set([TOTALS, 'start/answers'])
/** Whoever changes one of these holds the lock of its box, its inbox or its persona. */
const OF_A_LOCKED_ONE = ['msg/', 'entry/', 'sender/', 'mark/', 'card/']

/** `look`: each read is on its own. `change`: what was read stays as it is until the end of the transaction. */
export type Mode = 'look' | 'change'

export class Snapshot implements Store {
  readonly records: Records
  readonly #connection: Connection
  readonly #mode: Mode
  /** Null for a record that is not there. */
  readonly #loaded = new Map<string, Uint8Array | null>()
  /** Changes that the database does not have yet. */
  readonly #changed = new Map<string, Uint8Array | null>()
  /** Changes of the turn that runs. */
  #own = new Map<string, Uint8Array | null>()
  readonly #unread = new Set<string>()
  #hasFlushed = false

  constructor(connection: Connection, mode: Mode) {
    this.#connection = connection
    this.#mode = mode
    this.records = recordsOf(this, TURN_TOTALS)
  }

  get(key: string): Uint8Array | undefined {
    let value = this.#own.get(key)
    if (value === undefined) value = this.#changed.get(key)
    if (value === undefined) value = this.#loaded.get(key)
    if (value === undefined) this.#unread.add(key)
    return value ?? undefined
  }

  /** Whatever the turn wrote before it stays, also if the turn has to run again. */
  async *iterate({ prefix, after, limit }: Range): AsyncGenerator<Entry, void, undefined> {
    if (this.#unread.size > 0) throw new Unread()
    this.#keepOwn()
    const reading = selectRange(after ?? prefix, prefix + KEY_RANGE_END, limit ?? null)
    const flush = this.#flush()
    this.#hasFlushed ||= flush.length > 0
    const { rows } = await this.#all([...flush, reading])
    for (const row of rows) {
      const { key, value } = entryOf(row)
      this.#loaded.set(key, value)
      yield { key, value }
    }
  }

  async commit(writes: readonly Write[]): Promise<void> {
    if (this.#unread.size > 0 || writes.length === 0) return
    if (this.#mode === 'look') throw new WantsToWrite()
    checkCommit(writes)
    for (const { key, value } of writes) this.#own.set(key, value)
  }

  /** Runs a statement within a turn, once all that the turn asked for is here. */
  async run(query: Query): Promise<QueryResult> {
    if (this.#unread.size > 0) throw new Unread()
    return await this.#connection.query(query)
  }

  async close(): Promise<void> {}

  /** Runs a turn. @returns null if it asked for records that are not here: read them, and run it again */
  async attempt<Result>(turn: () => Promise<Result>): Promise<{ readonly result: Result } | null> {
    this.#own = new Map()
    this.#unread.clear()
    try {
      const result = await turn()
      if (this.#unread.size > 0) return null
      this.#keepOwn()
      return { result }
    } catch (error) {
      // A turn that misses a record may stumble over that.
      if (this.#unread.size > 0) return null
      throw error
    }
  }

  /** The records that the last turn asked for. */
  get unread(): readonly string[] {
    return [...this.#unread]
  }

  /** Reads records, and locks them in a change. @param likely messages whose boxes are among the keys: so a lock of their box is held */
  async load(keys: readonly string[], likely: readonly KeyRange[] = []): Promise<void> {
    const wanted = [...new Set(keys)].filter((key) => !this.#loaded.has(key))
    await Promise.all([this.#read(wanted), likely.length > 0 ? this.#take(selectMessages(likely), []) : null])
    if (this.#mode === 'look') return
    const absent = wanted.filter(
      (key) => this.#loaded.get(key) === null && !OF_A_LOCKED_ONE.some((prefix) => key.startsWith(prefix)),
    )
    if (absent.length === 0) return
    // Somebody else may make one until it is locked.
    await Promise.all([this.#connection.query(lockAbsent(absent)), this.#read(absent)])
  }

  /** The statements that bring all changes to the database, but for those of the totals. */
  flush(): Query[] {
    return this.#flush()
  }

  /** The totals as the database had them, and as they are after the turns; null if they did not change. */
  get totals(): ChangedTotals | null {
    const [before, after] = [this.#loaded.get(TOTALS), this.#changed.get(TOTALS)]
    if (after === undefined || after === null || before === undefined || before === null) return null
    const [was, is] = [before, after].map((value) => this.records.totals.read({ key: TOTALS, value })[1])
    return { before: was!, after: is! }
  }

  /**
   * Takes back all that the turns wrote, and locks the totals: then they run again. It does not for turns of which a part is in the database
   * already; those delete.
   * @returns whether it did
   */
  async lockTotals(): Promise<boolean> {
    if (this.#hasFlushed) return false
    this.#changed.clear()
    await this.#takeTotals(true)
    return true
  }

  #keepOwn(): void {
    for (const [key, value] of this.#own) this.#changed.set(key, value)
    this.#own = new Map()
  }

  async #read(keys: readonly string[]): Promise<void> {
    const reads: Promise<void>[] = []
    for (const [table, ofTable] of byTable(keys)) {
      const [free, locked] = [true, false].map((isFree) =>
        ofTable.filter((key) => (this.#mode === 'look' || NEVER_LOCKED.has(key)) === isFree),
      )
      if (free!.length > 0) reads.push(this.#take(selectByKeys(table, free!), free!))
      if (locked!.length > 0) reads.push(this.#take(lockByKeys(table, locked!), locked!))
    }
    if (keys.includes(TOTALS)) reads.push(this.#takeTotals(false))
    await Promise.all(reads)
  }

  async #take(query: Query, keys: readonly string[]): Promise<void> {
    const { rows } = await this.#connection.query(query)
    for (const key of keys) this.#loaded.set(key, null)
    for (const row of rows) {
      const { key, value } = entryOf(row)
      this.#loaded.set(key, value)
    }
  }

  async #takeTotals(isLocked: boolean): Promise<void> {
    const { rows } = await this.#connection.query(selectTotals(isLocked))
    this.#loaded.set(TOTALS, this.records.totals.put('all', readTotals(rows[0])).value)
  }

  #flush(): Query[] {
    const queries: Query[] = []
    for (const [table, keys] of byTable(this.#changed.keys())) {
      const put: (readonly [string, Uint8Array])[] = []
      const removed: string[] = []
      for (const key of keys) {
        const value = this.#changed.get(key)!
        if (value !== null) put.push([key, value])
        else if (this.#loaded.get(key) !== null) removed.push(key)
        this.#loaded.set(key, value)
        this.#changed.delete(key)
      }
      if (put.length > 0) queries.push(putRecords(table, put))
      if (removed.length > 0) queries.push(removeRecords(table, removed))
    }
    return queries
  }

  /** Runs statements one after the other. @returns the answer to the last */
  async #all(queries: readonly Query[]): Promise<QueryResult> {
    const results = await Promise.all(queries.map((query) => this.#connection.query(query)))
    return results.at(-1)!
  }
}

function entryOf([key, value]: readonly unknown[]): Entry {
  // As of any other store: a Buffer copies less than it seems to.
  const { buffer, byteOffset, length } = value as Buffer
  return { key: key as string, value: new Uint8Array(buffer, byteOffset, length) }
}

/** The keys of each table, but for the totals. Records come first: they hold the locks. */
function byTable(keys: Iterable<string>): ReadonlyMap<RecordTable, string[]> {
  const tables = new Map<RecordTable, string[]>([
    ['record', []],
    ['message', []],
    ['passing', []],
  ])
  for (const key of keys) if (key !== TOTALS) tables.get(tableOf(key))!.push(key)
  return tables
}
