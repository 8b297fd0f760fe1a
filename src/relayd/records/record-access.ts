/** The way in which each part of the store on records reads and writes. */
import type { Write } from '../../store/store.ts'
import type { Records } from './records.ts'
import type { StoreLimits } from '../store/rules.ts'

export interface RecordAccess {
  /** The records as they will be. */
  readonly coming: Records
  /** The records as they are on disk. */
  readonly present: Records
  readonly limits: StoreLimits
  /** @returns false if the disk is full, so that nothing was changed */
  readonly write: (writes: readonly Write[]) => Promise<boolean>
  /** @throws {StoreError} STORE_DISK_FULL too */
  readonly commit: (writes: readonly Write[]) => Promise<void>
  /** Ends once the store can be read: it cannot for some milliseconds after a full disk. Null while it can. */
  readonly ready: () => Promise<void> | null
  /** Whether a change of a record is on its way. */
  readonly isComing: (key: string) => boolean
}
