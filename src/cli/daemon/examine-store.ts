/** Examines the store of a daemon that does not run: each damaged file, where, and what is lost with it. Changes nothing in the store. */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { openAnchor } from '../../store/anchor.ts'
import { StoreError, storeErrorOf } from '../../store/errors.ts'
import { checkLevelFiles, checkOneLog, checkOneTable, readCurrentManifest } from '../../store/leveldb-check.ts'
import type { LevelManifest } from '../../store/leveldb-manifest.ts'
import { lockStateDir } from '../../store/lock.ts'
import { readSalvageable } from '../../store/salvage/read.ts'
import { isErrno, statePaths, type StatePaths } from '../../store/state-dir.ts'

const OWN_RECORD = 'own/own' // the record of the owner, of which there is one

export interface StoreFault {
  readonly code: string
  readonly file: string
  /** The file, the place in it, and what is wrong there. */
  readonly message: string
  /** The most that can be lost with it. */
  readonly loss: string
}

/**
 * @returns null if there is no store
 * @throws {StoreError} STORE_LOCKED: a daemon has it | STORE_IO
 */
export async function examineStore(stateDir: string): Promise<StoreFault[] | null> {
  const paths = statePaths(stateDir)
  if (!(await isThere(paths.store)) && !(await isThere(paths.anchor))) return null
  const lock = await lockStateDir(stateDir)
  try {
    return await examineFiles(paths)
  } finally {
    await lock.release()
  }
}

async function examineFiles(paths: StatePaths): Promise<StoreFault[]> {
  const acknowledged: number[] = []
  const faults = await attempt(paths.anchor, 'no record; only the number of the last commit', async () => {
    const anchor = await openAnchor(paths.anchor)
    if (anchor === null) throw new StoreError('STORE_MISSING', `${paths.anchor} is missing`)
    acknowledged.push(anchor.mark.number)
    await anchor.close()
  })
  const manifests: LevelManifest[] = []
  const names = new Set(await readdir(paths.store).catch(() => []))
  const loss = names.size === 0 ? 'all records' : 'the list of its files; the records in them may be whole'
  faults.push(
    ...(await attempt(paths.store, loss, async () => {
      if (!names.has('CURRENT'))
        throw new StoreError(
          'STORE_MISSING',
          `${names.size === 0 ? paths.store : join(paths.store, 'CURRENT')} is missing`,
        )
      manifests.push(await readCurrentManifest(paths.store, names))
    })),
  )
  const [manifest] = manifests
  if (manifest === undefined) return faults
  for (const [number, { size }] of manifest.tables)
    faults.push(
      ...(await attempt(paths.store, `the records in this table, of ${size} bytes in all`, () =>
        checkOneTable(paths.store, names, number, size),
      )),
    )
  let lastCommit = 0
  for (const name of [...names].filter((name) => name.endsWith('.log')).sort()) {
    if (Number.parseInt(name, 10) < manifest.logNumber) continue
    const loss = (): string => `the commits after ${lastCommit === 0 ? 'the last table' : `number ${lastCommit}`}`
    try {
      lastCommit = checkOneLog(await readFile(join(paths.store, name)), join(paths.store, name)) ?? lastCommit
    } catch (cause) {
      faults.push(faultOf(cause, join(paths.store, name), `${loss()}${upTo(acknowledged)}`))
    }
  }
  if (faults.length > 0) return faults
  // Each file is whole, but together they may not be.
  const together = await attempt(paths.store, `commits${upTo(acknowledged)}`, async () => {
    const last = await checkLevelFiles(paths.store)
    const [wanted] = acknowledged
    if (last !== null && wanted !== undefined && last < wanted)
      throw new StoreError('STORE_LOST_WRITES', `${paths.store} ends at commit ${last}, but ${wanted} was acknowledged`)
  })
  return together.length > 0 ? together : await missingSecrets(paths)
}

/** A persona in the store whose signing key is gone: the daemon refuses to start. */
async function missingSecrets(paths: StatePaths): Promise<StoreFault[]> {
  if (await isThere(paths.secrets)) return []
  const { records } = await readSalvageable(paths)
  if (!records.has(OWN_RECORD)) return []
  const message = `the store has a persona, but ${paths.secrets} is missing`
  return [{ code: 'SECRETS_MISSING', file: paths.secrets, message, loss: 'the signing key' }]
}

function upTo([acknowledged]: readonly number[]): string {
  return acknowledged === undefined ? '' : `, up to number ${acknowledged}`
}

async function attempt(file: string, loss: string, work: () => Promise<void>): Promise<StoreFault[]> {
  try {
    await work()
    return []
  } catch (cause) {
    return [faultOf(cause, file, loss)]
  }
}

function faultOf(cause: unknown, file: string, loss: string): StoreFault {
  const { code, message } = storeErrorOf(cause, 'read', file)
  return { code, file, message, loss }
}

async function isThere(path: string): Promise<boolean> {
  try {
    await readFile(path)
    return true
  } catch (cause) {
    return !isErrno(cause, 'ENOENT') && !isErrno(cause, 'ENOTDIR')
  }
}
