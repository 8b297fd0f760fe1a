/** The file of a socket and its directory. The directory is the access control, since Node cannot see the user of a peer (docs/ipc.md, section 1). */
import { chmodSync, linkSync, lstatSync, unlinkSync, watch, type BigIntStats, type FSWatcher } from 'node:fs'
import { connect } from 'node:net'
import { dirname } from 'node:path'
import { makeDirectories } from '../durable/directories.ts'
import { errorText, IpcError } from './wire/errors.ts'

const MAX_SOCKET_PATH_BYTES = 107 // sanity: sun_path less its NUL; listen() itself would only say EINVAL
const DIRECTORY_MODE = 0o700
const SOCKET_MODE = 0o600 // the directory decides; the mode also holds for a process that has a descriptor of the directory
const CHECK_MS = 30_000 // sanity: for changes that the watch of one directory does not report, such as a renamed parent

/** The identity of a socket file. After a rename or replacement the path is the same, but this is not. */
export interface SocketFile {
  readonly path: string
  readonly dev: bigint
  readonly ino: bigint
}

/** @throws {IpcError} SOCKET_PATH_TOO_LONG */
export function checkSocketPath(path: string): void {
  const bytes = Buffer.byteLength(path)
  if (bytes <= MAX_SOCKET_PATH_BYTES) return
  throw new IpcError(
    'SOCKET_PATH_TOO_LONG',
    `the socket path ${path} has ${bytes} bytes; at most ${MAX_SOCKET_PATH_BYTES} are possible`,
    {
      hint: 'choose a shorter directory for the sockets',
    },
  )
}

/**
 * Checks that only this user can put a socket into the directory or open one in it. Root may use the directory of another user.
 * @throws {IpcError} SOCKET_DIR_INVALID | SOCKET_DIR_FOREIGN | SOCKET_DIR_OPEN, or ENOENT from the system
 */
export function checkSocketDirectory(directory: string): void {
  const stat = lstatSync(directory)
  if (!stat.isDirectory()) {
    throw new IpcError('SOCKET_DIR_INVALID', `${directory} is not a directory, or is a symbolic link to one`)
  }
  const uid = process.geteuid?.()
  if (uid !== stat.uid && uid !== 0) {
    throw new IpcError('SOCKET_DIR_FOREIGN', `${directory} belongs to user ${stat.uid}`, {
      hint: 'remove it, or choose another directory for the sockets',
    })
  }
  if ((stat.mode & 0o077) !== 0) {
    const mode = (stat.mode & 0o7777).toString(8).padStart(4, '0')
    throw new IpcError('SOCKET_DIR_OPEN', `${directory} is accessible to other users (mode ${mode})`, {
      hint: `look at its contents, then: chmod 700 ${directory}`,
    })
  }
}

/**
 * Creates the directory of a socket if it is missing, with its parents, and checks it.
 * @throws {IpcError} as {@link checkSocketDirectory}; SOCKET_FAILED if it cannot be created
 */
export function makeSocketDirectory(directory: string): void {
  try {
    makeDirectories(directory, DIRECTORY_MODE)
  } catch (cause) {
    throw socketFailed(`cannot create the directory ${directory}`, cause)
  }
  checkSocketDirectory(directory)
}

/**
 * Removes the file of a server that is gone. The caller must hold the lock of the store, so that two servers never do this at once.
 * @throws {IpcError} SOCKET_IN_USE | SOCKET_PATH_TAKEN | SOCKET_FAILED
 */
export async function removeStaleSocket(path: string): Promise<void> {
  const found = statOrNull(path)
  if (found === null) return
  if (!found.isSocket()) {
    throw new IpcError('SOCKET_PATH_TAKEN', `${path} exists and is not a socket`, { hint: 'move it away' })
  }
  if (await isAnswered(path)) throw inUse(path)
  // Another server may have replaced it since, and that file is not ours to remove. The inode number alone may be reused, so compare the time too.
  const now = statOrNull(path)
  if (now === null) return
  if (now.ino !== found.ino || now.dev !== found.dev || now.ctimeNs !== found.ctimeNs) throw inUse(path)
  try {
    unlinkSync(path)
  } catch (cause) {
    throw socketFailed(`cannot remove the stale socket ${path}`, cause)
  }
}

/**
 * The path to listen on first. When a listening socket closes, libuv unlinks the path it was bound to, even if another server's
 * file is there by then. So we bind to a path that is gone afterwards. It is not longer than `path`, which may be at its limit.
 */
export function bindPath(path: string): string {
  return `${path.slice(0, -1)}${path.endsWith('~') ? '-' : '~'}`
}

/**
 * Gives a listening socket its real name. A link fails if another server has that name; a rename would overwrite it.
 * @throws {IpcError} SOCKET_IN_USE | SOCKET_FAILED
 */
export function claimSocket(path: string): SocketFile {
  const bound = bindPath(path)
  try {
    chmodSync(bound, SOCKET_MODE)
    linkSync(bound, path)
    // Crash here: one socket has two names. Both are stale at the next start, which removes both.
    unlinkSync(bound)
    const { dev, ino } = lstatSync(path, { bigint: true })
    return { path, dev, ino }
  } catch (cause) {
    if (codeOf(cause) === 'EEXIST') throw inUse(path)
    throw socketFailed(`cannot put a socket at ${path}`, cause)
  }
}

/** Removes our file, but not one that has taken its place. */
export function releaseSocket(file: SocketFile): void {
  try {
    if (isStillOurs(file)) unlinkSync(file.path)
  } catch {
    // The file or its directory is gone already.
  }
}

/** Calls onLost once when our file is removed or replaced. */
export function watchSocket(file: SocketFile, onLost: () => void): { close(): void } {
  const watcher = watchDirectory(dirname(file.path), check)
  const timer = setInterval(check, CHECK_MS).unref()
  function close(): void {
    clearInterval(timer)
    watcher?.close()
  }
  function check(): void {
    if (isStillOurs(file)) return
    close()
    onLost()
  }
  return { close }
}

/** Null if the system has no watch left; then only the timer checks. */
function watchDirectory(directory: string, check: () => void): FSWatcher | null {
  try {
    return watch(directory, { persistent: false }, check).on('error', check)
  } catch {
    return null
  }
}

/** A file that cannot be looked at counts as lost: no client can find it either. */
function isStillOurs(file: SocketFile): boolean {
  try {
    const { dev, ino } = lstatSync(file.path, { bigint: true })
    return ino === file.ino && dev === file.dev
  } catch {
    return false
  }
}

function statOrNull(path: string): BigIntStats | null {
  try {
    return lstatSync(path, { bigint: true })
  } catch (cause) {
    const code = codeOf(cause)
    if (code === 'ENOENT' || code === 'ENOTDIR') return null
    throw socketFailed(`cannot look at ${path}`, cause)
  }
}

/** Whether a server listens. Only a refused connection proves that none does; a full backlog or a missing permission does not. */
function isAnswered(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(path)
    probe.on('connect', () => {
      probe.destroy()
      resolve(true)
    })
    probe.on('error', (error) => resolve(codeOf(error) !== 'ECONNREFUSED' && codeOf(error) !== 'ENOENT'))
  })
}

function inUse(path: string): IpcError {
  return new IpcError('SOCKET_IN_USE', `another server answers at ${path}`, { hint: 'stop it first' })
}

function socketFailed(what: string, cause: unknown): IpcError {
  return new IpcError('SOCKET_FAILED', `${what}: ${errorText(cause)}`, { cause })
}

export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}
