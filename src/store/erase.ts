/**
 * Erases a state directory. Once begun, the erasure completes, even if the process is killed at any moment.
 *
 * The mark `erasing` is written first and removed last. While it is on disk, nothing else in the directory counts: whoever takes the lock
 * finishes the erasure before reading anything. Without the mark, the directory has everything, or only the lock.
 */
import { promises } from 'node:fs'
import { dirname } from 'node:path'
import { removeDurably, removeLeftovers, writeFileDurably, type DurableFs } from '../durable/file.ts'
import { storeErrorOf } from './errors.ts'
import { isErrno, type StatePaths } from './state-dir.ts'

/** The file system calls that we use beside durable writes; the promises of node:fs fit. */
export interface EraseFs extends DurableFs {
  rm(path: string, options: { recursive: true; force: true }): Promise<void>
  access(path: string): Promise<void>
}

/**
 * Begins to erase a state directory. After it returns there is no way back.
 * @throws {StoreError} STORE_DISK_FULL: erasing has not begun | STORE_IO: it may have begun
 */
export async function beginErasing(paths: StatePaths, fs: EraseFs = promises): Promise<void> {
  try {
    await writeFileDurably(paths.erasing, new Uint8Array(0), { mode: 0o600, fs })
  } catch (cause) {
    throw storeErrorOf(cause, 'write', paths.erasing)
  }
}

/**
 * Finishes an erasure: removes all files of the daemon except the lock, which the caller holds. Other files stay.
 * @returns false if no erasure was begun; then it does nothing
 * @throws {StoreError} STORE_IO: the next call continues
 */
export async function finishErasing(paths: StatePaths, fs: EraseFs = promises): Promise<boolean> {
  const { erasing, profiles, store, witness, reserve, lock, pid } = paths
  try {
    if (!(await isBegun(erasing, fs))) return false
    // Secrets first: if the rest fails, the remains are worth less. A killed writer may have left a copy of a secret.
    for (const file of [paths.secrets, paths.seed, paths.seedNext, paths.apps]) await removeDurably(file, fs)
    await removeLeftovers(dirname(erasing), fs)
    const directories = [profiles, store, witness, reserve]
    for (const directory of directories) await fs.rm(directory, { recursive: true, force: true })
    const apart = [erasing, ...directories, lock, pid]
    // Each removal syncs the directory, which makes the removal of the directories durable too.
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
