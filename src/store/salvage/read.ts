/** Reads everything that verifies in the files of a store, whatever is damaged. Changes nothing. */
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { openAnchor } from '../anchor.ts'
import { decodeMark, MARK_BYTES } from '../commit-mark.ts'
import { missingFile, StoreError } from '../errors.ts'
import { readCurrentManifest } from '../leveldb-check.ts'
import { checkSchema } from '../migrations.ts'
import type { StatePaths } from '../state-dir.ts'
import { readDamaged, type OpenToRead } from './file.ts'
import { salvageLog } from './logs.ts'
import { salvageTable } from './tables.ts'
import { Versions, type Damage, type Lost } from './versions.ts'

export interface Salvaged {
  /** The newest version of each record that verifies, by its key. */
  readonly records: ReadonlyMap<string, Uint8Array>
  /** Records with a known key whose newest version is damaged. */
  readonly lost: readonly Lost[]
  /** Places in the files that could not be read, in their order. */
  readonly damage: readonly Damage[]
  /** Commits of which nothing, or not even the number, was found; null if the files do not say. */
  readonly lostCommits: number | null
  /** Changes are missing, so a record may stand here as it was before, or although it was removed since. */
  readonly mayBeOlder: boolean
}

/** The files that hold records. */
interface LiveFiles {
  readonly tables: readonly string[]
  readonly logs: readonly string[]
  /** Tables that are named, but gone or of another size. */
  readonly missing: number
  /** Nothing says which files are live, so all were read. */
  readonly isGuessed: boolean
}

/** @throws {StoreError} STORE_MISSING: there is no store | STORE_SCHEMA_NEWER; the system's error otherwise */
export async function readSalvageable(paths: StatePaths, openFile?: OpenToRead): Promise<Salvaged> {
  const versions = new Versions()
  const files = await liveFiles(paths, versions)
  for (const name of files.tables) {
    const file = join(paths.store, name)
    salvageTable(await readDamaged(file, versions.damage, openFile), file, versions)
  }
  const tabled = tableCommit(versions)
  const commits: number[] = []
  for (const name of files.logs) {
    const file = join(paths.store, name)
    commits.push(...salvageLog(await readDamaged(file, versions.damage, openFile), file, versions))
  }
  const { records, lost } = versions.newest()
  const lostCommits = missingCommits(tabled, commits, await acknowledgedCommit(paths))
  const mayBeOlder =
    files.isGuessed || files.missing > 0 || (lostCommits ?? 1) > 0 || versions.damage.some(({ key }) => key === null)
  return { records, lost, damage: versions.damage, lostCommits, mayBeOlder: mayBeOlder || lost.length > 0 }
}

async function liveFiles({ store }: StatePaths, versions: Versions): Promise<LiveFiles> {
  const entries = await readdir(store, { withFileTypes: true }).catch((cause: unknown) => {
    throw new StoreError('STORE_MISSING', `there is no store at ${store}; give the right --home`, { cause })
  })
  const names = entries.flatMap((entry) => (entry.isFile() ? [entry.name] : []))
  const numbered = (pattern: RegExp): [number, string][] =>
    names
      .filter((name) => pattern.test(name))
      .map((name): [number, string] => [Number.parseInt(name, 10), name])
      .sort(([a], [b]) => a - b)
  const [tables, logs] = [numbered(/^\d+\.(?:ldb|sst)$/), numbered(/^\d+\.log$/)]
  if (tables.length + logs.length === 0) throw missingFile(join(store, 'CURRENT'), 'no file of a store is left either')
  try {
    if (!names.includes('CURRENT')) throw missingFile(join(store, 'CURRENT'), 'it names the list of the files')
    const manifest = await readCurrentManifest(store, new Set(names))
    const live = tables.filter(([number]) => manifest.tables.has(number))
    const named = new Set(live.map(([number]) => number))
    for (const number of manifest.tables.keys())
      if (!named.has(number)) versions.damage.push({ file: join(store, `${number}.ldb`), at: 0, key: null })
    return {
      tables: live.map(([, name]) => name),
      logs: logs.filter(([number]) => number >= manifest.logNumber).map(([, name]) => name),
      missing: manifest.tables.size - live.length,
      isGuessed: false,
    }
  } catch (error) {
    if (!(error instanceof StoreError) && !(error instanceof Error && 'code' in error)) throw error
    return { tables: tables.map(([, name]) => name), logs: logs.map(([, name]) => name), missing: 0, isGuessed: true }
  }
}

/** The commit up to which the tables reach; null if they do not say. */
function tableCommit(versions: Versions): number | null {
  const mark = versions.mark()
  if (mark === null || mark.length !== MARK_BYTES) return null
  const { schema, number } = decodeMark(mark)
  checkSchema(schema, 'the store')
  return number
}

/** The number of the last acknowledged commit; null if the anchor does not say. */
async function acknowledgedCommit(paths: StatePaths): Promise<number | null> {
  try {
    const anchor = await openAnchor(paths.anchor)
    await anchor?.close()
    return anchor?.mark.number ?? null
  } catch {
    return null
  }
}

/** @param tabled the commit up to which the tables reach @param commits of the logs, in their order */
function missingCommits(tabled: number | null, commits: readonly number[], acknowledged: number | null): number | null {
  let missing = 0
  let last = tabled
  for (const commit of commits) {
    if (last !== null) missing += Math.max(0, commit - last - 1)
    last = Math.max(last ?? 0, commit)
  }
  if (acknowledged === null || last === null) return missing > 0 ? missing : null
  return missing + Math.max(0, acknowledged - last)
}
