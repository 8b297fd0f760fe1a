/**
 * Makes a new state directory from what verifies in a damaged one, and changes nothing there (docs/backup.md, section 6).
 *
 * The mark of a salvaged store goes in with the first commit, before any record and before the secrets. So a daemon that starts on half a
 * salvaged directory, after a crash, signs nothing either.
 */
import { lstat, mkdir, readdir, realpath } from 'node:fs/promises'
import { basename, dirname, join, resolve, sep } from 'node:path'
import { writeFileDurably } from '../../durable/file.ts'
import { StoreError, storeErrorOf, type StoreErrorCode } from '../errors.ts'
import { openLevelStore } from '../level-store.ts'
import { lockStateDir, type StateLock } from '../lock.ts'
import { readSecretsFile, writeSecretsFile } from '../secrets-file.ts'
import { createStateDir, isErrno, statePaths, syncDirectory, type StatePaths } from '../state-dir.ts'
import type { Write } from '../store.ts'
import { readDamaged } from './file.ts'
import { checkUnused } from './holder.ts'
import { MARK_SALVAGED } from './mark.ts'
import { readSalvageable, type Salvaged } from './read.ts'
import type { Damage } from './versions.ts'

const PIECE_BYTES = 1 << 20 // sanity: bytes of one commit; the limit of the store is eight times that

export interface SalvageOptions {
  /** The damaged state directory. */
  readonly from: string
  /** The new state directory. It must not exist, and not lie in the damaged one. */
  readonly to: string
  /** Kinds of records that must not come back once they were removed: they are left out if changes are missing. */
  readonly neverOlder: readonly string[]
  /** Kinds of records that need the secrets file. */
  readonly needSecrets: readonly string[]
  /** Kinds of records that need the apps key. */
  readonly needApps: readonly string[]
}

export interface SalvageReport extends Salvaged {
  /** Records of the kinds in `neverOlder` that were left out. */
  readonly leftOut: readonly string[]
  /** Secrets files that cannot be read, by name. Without `secrets` the records of the owner are useless, and left out too. */
  readonly lostSecrets: readonly SecretName[]
}

const SECRETS = ['secrets', 'seed', 'seedNext', 'apps', 'companion'] as const
type SecretName = (typeof SECRETS)[number]
/** Reasons that a person cannot remove: the file is damaged, or something else. */
const UNREADABLE: ReadonlySet<string> = new Set<StoreErrorCode>(['SECRETS_NOT_FILE', 'SECRETS_TOO_LARGE', 'STORE_IO'])

/** @throws {StoreError} SALVAGE_TARGET | STORE_LOCKED | STORE_MISSING | STORE_SCHEMA_NEWER | STORE_DISK_FULL | STORE_IO, SECRETS_*, STATE_DIR_* */
export async function salvage({ from, to, neverOlder, needSecrets, needApps }: SalvageOptions): Promise<SalvageReport> {
  const [source, target] = [statePaths(resolve(from)), resolve(to)]
  await checkTarget(resolve(from), target)
  await checkUnused(source)
  // First: a refusal that a person can remove leaves no half of a new directory.
  const { secrets, lostSecrets } = await readSecrets(source)
  try {
    const found = await readSalvageable(source)
    const { records, leftOut } = withoutOlder(found, neverOlder)
    const useless = [
      ...(lostSecrets.includes('secrets') ? needSecrets : []),
      ...(lostSecrets.includes('apps') ? needApps : []),
    ]
    for (const key of records.keys()) if (useless.includes(kindOf(key))) records.delete(key)
    const damage = await writeState(source, target, records, secrets)
    return { ...found, records, leftOut, lostSecrets, damage: [...found.damage, ...damage] }
  } catch (cause) {
    throw storeErrorOf(cause, 'salvage', source.store)
  } finally {
    for (const bytes of secrets.values()) bytes.fill(0)
  }
}

type Secrets = Map<SecretName, Uint8Array>

/** @throws {StoreError} SECRETS_SYMLINK | SECRETS_FOREIGN_OWNER | SECRETS_OPEN_TO_OTHERS */
async function readSecrets(source: StatePaths): Promise<{ secrets: Secrets; lostSecrets: SecretName[] }> {
  const secrets: Secrets = new Map()
  const lostSecrets: SecretName[] = []
  for (const name of SECRETS) {
    try {
      const bytes = await readSecretsFile(source[name])
      if (bytes !== null) secrets.set(name, bytes)
    } catch (error) {
      if (!(error instanceof StoreError && UNREADABLE.has(error.code))) throw error
      lostSecrets.push(name)
    }
  }
  // The secrets seal it, so without them it only keeps the next daemon from making another.
  const apps = secrets.get('apps')
  if (lostSecrets.includes('secrets') && apps !== undefined) {
    apps.fill(0)
    secrets.delete('apps')
    lostSecrets.push('apps')
  }
  return { secrets, lostSecrets }
}

async function checkTarget(from: string, to: string): Promise<void> {
  const refuse = (reason: string): never => {
    throw new StoreError('SALVAGE_TARGET', `${to} ${reason}; name a new directory`)
  }
  const placeOf = async (path: string, why: string): Promise<string> =>
    await realpath(path).catch((cause: unknown) => {
      if (!isErrno(cause, 'ENOENT')) throw cause
      throw new StoreError('SALVAGE_TARGET', why)
    })
  const damaged = await placeOf(from, `there is no state directory ${from} to salvage; give the right --home`)
  const parent = await placeOf(dirname(to), `${to} cannot be made: ${dirname(to)} does not exist; make that first`)
  if (`${join(parent, basename(to))}${sep}`.startsWith(`${damaged}${sep}`)) refuse('is in the damaged state directory')
  const there = await readdir(to).catch((cause: unknown) => (isErrno(cause, 'ENOENT') ? null : ['a file']))
  if (there !== null && there.length > 0) refuse('exists already')
}

function withoutOlder(
  found: Salvaged,
  neverOlder: readonly string[],
): { records: Map<string, Uint8Array>; leftOut: string[] } {
  const isLeftOut = (key: string): boolean => found.mayBeOlder && neverOlder.includes(kindOf(key))
  return {
    records: new Map([...found.records].filter(([key]) => !isLeftOut(key))),
    leftOut: [...found.records.keys()].filter(isLeftOut),
  }
}

/** The kind of a record, by its key. */
export function kindOf(key: string): string {
  return key.split('/', 1)[0]!
}

/** @returns the kept copies of profiles that cannot be read whole */
async function writeState(
  source: StatePaths,
  target: string,
  records: Salvaged['records'],
  secrets: Secrets,
): Promise<Damage[]> {
  const damage: Damage[] = []
  await createStateDir(target)
  const lock = await lockStateDir(target)
  try {
    await writeRecords(lock, records)
    // After the store: a directory with secrets and without a store is refused, and rightly.
    for (const [name, bytes] of secrets) await writeSecretsFile(lock.paths[name], bytes)
    await copyProfiles(source.profiles, lock.paths.profiles, damage)
  } finally {
    await lock.release()
  }
  return damage
}

async function writeRecords(lock: StateLock, records: Salvaged['records']): Promise<void> {
  const store = await openLevelStore(lock)
  try {
    let piece: Write[] = [MARK_SALVAGED]
    let bytes = 0
    for (const [key, value] of records) {
      if (bytes + value.length > PIECE_BYTES) {
        await store.commit(piece)
        piece = []
        bytes = 0
      }
      piece.push({ key, value })
      bytes += value.length
    }
    await store.commit(piece)
  } finally {
    await store.close()
  }
}

/** The kept copies of own profiles, which lie one below the other. One that cannot be read whole is left out: the records matter more. */
async function copyProfiles(from: string, to: string, damage: Damage[]): Promise<void> {
  const found = await lstat(from).catch(() => null)
  if (found === null) return
  // A symbolic link may lead into the new directory, which would be copied into itself.
  const entries = found.isDirectory() ? await readdir(from, { withFileTypes: true }).catch(() => null) : null
  if (entries === null) return void damage.push({ file: from, at: 0, key: null })
  if (entries.length === 0) return
  await mkdir(to, { mode: 0o700 })
  for (const entry of entries) {
    const [file, copy] = [join(from, entry.name), join(to, entry.name)]
    if (entry.isDirectory()) await copyProfiles(file, copy, damage)
    else if (entry.isFile()) await copyProfile(file, copy, damage)
  }
  await syncDirectory(to)
}

async function copyProfile(from: string, to: string, damage: Damage[]): Promise<void> {
  const lost: Damage[] = []
  const bytes = await readDamaged(from, lost)
  if (lost.length > 0) damage.push({ file: from, at: 0, key: null })
  else await writeFileDurably(to, bytes, { mode: 0o600 })
}
