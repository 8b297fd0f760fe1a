/**
 * The records on disk, with those that were read last also in memory, and those that are about to be read. A relay reads two or three
 * records for each message, and LevelDB takes 10 us for one in its log and 40 us for one in a table: as long as all else that a read of a
 * box does.
 */
import { StoreError } from '../../store/errors.ts'
import type { Entry, Range, ResumableStore, Write } from '../../store/store.ts'
import { KeptRecords } from './kept-records.ts'

const MAX_READ_BYTES: number = 64 << 20 // sanity: the records of 500 000 boxes, or what 60 full boxes hold; with the index an eighth of the unit's memory
const MAX_NEW_BYTES: number = 32 << 20 // sanity: 30 000 messages of 1 KB, more than a relay takes in ten seconds; most are fetched in one

export interface KeptOptions {
  readonly maxReadBytes?: number
  readonly maxNewBytes?: number
  /** The beginning of the keys of records that somebody reads soon after they were written; no other record is kept before it was read. */
  readonly readSoon: string
}

export class KeptStore implements ResumableStore {
  readonly #store: ResumableStore
  readonly #readSoon: string
  /** Content of the disk that was read. */
  readonly #read: KeptRecords
  /** Content of the disk that was written, and that nobody has read from there. Apart: else many messages would drive out all boxes. */
  readonly #new: KeptRecords

  constructor(
    store: ResumableStore,
    { readSoon, maxReadBytes = MAX_READ_BYTES, maxNewBytes = MAX_NEW_BYTES }: KeptOptions,
  ) {
    this.#store = store
    this.#readSoon = readSoon
    this.#read = new KeptRecords(maxReadBytes)
    this.#new = new KeptRecords(maxNewBytes)
  }

  /** About how many bytes the kept records take. */
  get bytes(): number {
    return this.#read.bytes + this.#new.bytes
  }

  /** @returns bytes that nobody may change @throws {StoreError} as {@link ResumableStore.get} */
  get(key: string): Uint8Array | undefined {
    let kept = this.#read.get(key)
    if (kept === undefined) kept = this.#new.get(key)
    if (kept !== undefined) return kept ?? undefined
    const value = this.#store.get(key)
    this.#read.keep(key, value ?? null)
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
    // The commits of a store end in the order in which they began, so the last value stays.
    for (const write of writes) this.#note(write)
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

  /** Notes what is on disk now. Many records are written, and never read by their key. */
  #note({ key, value }: Write): void {
    if (this.#read.has(key)) this.#read.keep(key, value)
    else if (value === null) this.#new.drop(key)
    else if (key.startsWith(this.#readSoon)) this.#new.keep(key, value)
  }

  #forgetAll(): void {
    this.#read.clear()
    this.#new.clear()
  }
}
