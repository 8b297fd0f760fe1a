/**
 * Erasing a state directory: once begun it ends, whenever the process is killed.
 *
 * The mark is written first and removed last. With it on disk nothing else in the directory counts, and who takes the lock goes on
 * erasing before he reads anything; without it everything is there, or nothing but the lock.
 */
import { promises } from 'node:fs'
import { dirname } from 'node:path'
import { removeDurably, removeLeftovers, writeFileDurably, type DurableFs } from '../durable/file.ts'
import { storeErrorOf } from './errors.ts'
import { isErrno, type StatePaths } from './state-dir.ts'

/** What is used of the file system beside durable writes; the promises of node:fs fit. */
export interface EraseFs extends DurableFs {
  rm(path: string, options: { recursive: true; force: true }): Promise<void>
  access(path: string): Promise<void>
}

/**
 * Begins to erase a state directory. When this returns there is no way back.
 * @throws {StoreError} STORE_DISK_FULL: not begun | STORE_IO: perhaps
 */
export async function beginErasing(paths: StatePaths, fs: EraseFs = promises): Promise<void> {
  try {
    await writeFileDurably(paths.erasing, new Uint8Array(0), { mode: 0o600, fs })
  } catch (cause) {
    throw storeErrorOf(cause, 'write', paths.erasing)
  }
}

/**
 * Goes on with what was begun: removes all that a daemon keeps, but for the lock, which the caller holds. Files that are not the
 * daemon's stay.
 * @returns false where nothing was begun, and nothing is done
 * @throws {StoreError} STORE_IO: the next call goes on
 */
export async function finishErasing(paths: StatePaths, fs: EraseFs = promises): Promise<boolean> {
  const { erasing, store, lock, pid } = paths
  try {
    if (!(await isBegun(erasing, fs))) return false
    // Secrets first: if the rest fails, what is left is worth less. A killed writer may have left a copy of one.
    for (const file of [paths.secrets, paths.seed, paths.seedNext]) await removeDurably(file, fs)
    await removeLeftovers(dirname(erasing), fs)
    await fs.rm(store, { recursive: true, force: true })
    const apart = [erasing, store, lock, pid]
    // Each syncs the directory, and so makes the removal of the store durable too.
    for (const file of Object.values(paths)) if (!apart.includes(file)) await removeDurably(file, fs)
    await removeDurably(erasing, fs)
    return true
  } catch (cause) {
    throw storeErrorOf(cause, 'erase', dirname(erasing))
  }
}

async function isBegun(mark: string, fs: EraseFs): Promise<boolean> {
  try {
    await fs.access(mark)
    return true
  } catch (cause) {
    if (isErrno(cause, 'ENOENT')) return false
    throw cause
  }
}
