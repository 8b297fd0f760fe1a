/** Verifies all live files of a LevelDB directory before LevelDB opens it, drops what it cannot read, and writes over the rest. */
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
 * Reads CURRENT, the MANIFEST that it names, the tables and logs that are live by it, and nothing else: what a crash or a compaction
 * left behind is LevelDB's to remove. Changes nothing. The caller holds the lock, or a running writer looks like damage.
 * @param directory of LevelDB, in which CURRENT exists
 * @returns number of the last commit in the logs, or null when they hold none; it is in the tables then
 * @throws {StoreError} STORE_CORRUPT | STORE_MISSING; the system's error otherwise
 */
export async function checkLevelFiles(directory: string): Promise<number | null> {
  const names = new Set(await readdir(directory))
  const manifest = await readCurrentManifest(directory, names)
  for (const [number, { size }] of manifest.tables) {
    const name = ['ldb', 'sst'].map((suffix) => fileName(number, suffix)).find((name) => names.has(name))
    if (name === undefined) throw missingFile(join(directory, fileName(number, 'ldb')), 'it holds part of the store')
    const bytes = await readFile(join(directory, name))
    if (bytes.length !== size) throw corruptFile(join(directory, name), bytes.length, `${size} bytes were written`)
    checkLevelTable(bytes, join(directory, name))
  }
  return checkLogs(directory, names, manifest)
}

async function readCurrentManifest(directory: string, names: ReadonlySet<string>): Promise<LevelManifest> {
  const current = join(directory, 'CURRENT')
  const name = /^(MANIFEST-\d{6,})\n$/.exec(decodeUtf8(await readFile(current)) ?? '')?.[1]
  if (name === undefined) throw corruptFile(current, 0, 'it does not name a MANIFEST')
  const path = join(directory, name)
  if (!names.has(name)) throw missingFile(path, 'it says which files belong to the store')
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
      // LevelDB numbers every write. The manifest's number may be ahead of the first log's, since it is noted in the middle of one,
      // but never behind: then a log, or the last line of the manifest, is gone.
      const isNext = batch.sequence === sequence + 1 || (lastCommit === null && batch.sequence <= sequence)
      if (!isNext)
        throw corruptFile(file, 0, `write ${batch.sequence} follows upon write ${sequence}: what was between is lost`)
      sequence = batch.sequence + batch.count - 1
      lastCommit = batch.commit
    }
  }
  return lastCommit
}

/** The head of a batch: sequence u64, count u32, then the writes, of which the store puts the commit mark first. */
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
    if (mark.length !== MARK_BYTES) throw new Error('a commit mark of another length')
    return { sequence, count, commit: decodeMark(mark).number }
  } catch (cause) {
    throw corruptFile(file, 0, `batch ${index} was not written by personad (${String(cause)})`)
  }
}

function fileName(number: number, suffix: string): string {
  return `${String(number).padStart(6, '0')}.${suffix}`
}
