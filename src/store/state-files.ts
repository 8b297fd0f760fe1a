/** Checks the files of a state directory. The directory is closed to others, but it may not have been so always, or a copy may lack that. */
import type { Stats } from 'node:fs'
import { chmod, lstat, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { StoreError, storeErrorOf } from './errors.ts'
import { isErrno, type StatePaths } from './state-dir.ts'

const OTHERS_WRITE = 0o022
const OTHERS = 0o077

/**
 * Refuses files that lead elsewhere, that belong to somebody else, or that others could have changed. The secrets files have checks and codes
 * of their own.
 * @param uid required owner; undefined (on Windows) skips the checks of owner and mode
 * @throws {StoreError} STATE_DIR_SYMLINK | STATE_DIR_FOREIGN_OWNER | STATE_DIR_OPEN_TO_OTHERS | STORE_IO
 */
export async function checkStateFiles(paths: StatePaths, uid: number | undefined): Promise<void> {
  for (const path of [paths.store, paths.anchor, paths.witness, paths.lock, paths.pid, paths.erasing]) {
    const found = await look(path)
    if (found === null) continue
    checkFile(path, found, uid)
    if (!found.isDirectory()) continue
    for (const name of await namesIn(path)) {
      const inside = await look(join(path, name))
      if (inside !== null) checkFile(join(path, name), inside, uid)
    }
  }
}

/** Takes reading away from others: an earlier version left LevelDB's files to the umask. The caller holds the lock. */
export async function closeToOthers(directory: string): Promise<void> {
  for (const name of await namesIn(directory)) {
    const path = join(directory, name)
    const found = await look(path)
    if (found !== null && !found.isSymbolicLink() && (found.mode & OTHERS) !== 0)
      await chmod(path, found.mode & ~OTHERS & 0o7777)
  }
}

function checkFile(path: string, found: Stats, uid: number | undefined): void {
  if (found.isSymbolicLink()) {
    const message = `${path} is a symbolic link; put the file or directory itself there, because anybody who can change its target could change the state`
    throw new StoreError('STATE_DIR_SYMLINK', message)
  }
  if (uid === undefined) return
  if (found.uid !== uid) {
    const message = `${path} belongs to user ${found.uid}, but this is user ${uid}; run as its owner`
    throw new StoreError('STATE_DIR_FOREIGN_OWNER', message)
  }
  if ((found.mode & OTHERS_WRITE) === 0) return
  const mode = (found.mode & 0o777).toString(8).padStart(4, '0')
  const message = `other users may write to ${path} (mode ${mode}); run "chmod go= ${path}", and check whether somebody changed it`
  throw new StoreError('STATE_DIR_OPEN_TO_OTHERS', message)
}

/** Null if it is gone: a running daemon may remove a file meanwhile. */
async function look(path: string): Promise<Stats | null> {
  try {
    return await lstat(path)
  } catch (cause) {
    if (isErrno(cause, 'ENOENT') || isErrno(cause, 'ENOTDIR')) return null
    throw storeErrorOf(cause, 'look at', path)
  }
}

async function namesIn(directory: string): Promise<string[]> {
  try {
    return await readdir(directory)
  } catch (cause) {
    if (isErrno(cause, 'ENOENT') || isErrno(cause, 'ENOTDIR')) return []
    throw storeErrorOf(cause, 'list', directory)
  }
}
