/** The mark of a salvaged store: it may be older than the tables that were signed, so the daemon treats it as a copy (docs/backup.md, section 4). */
import type { Store, Write } from '../store.ts'

const KEY = 'salvaged/here'

/** Salvage writes it first, so that not even half a salvaged store is taken for a whole one. */
export const MARK_SALVAGED: Write = { key: KEY, value: Uint8Array.of(1) }

/** The daemon removes the mark once it has rebuilt what salvage cannot, and signs nothing until it is reconciled. */
export const UNMARK_SALVAGED: Write = { key: KEY, value: null }

/** @throws {StoreError} as {@link Store.get} */
export function isSalvaged(store: Store): boolean {
  return store.get(KEY) !== undefined
}
