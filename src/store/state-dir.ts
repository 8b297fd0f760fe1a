/** The state directory: its file names, and the checks of its owner and mode. */
import { constants } from 'node:fs'
import { lstat, open } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { makeDirectories } from '../durable/directories.ts'
import { StoreError, storeErrorOf } from './errors.ts'
import { checkParents, type DirectoryOption } from './parents.ts'

const PRIVATE_MODE = 0o700
const OTHERS = 0o077

/** The files of a state directory. */
export interface StatePaths {
  /** LevelDB's directory, with all state that is not secret. */
  readonly store: string
  /** Beside the store, to notice lost commits: see anchor.ts. */
  readonly anchor: string
  /** A directory with one file, to notice a store that was put back: see witness.ts. */
  readonly witness: string
  /** See lock.ts. */
  readonly lock: string
  readonly pid: string
  readonly secrets: string
  readonly seed: string
  /** The key of what apps keep. It changes daily. */
  readonly apps: string
  /** The key of the companion, the daemon's own Tox node. */
  readonly companion: string
  /** A directory: copies of own Tox profiles, which hold the keys of devices. */
  readonly profiles: string
  /** A directory that only takes room, for a start on a full disk: see room.ts. */
  readonly reserve: string
  /** The new seed file while its sealing changes. */
  readonly seedNext: string
  /** Exists while all other files are being removed: see erase.ts. */
  readonly erasing: string
}

export function statePaths(stateDir: string): StatePaths {
  const at = (name: string): string => join(stateDir, name)
  return {
    store: at('store'),
    anchor: at('anchor'),
    witness: at('witness'),
    lock: at('lock'),
    pid: at('pid'),
    secrets: at('secrets'),
    seed: at('seed'),
    apps: at('apps'),
    companion: at('companion'),
    profiles: at('profiles'),
    reserve: at('reserve'),
    seedNext: at('seed.next'),
    erasing: at('erasing'),
  }
}

/**
 * Makes the state directory (mode 0700) and its parents if needed, and checks them.
 * @param option of the program, by which its user names another directory
 * @throws {StoreError} STATE_DIR_PARENT_UNSAFE | STORE_DISK_FULL | STORE_IO, and the codes of {@link checkStateDir}
 */
export async function createStateDir(path: string, option: DirectoryOption = '--home'): Promise<void> {
  try {
    const first = makeDirectories(path, PRIVATE_MODE)
    // Syncs the entry of the outermost new directory in its parent.
    if (first !== undefined) await syncDirectory(dirname(first))
  } catch (cause) {
    // A file or a dangling link is in the way; the check below reports which.
    if (!isErrno(cause, 'EEXIST')) throw storeErrorOf(cause, 'make', path)
  }
  await checkStateDir(path)
  const uid = process.getuid?.()
  if (uid !== undefined) await checkParents(path, uid, option)
}

/**
 * Refuses a state directory that somebody else could read, replace or prepare.
 * @param uid required owner; undefined (on Windows, which has no user numbers) skips the checks of owner and mode
 * @throws {StoreError} STATE_DIR_MISSING | STATE_DIR_SYMLINK | STATE_DIR_NOT_DIRECTORY | STATE_DIR_FOREIGN_OWNER | STATE_DIR_OPEN_TO_OTHERS | STORE_IO
 */
export async function checkStateDir(path: string, uid: number | undefined = process.getuid?.()): Promise<void> {
  const found = await lstat(path).catch((cause: unknown) => {
    if (!isErrno(cause, 'ENOENT')) throw storeErrorOf(cause, 'look at', path)
    throw new StoreError(
      'STATE_DIR_MISSING',
      `there is no state directory ${path}; start the daemon once, or give the right --home`,
    )
  })
  if (found.isSymbolicLink()) {
    const message = `the state directory ${path} is a symbolic link; give the directory itself, because anybody who can change the link could put another directory in its place`
    throw new StoreError('STATE_DIR_SYMLINK', message)
  }
  if (!found.isDirectory())
    throw new StoreError('STATE_DIR_NOT_DIRECTORY', `${path} is not a directory; move it away or give another one`)
  if (uid === undefined) return
  if (found.uid !== uid) {
    const message = `the state directory ${path} belongs to user ${found.uid}, but this is user ${uid}; run as its owner`
    throw new StoreError('STATE_DIR_FOREIGN_OWNER', message)
  }
  if ((found.mode & OTHERS) !== 0) {
    const mode = (found.mode & 0o777).toString(8).padStart(4, '0')
    const message = `other users have access to the state directory ${path} (mode ${mode}); run "chmod 700 ${path}", and check whether somebody changed something in it`
    throw new StoreError('STATE_DIR_OPEN_TO_OTHERS', message)
  }
}

/** Makes new, renamed and removed entries of a directory durable. */
export async function syncDirectory(path: string): Promise<void> {
  const handle = await open(path, constants.O_RDONLY | constants.O_DIRECTORY)
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

export function isErrno(cause: unknown, code: string): boolean {
  return cause instanceof Error && 'code' in cause && cause.code === code
}
