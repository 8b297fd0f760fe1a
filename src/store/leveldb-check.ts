/** Verifies all live files of a LevelDB directory before LevelDB opens it. LevelDB itself would drop unreadable data and overwrite it. */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { decodeUtf8 } from '../core/encoding/bytes.ts'
import { decodeMark, MARK_BYTES, MARK_KEY } from './commit-mark.ts'
import { corruptFile, missingFile } from './errors.ts'
import { LevelReader } from './leveldb-bytes.ts'
import { readLevelLog } from './leveldb-log.ts'
import { readManifest } from './leveldb-manifest.ts'
import type { LevelManifest } from './leveldb-manifest.ts'
import { checkLevelTable } from './leveldb-table.ts'
import { decodeRecord } from './record.ts'

const PUT = 1 // the tag of a put in a batch

/**
 * Reads CURRENT, the MANIFEST that it names, and the tables and logs that are live by it. It ignores other files, which LevelDB removes
 * after a crash or a compaction, and changes nothing. The caller holds the lock; otherwise a running writer would look like damage.
 * @param directory LevelDB's directory, with CURRENT in it
 * @returns number of the last commit in the logs; null if the logs have no commit, which is then in the tables
 * @throws {StoreError} STORE_CORRUPT | STORE_MISSING; the system's error otherwise
 */
export async function checkLevelFiles(directory: string): Promise<number | null> {
  const names = new Set(await readdir(directory))
  const manifest = await readCurrentManifest(directory, names)
  for (const [number, { size }] of manifest.tables) await checkOneTable(directory, names, number, size)
  return checkLogs(directory, names, manifest)
}

/** @throws {StoreError} STORE_CORRUPT | STORE_MISSING; the system's error otherwise */
export async function checkOneTable(
  directory: string,
  names: ReadonlySet<string>,
  number: number,
  size: number,
): Promise<void> {
  const name = ['ldb', 'sst'].map((suffix) => fileName(number, suffix)).find((name) => names.has(name))
  if (name === undefined) throw missingFile(join(directory, fileName(number, 'ldb')), 'it has part of the store')
  const bytes = await readFile(join(directory, name))
  if (bytes.length !== size) throw corruptFile(join(directory, name), bytes.length, `it should have ${size} bytes`)
  checkLevelTable(bytes, join(directory, name))
}

/** @returns number of the last commit in one log; null if it has none @throws {StoreError} STORE_CORRUPT */
export function checkOneLog(bytes: Uint8Array, file: string): number | null {
  return readLevelLog(bytes, file).reduce<number | null>((_, record, i) => readBatch(record, file, i).commit, null)
}

/** @throws {StoreError} STORE_CORRUPT | STORE_MISSING; the system's error otherwise */
export async function readCurrentManifest(directory: string, names: ReadonlySet<string>): Promise<LevelManifest> {
  const current = join(directory, 'CURRENT')
  const name = /^(MANIFEST-\d{6,})\n$/.exec(decodeUtf8(await readFile(current)) ?? '')?.[1]
  if (name === undefined) throw corruptFile(current, 0, 'it does not name a MANIFEST')
  const path = join(directory, name)
  if (!names.has(name)) throw missingFile(path, 'it lists the files of the store')
  return readManifest(await readFile(path), path)
}

async function checkLogs(
  directory: string,
  names: ReadonlySet<string>,
  manifest: LevelManifest,
): Promise<number | null> {
  const live = [...names]
    .map((name) => Number(/^(\d+)\.log$/.exec(name)?.[1] ?? -1))
    .filter((number) => number >= manifest.logNumber)
    .sort((a, b) => a - b)
  let sequence = manifest.lastSequence
  let lastCommit: number | null = null
  for (const number of live) {
    const file = join(directory, fileName(number, 'log'))
    for (const [i, record] of readLevelLog(await readFile(file), file).entries()) {
      const batch = readBatch(record, file, i)
      // LevelDB numbers every write. The manifest's number may be ahead of the first log's, since LevelDB notes it in the middle of a log.
      // If it is older, a log or the last edit of the manifest is gone.
      const isNext = batch.sequence === sequence + 1 || (lastCommit === null && batch.sequence <= sequence)
      if (!isNext)
        throw corruptFile(
          file,
          0,
          `write ${batch.sequence} follows write ${sequence}, so the writes between them are lost`,
        )
      sequence = batch.sequence + batch.count - 1
      lastCommit = batch.commit
    }
  }
  return lastCommit
}

/** Reads the start of a batch: sequence u64, count u32, then the writes. The store's first write is the commit mark. */
function readBatch(
  record: Uint8Array,
  file: string,
  index: number,
): { sequence: number; count: number; commit: number } {
  try {
    const reader = new LevelReader(record)
    const sequence = reader.u64()
    const count = reader.u32()
    if (reader.bytes(1)[0] !== PUT || decodeUtf8(reader.slice()) !== MARK_KEY) throw new Error('no commit mark')
    const mark = decodeRecord(MARK_KEY, reader.slice())
    if (mark.length !== MARK_BYTES) throw new Error('a commit mark of a wrong length')
    return { sequence, count, commit: decodeMark(mark).number }
  } catch (cause) {
    throw corruptFile(file, 0, `batch ${index} was not written by personad (${String(cause)})`)
  }
}

function fileName(number: number, suffix: string): string {
  return `${String(number).padStart(6, '0')}.${suffix}`
}
