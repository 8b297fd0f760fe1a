/** The store on LevelDB. It verifies the files before opening, updates the anchor at each commit, and stops at the first failed write (docs/decisions/0004). */
import { mkdir, readdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Level } from 'level'
import { createAnchor, openAnchor } from './anchor.ts'
import type { Anchor } from './anchor.ts'
import { decodeMark, encodeMark, MARK_KEY } from './commit-mark.ts'
import type { CommitMark } from './commit-mark.ts'
import { missingFile, StoreError, storeErrorOf } from './errors.ts'
import { GroupCommit } from './group-commit.ts'
import { checkLevelFiles } from './leveldb-check.ts'
import type { StateLock } from './lock.ts'
import { checkSchema, SCHEMA } from './migrations.ts'
import { decodeRecord, encodeRecord } from './record.ts'
import { hasRoom } from './room.ts'
import { isErrno, syncDirectory } from './state-dir.ts'
import type { StatePaths } from './state-dir.ts'
import { checkKey, checkRange, KEY_RANGE_END } from './store.ts'
import type { Entry, Range, ResumableStore, Write } from './store.ts'

const PAGE_ENTRIES = 256 // entries read from LevelDB at a time: 2.9 us each, so the event loop is free again within 1 ms

type Database = Level<string, Uint8Array>

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

/** The open files of a store. */
interface Files {
  readonly db: Database
  readonly anchor: Anchor
  /** Of the last commit. */
  readonly number: number
}

async function openFiles(paths: StatePaths): Promise<Files> {
  let anchor: Anchor | null = null
  let db: Database | undefined
  try {
    anchor = await openAnchor(paths.anchor)
    if (anchor !== null) checkSchema(anchor.mark.schema, paths.anchor)
    const exists = await checkBeforeOpening(paths, anchor)
    await mkdir(paths.store, { recursive: true, mode: 0o700 })
    // Constructed only here, because Level opens by itself. No compression: it gains nothing on keys and signatures, and we could not verify
    // compressed blocks without a decoder.
    db = new Level(paths.store, {
      keyEncoding: 'utf8',
      valueEncoding: 'view',
      compression: false,
      createIfMissing: !exists,
    })
    await db.open()
    // LevelDB renames CURRENT without syncing the directory.
    await syncDirectory(paths.store)
    const { number } = readMark(db)
    if (anchor !== null && number < anchor.mark.number) throw lostWrites(paths, number, anchor)
    anchor ??= await firstCommit(db, paths, number)
    return { db, anchor, number: Math.max(number, anchor.mark.number) }
  } catch (cause) {
    await anchor?.close()
    await db?.close()
    throw storeErrorOf(cause, 'open', paths.store)
  }
}

/** Makes every check that is possible before LevelDB changes the first byte. @returns whether there is a store */
async function checkBeforeOpening(paths: StatePaths, anchor: Anchor | null): Promise<boolean> {
  const inState = await namesIn(join(paths.store, '..'))
  const inStore = await namesIn(paths.store)
  if (!inStore.includes('CURRENT')) {
    // A crash while LevelDB makes a new store leaves no log or table without CURRENT.
    const remains = inStore.find((name) => /\.(?:log|ldb|sst)$/.test(name))
    const other = remains ?? ['anchor', 'secrets', 'seed'].find((name) => inState.includes(name))
    if (other !== undefined) throw missingFile(join(paths.store, 'CURRENT'), `"${other}" shows that there was a store`)
    return false
  }
  const lastCommit = await checkLevelFiles(paths.store)
  if (anchor !== null && lastCommit !== null && lastCommit < anchor.mark.number)
    throw lostWrites(paths, lastCommit, anchor)
  return true
}

async function namesIn(directory: string): Promise<string[]> {
  try {
    return await readdir(directory)
  } catch (cause) {
    if (isErrno(cause, 'ENOENT')) return []
    throw cause
  }
}

function readMark(db: Database): CommitMark {
  const record = db.getSync(MARK_KEY)
  return record === undefined ? { schema: 0, number: 0 } : decodeMark(decodeRecord(MARK_KEY, record))
}

/** Writes commit 1, which is empty, and then the anchor. From then on a missing anchor means a loss. */
async function firstCommit(db: Database, paths: StatePaths, number: number): Promise<Anchor> {
  if (number > 1) throw missingFile(paths.anchor, `the store is at commit ${number}`)
  // After a crash, commit 1 may exist without an anchor. Writing it again changes nothing.
  await writeBatch(db, 1, [])
  await createAnchor(paths.anchor, { schema: SCHEMA, number: 1 })
  const anchor = await openAnchor(paths.anchor)
  if (anchor === null) throw new Error('the anchor that was just written is gone')
  return anchor
}

async function writeBatch(db: Database, number: number, writes: readonly Write[]): Promise<void> {
  const mark = {
    type: 'put' as const,
    key: MARK_KEY,
    value: encodeRecord(MARK_KEY, encodeMark({ schema: SCHEMA, number })),
  }
  const rest = writes.map(({ key, value }) =>
    value === null ? { type: 'del' as const, key } : { type: 'put' as const, key, value: encodeRecord(key, value) },
  )
  // The mark comes first, where checkLevelFiles expects it.
  await db.batch([mark, ...rest], { sync: true })
}

function lostWrites(paths: StatePaths, number: number, anchor: Anchor): StoreError {
  const message = `${paths.store} ends at commit ${number}, but commit ${anchor.mark.number} was acknowledged, so writes are lost`
  return new StoreError('STORE_LOST_WRITES', message)
}

class LevelStore implements ResumableStore {
  /** null while it opens them again. */
  #files: Files | null
  readonly #paths: StatePaths
  readonly #commits: GroupCommit
  /** Of the last acknowledged commit. */
  #number: number
  /** Restores what was there before the write that failed, should that write be on disk after all. */
  #restore: readonly Write[] = []

  constructor(files: Files, paths: StatePaths, intercept: Intercept) {
    this.#files = files
    this.#paths = paths
    this.#number = files.number
    this.#commits = new GroupCommit((writes) => this.#write(writes, intercept), paths.store)
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
    if (!this.#commits.isFull) return true
    if (!(await hasRoom(dirname(this.#paths.store)))) return false
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
    try {
      await intercept('anchor', () => anchor.write({ schema: SCHEMA, number }))
    } catch (cause) {
      // Readers see the commit by now, so not even a full disk is outlasted here. The file has its size from the start.
      throw new StoreError('STORE_IO', `cannot write ${this.#paths.anchor}`, { cause })
    }
    this.#number = number
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
