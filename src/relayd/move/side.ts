/** One side of a move: a data directory, or a database. Both keep the same records under the same keys. */
import type { Entry } from '../../store/store.ts'
import type { ObjectBytes } from '../objects/object-bytes.ts'
import type { Totals } from '../records/records.ts'

export interface MoveSide {
  readonly files: ObjectBytes
  /** The records of a kind in the order of their keys. Totals are no records here. */
  records(kind: string): AsyncIterable<Entry>
  totals(): Promise<Totals>
  /** The key with which questions are made; null where there is none. */
  key(): Promise<Uint8Array | null>
  put(records: readonly Entry[]): Promise<void>
  /** Ends a move into this side: until then no relay opens it. */
  finish(totals: Totals, key: Uint8Array | null): Promise<void>
  close(): Promise<void>
}
