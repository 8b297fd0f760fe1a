/** The store on LevelDB. It verifies the files before opening, updates the anchor at each commit, and stops at the first failed write (docs/decisions/0004). */
import { dirname } from 'node:path'
import { stateLost, StoreError, storeErrorOf } from './errors.ts'
import { endOfTurn, GroupCommit } from './group-commit.ts'
import { openFiles, readMark, writeBatch, type Database, type Files } from './level-files.ts'
import type { StateLock } from './lock.ts'
import { SCHEMA } from './migrations.ts'
import { decodeRecord } from './record.ts'
import { hasRoom } from './room.ts'
import type { StatePaths } from './state-dir.ts'
import { checkKey, checkRange, KEY_RANGE_END } from './store.ts'
import type { Entry, Range, ResumableStore, Write } from './store.ts'
import { identityOf } from './witness.ts'

const PAGE_ENTRIES = 256 // entries read from LevelDB at a time: 2.9 us each, so the event loop is free again within 1 ms

/** The two writes of a commit. Tests make each of them fail, before or after it reached the disk. */
export type WritePoint = 'batch' | 'anchor'
export type Intercept = (point: WritePoint, write: () => Promise<void>) => Promise<void>

/**
 * Opens the store of a locked state directory. It makes a new store only if the directory has no part of a store and no secrets.
 * @throws {StoreError} STORE_MISSING | STORE_CORRUPT | STORE_LOST_WRITES | STORE_SCHEMA_NEWER | STORE_DISK_FULL | STORE_IO
 */
export async function openLevelStore(
  lock: StateLock,
  intercept: Intercept = (_, write) => write(),
): Promise<ResumableStore> {
  return new LevelStore(await openFiles(lock.paths), lock.paths, intercept)
}

class LevelStore implements ResumableStore {
  /** null while it opens them again. */
  #files: Files | null
  readonly #paths: StatePaths
  readonly #commits: GroupCommit
  /** The number of the last acknowledged commit. */
  #number: number
  /** Restores what was there before the write that failed, should that write be on disk after all. */
  #restore: readonly Write[] = []

  constructor(files: Files, paths: StatePaths, intercept: Intercept) {
    this.#files = files
    this.#paths = paths
    this.#number = files.number
    // Calls that came to the daemon in one piece each decide a commit in the same turn of the event loop. One sync is enough for them.
    this.#commits = new GroupCommit((writes) => this.#write(writes, intercept), paths.store, endOfTurn)
  }

  get(key: string): Uint8Array | undefined {
    const { db } = this.#open()
    checkKey(key)
    let record: Uint8Array | undefined
    try {
      record = db.getSync(key)
    } catch (cause) {
      throw storeErrorOf(cause, 'read', this.#paths.store)
    }
    return record && decodeRecord(key, record)
  }

  async *iterate(range: Range): AsyncGenerator<Entry, void, undefined> {
    const { db } = this.#open()
    checkRange(range)
    const iterator = db.iterator(levelRange(range))
    try {
      for (;;) {
        this.#commits.checkReadable()
        const page = await iterator.nextv(PAGE_ENTRIES)
        if (page.length === 0) return
        for (const [key, record] of page) yield { key, value: decodeRecord(key, record) }
      }
    } catch (cause) {
      throw storeErrorOf(cause, 'read', this.#paths.store)
    } finally {
      await iterator.close()
    }
  }

  commit(writes: readonly Write[]): Promise<void> {
    return this.#commits.commit(writes)
  }

  async resume(): Promise<boolean> {
    if (!(await hasRoom(dirname(this.#paths.store)))) return false
    // Opened on a full disk, and no write has failed since.
    if (!this.#commits.isFull) return true
    try {
      await this.#closeFiles()
      // LevelDB may have written half a record. It must not append to that log any more, and a new opening begins another.
      const files = await openFiles(this.#paths)
      // Its callers got an error, and the state in memory does not have it.
      if (files.number > this.#number) await this.#takeBack(files)
      this.#files = files
    } catch (cause) {
      const error = storeErrorOf(cause, 'open', this.#paths.store)
      this.#commits.stop(new StoreError('STORE_STOPPED', `${this.#paths.store} was not opened again`, { cause: error }))
      throw error
    }
    this.#commits.resume()
    return true
  }

  async compact(from: string, to: string): Promise<void> {
    const { db } = this.#open()
    try {
      // LevelDB rewrites a table only together with one that lies over it, and puts a new table as deep as it can. So the first pass brings
      // down what is in memory, deleted values too. The second one lays a table over that, with nothing in it but the ends of the range.
      await db.compactRange(from, to)
      await this.commit([from, to].map((key) => ({ key, value: null })))
      await db.compactRange(from, to)
    } catch (cause) {
      throw storeErrorOf(cause, 'compact', this.#paths.store)
    }
  }

  async close(): Promise<void> {
    await this.#commits.close()
    await this.#closeFiles()
  }

  #open(): Files {
    this.#commits.checkReadable()
    if (this.#files === null) throw new StoreError('STORE_DISK_FULL', 'the store is being opened again; try again')
    return this.#files
  }

  async #closeFiles(): Promise<void> {
    const files = this.#files
    this.#files = null
    await files?.db.close()
    await files?.anchor.close()
  }

  async #takeBack({ db, anchor, number }: Files): Promise<void> {
    await writeBatch(db, number + 1, this.#restore)
    await anchor.write({ schema: SCHEMA, number: number + 1 })
    this.#number = number + 1
  }

  async #write(writes: readonly Write[], intercept: Intercept): Promise<void> {
    // Not null: nothing is queued before resume has opened them.
    const { db, anchor } = this.#files!
    const number = this.#number + 1
    try {
      await intercept('batch', () => writeBatch(db, number, writes))
    } catch (cause) {
      this.#restore = this.#before(db, number, writes)
      throw cause
    }
    // Crash here: the commit took effect, but no caller got an answer. The next start finds the store one ahead of the anchor, which is right.
    const [anchored, placed] = await Promise.allSettled([
      intercept('anchor', () => anchor.write({ schema: SCHEMA, number })),
      this.#checkPlace(),
    ])
    // Readers see the commit by now, so not even a full disk is outlasted here. The file has its size from the start.
    if (anchored.status === 'rejected')
      throw new StoreError('STORE_IO', `cannot write ${this.#paths.anchor}`, { cause: anchored.reason })
    if (placed.status === 'rejected') throw placed.reason
    this.#number = number
  }

  /**
   * No batch is acknowledged that went into files which were removed, or moved away. Call it once the batch is on disk. It runs beside the
   * anchor, where it costs no time. A removal while the anchor is written takes a whole commit with it, as one after the answer does. A copy
   * that is made after such a move has the batch too, and an anchor that may be one behind, which is right.
   */
  async #checkPlace(): Promise<void> {
    const { anchor, store } = this.#files!.identities
    const [anchorNow, storeNow] = await Promise.all([identityOf(this.#paths.anchor), identityOf(this.#paths.store)])
    if (anchorNow !== anchor || storeNow !== store) throw stateLost(dirname(this.#paths.store))
  }

  /** The values that a failed batch would have replaced. */
  #before(db: Database, number: number, writes: readonly Write[]): Write[] {
    if (readMark(db).number === number) throw new StoreError('STORE_IO', 'a failed batch shows to readers')
    return writes.map(({ key }) => {
      const record = db.getSync(key)
      return { key, value: record === undefined ? null : decodeRecord(key, record) }
    })
  }
}

function levelRange({ prefix, after, limit = -1, reverse = false }: Range): object {
  const bounds = { gte: prefix, lt: prefix + KEY_RANGE_END, limit, reverse }
  if (after === undefined) return bounds
  return reverse ? { ...bounds, lt: after } : { gt: after, lt: bounds.lt, limit }
}
