/** Opens and verifies the files of a store, and writes a batch to them. */
import { mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { Level } from 'level'
import { createAnchor, openAnchor } from './anchor.ts'
import type { Anchor } from './anchor.ts'
import { decodeMark, encodeMark, MARK_KEY } from './commit-mark.ts'
import type { CommitMark } from './commit-mark.ts'
import { missingFile, StoreError, storeErrorOf } from './errors.ts'
import { checkLevelFiles } from './leveldb-check.ts'
import { checkSchema, SCHEMA } from './migrations.ts'
import { decodeRecord, encodeRecord } from './record.ts'
import { isErrno, syncDirectory } from './state-dir.ts'
import type { StatePaths } from './state-dir.ts'
import { closeToOthers } from './state-files.ts'
import type { Write } from './store.ts'
import { identityOf } from './witness.ts'

/** The types of `level` are also those of its form for browsers, which has no such call. */
export type Database = Level<string, Uint8Array> & { compactRange(from: string, to: string): Promise<void> }

/** The open files of a store. */
export interface Files {
  readonly db: Database
  readonly anchor: Anchor
  /** The number of the last commit. */
  readonly number: number
  /** The identity of the files that were opened: see witness.ts. */
  readonly identities: { readonly anchor: string | null; readonly store: string | null }
}

/**
 * Makes a new store only if the directory has no part of a store and no secrets.
 * @throws {StoreError} STORE_MISSING | STORE_CORRUPT | STORE_LOST_WRITES | STORE_SCHEMA_NEWER | STORE_DISK_FULL | STORE_IO
 */
export async function openFiles(paths: StatePaths): Promise<Files> {
  let anchor: Anchor | null = null
  let db: Database | undefined
  try {
    anchor = await openAnchor(paths.anchor)
    if (anchor !== null) checkSchema(anchor.mark.schema, paths.anchor)
    const exists = await checkBeforeOpening(paths, anchor)
    await mkdir(paths.store, { recursive: true, mode: 0o700 })
    // Constructed only here, because Level opens by itself. No compression: it gains nothing on keys and signatures, and we could not verify
    // compressed blocks without a decoder.
    const opened = new Level<string, Uint8Array>(paths.store, {
      keyEncoding: 'utf8',
      valueEncoding: 'view',
      compression: false,
      createIfMissing: !exists,
    })
    db = opened as Database
    await db.open()
    // LevelDB renames CURRENT without syncing the directory.
    await syncDirectory(paths.store)
    const { number } = readMark(db)
    if (anchor !== null && number < anchor.mark.number) throw lostWrites(paths, number, anchor)
    anchor ??= await firstCommit(db, paths, number)
    await closeToOthers(paths.store)
    const identities = { anchor: await identityOf(paths.anchor), store: await identityOf(paths.store) }
    return { db, anchor, number: Math.max(number, anchor.mark.number), identities }
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

export function readMark(db: Database): CommitMark {
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

export async function writeBatch(db: Database, number: number, writes: readonly Write[]): Promise<void> {
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
