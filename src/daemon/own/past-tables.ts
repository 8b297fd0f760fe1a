/** The own tables that were head. They prove later which table descends from which, and which were signed elsewhere (docs/format.md, section 9). */
import { formatHex } from '../../core/encoding/bytes.ts'
import type { VerifiedBlob } from '../../core/verify.ts'
import type { State } from '../state/state.ts'
import { pointOf } from './own-records.ts'
import { MAX_PAST_TABLES, type PastTable } from '../state/own-record.ts'

const FIRST_ID = 5_000_000_000 // ids of ten digits grow to both sides: newer tables come after, a sibling's before those seen here

/** A table beside the id of its record. */
export type NumberedTable = readonly [id: string, table: PastTable]

/** In memory as on disk, also after a change that was given up. */
export class PastTables {
  readonly #state: State
  /** The newest last, as in the store. */
  #kept: readonly NumberedTable[]

  /** @param kept those of the store, in the order of their ids */
  constructor(state: State, kept: readonly NumberedTable[]) {
    this.#state = state
    this.#kept = kept
  }

  /** @param prefix of T: all of its 64 hex digits, or the first 32, as `prev` has them */
  find(prefix: string): PastTable | undefined {
    return this.#kept.find(([, table]) => table.tableHash.startsWith(prefix))?.[1]
  }

  /** Whether some table stood at this place of the order. */
  hadAt(epoch: number, seq: number): boolean {
    return this.#kept.some(([, table]) => table.epoch === epoch && table.seq === seq)
  }

  /** A table is the head. */
  note(blob: VerifiedBlob): void {
    const table = { ...pointOf(blob), prev: formatHex(blob.prev) }
    const newest = this.#kept.at(-1)
    if (newest?.[1].tableHash === table.tableHash) return
    const again = this.#kept.filter(([, known]) => known.tableHash === table.tableHash)
    const id = newest === undefined ? FIRST_ID : Number(newest[0]) + 1
    const others = this.#kept.filter((known) => !again.includes(known))
    const tooMany = others.slice(0, Math.max(0, others.length + 1 - MAX_PAST_TABLES))
    this.#forget([...again, ...tooMany])
    this.#put([...others.slice(tooMany.length), [String(id), table]])
  }

  /**
   * Adds the tables of a sibling or backup. Nobody can check them, so they get only the room that is left, and go first.
   * @param tables the newest last
   */
  add(tables: readonly PastTable[]): void {
    const news = tables.filter(({ tableHash }) => this.find(tableHash) === undefined)
    const room = MAX_PAST_TABLES - this.#kept.length
    const taken = room === 0 ? [] : news.slice(-room)
    const oldest = this.#kept[0]
    const first = oldest === undefined ? FIRST_ID : Number(oldest[0]) - taken.length
    this.#put([...taken.map((table, i) => [String(first + i), table] as const), ...this.#kept])
  }

  /** The persona goes. */
  clear(): void {
    this.#forget(this.#kept)
    this.#put([])
  }

  #forget(tables: readonly NumberedTable[]): void {
    for (const [id] of tables) this.#state.stage(this.#state.records.past.remove(id))
  }

  #put(kept: readonly NumberedTable[]): void {
    const before = this.#kept
    for (const [id, table] of kept)
      if (!before.some(([known]) => known === id)) this.#state.stage(this.#state.records.past.put(id, table))
    this.#kept = kept
    this.#state.onUndo(() => {
      this.#kept = before
    })
  }
}
