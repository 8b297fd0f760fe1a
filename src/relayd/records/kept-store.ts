/**
 * The records on disk, with those that were read last also in memory. A relay reads two or three records for each message, and
 * LevelDB takes 10 us for one in its log and 40 us for one in a table: as long as all else that a read of a box does.
 */
import { StoreError } from '../../store/errors.ts'
import type { Entry, Range, ResumableStore, Write } from '../../store/store.ts'

const MAX_KEPT_BYTES: number = 64 << 20 // sanity: the records of 200 000 boxes, or what 60 full boxes hold; a twelfth of the unit's memory
const ENTRY_BYTES = 160 // sanity: an entry of a Map, a string and a typed array, beside their own bytes

export class KeptStore implements ResumableStore {
  readonly #store: ResumableStore
  readonly #maxBytes: number
  /** Content of the disk; null for a record that is not there. The first are those that were kept first. */
  readonly #kept = new Map<string, Uint8Array | null>()
  #bytes = 0

  constructor(store: ResumableStore, maxBytes: number = MAX_KEPT_BYTES) {
    this.#store = store
    this.#maxBytes = maxBytes
  }

  /** About how many bytes the kept records take. */
  get bytes(): number {
    return this.#bytes
  }

  /** @returns bytes that nobody may change @throws {StoreError} as {@link ResumableStore.get} */
  get(key: string): Uint8Array | undefined {
    const kept = this.#kept.get(key)
    if (kept !== undefined) return kept ?? undefined
    const value = this.#store.get(key)
    this.#keep(key, value ?? null)
    return value
  }

  iterate(range: Range): AsyncIterable<Entry> {
    return this.#store.iterate(range)
  }

  /** @throws {StoreError} as {@link ResumableStore.commit} */
  async commit(writes: readonly Write[]): Promise<void> {
    try {
      await this.#store.commit(writes)
    } catch (error) {
      // A full disk changes nothing. After any other failure the store has stopped, and all reads say so.
      if (!(error instanceof StoreError && error.code === 'STORE_DISK_FULL')) this.#forgetAll()
      throw error
    }
    // Only what somebody has read, since many records are written, and never read by their key. The commits of a store end in the order in
    // which they began, so the last value stays.
    for (const { key, value } of writes) if (this.#kept.has(key)) this.#keep(key, value)
  }

  resume(): Promise<boolean> {
    return this.#store.resume()
  }

  compact(from: string, to: string): Promise<void> {
    return this.#store.compact(from, to)
  }

  close(): Promise<void> {
    this.#forgetAll()
    return this.#store.close()
  }

  #forgetAll(): void {
    this.#kept.clear()
    this.#bytes = 0
  }

  #keep(key: string, value: Uint8Array | null): void {
    const before = this.#kept.get(key)
    if (before !== undefined) this.#bytes -= sizeOf(key, before)
    this.#kept.set(key, value)
    this.#bytes += sizeOf(key, value)
    if (this.#bytes <= this.#maxBytes) return
    for (const [oldest, bytes] of this.#kept) {
      if (this.#bytes <= this.#maxBytes) break
      this.#kept.delete(oldest)
      this.#bytes -= sizeOf(oldest, bytes)
    }
  }
}

function sizeOf(key: string, value: Uint8Array | null): number {
  return ENTRY_BYTES + key.length + (value?.length ?? 0)
}
