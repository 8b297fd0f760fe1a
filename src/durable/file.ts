/** The one way a file of ours is replaced or removed: wholly and durably, or not at all. */
import { PersonadError } from '../errors/personad-error.ts'
import { randomBytes } from 'node:crypto'
import { constants, promises } from 'node:fs'
import { dirname, join } from 'node:path'

export type DurableErrorCode =
  | 'DURABLE_DISK_FULL' // no space, or the quota is used up
  | 'DURABLE_READ_ONLY' // the file system is mounted read-only
  | 'DURABLE_DENIED' // permissions of the directory
  | 'DURABLE_NO_DIRECTORY' // the directory is not there
  | 'DURABLE_NOT_A_FILE' // a directory stands under the name
  | 'DURABLE_FAILED' // anything else; the cause tells
  | 'DURABLE_UNCERTAIN' // old or new content stands, both whole, but which one survives a power cut is not known

/** What a failed write or removal leaves: the old content for every code but DURABLE_UNCERTAIN. */
export class DurableError extends PersonadError<DurableErrorCode> {
  override readonly name = 'DurableError'
  readonly path: string

  constructor(code: DurableErrorCode, path: string, message: string, options?: ErrorOptions) {
    super(code, message, options)
    this.path = path
  }
}

/** What is used of an open file; a FileHandle of node:fs fits. */
export interface DurableHandle {
  write(bytes: Uint8Array, offset: number, length: number): Promise<{ bytesWritten: number }>
  chmod(mode: number): Promise<void>
  chown(uid: number, gid: number): Promise<void>
  sync(): Promise<void>
  close(): Promise<void>
}

/** The system calls used here, so that a test can let each of them fail; the promises of node:fs fit. */
export interface DurableFs {
  open(path: string, flags: number, mode?: number): Promise<DurableHandle>
  rename(from: string, to: string): Promise<void>
  unlink(path: string): Promise<void>
  readdir(path: string): Promise<string[]>
}

export interface DurableWriteOptions {
  /** Permission bits of the new file, whatever the umask. */
  readonly mode: number
  /** Owner of the new file, when it is to be another than this process. */
  readonly owner?: { readonly uid: number; readonly gid: number }
  /** A last look at the written and synced temporary file; a throw stops the write and reaches the caller unchanged. */
  readonly beforeRename?: (tempPath: string) => Promise<void>
  readonly fs?: DurableFs
}

const TEMP_PREFIX = '.personad-'
const TEMP_SUFFIX = '.tmp'
const TEMP_NAME = /^\.personad-[0-9a-f]{32}\.tmp$/
const OPEN_TEMP = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW
const OPEN_DIRECTORY = constants.O_RDONLY | constants.O_DIRECTORY

/**
 * Replaces or creates a file. When it returns, the new content is on disk under its name, also after a power cut. When it
 * throws, the old content stands (or no file, if there was none) and the temporary file is removed; only a killed process or
 * a failing disk leaves one behind: see {@link removeLeftovers}. A symbolic link at `path` is replaced, not followed.
 * @param bytes the content, or its parts as they come; a throw of their source stops the write and reaches the caller unchanged
 * @throws {DurableError} any DurableErrorCode
 */
export async function writeFileDurably(
  path: string,
  bytes: Uint8Array | AsyncIterable<Uint8Array>,
  options: DurableWriteOptions,
): Promise<void> {
  const fs = options.fs ?? promises
  // Not derived from the file's name: that may have all 255 bytes already. Not guessable: others may write to the directory.
  const temp = join(dirname(path), TEMP_PREFIX + randomBytes(16).toString('hex') + TEMP_SUFFIX)
  try {
    await writeTemp(fs, temp, path, bytes, options)
    await options.beforeRename?.(temp)
    await renameTemp(fs, temp, path)
  } catch (error) {
    // Also after a failed open, which may have created it: the name is 128 random bits of ours, so it is nobody else's.
    await fs.unlink(temp).catch(() => undefined)
    throw error
  }
  await syncDirectory(fs, path)
}

/**
 * Removes a file; one that is gone already counts as removed. When it returns, the file stays gone after a power cut.
 * @throws {DurableError} any DurableErrorCode but DURABLE_DISK_FULL
 */
export async function removeDurably(path: string, fs: DurableFs = promises): Promise<void> {
  try {
    await fs.unlink(path)
  } catch (cause) {
    if (errnoOf(cause) !== 'ENOENT') throw changeError('remove', path, cause)
  }
  await syncDirectory(fs, path)
}

/**
 * Removes what killed writers left in a directory, and tells how many files that were. They may hold secrets that were since
 * erased. Only for the holder of the directory's lock: a write under way would lose its temporary file, and fail.
 * @throws {DurableError} any DurableErrorCode but DURABLE_DISK_FULL
 */
export async function removeLeftovers(directory: string, fs: DurableFs = promises): Promise<number> {
  let names: string[]
  try {
    names = await fs.readdir(directory)
  } catch (cause) {
    throw durableError('list', directory, cause)
  }
  const leftovers = names.filter((name) => TEMP_NAME.test(name))
  for (const name of leftovers) await removeDurably(join(directory, name), fs)
  return leftovers.length
}

async function writeTemp(
  fs: DurableFs,
  temp: string,
  path: string,
  bytes: Uint8Array | AsyncIterable<Uint8Array>,
  options: DurableWriteOptions,
): Promise<void> {
  let handle: DurableHandle | undefined
  try {
    // 0600 until the owner is right: a secret must not be readable for the moment in between.
    handle = await fs.open(temp, OPEN_TEMP, 0o600)
    if (options.owner !== undefined) await handle.chown(options.owner.uid, options.owner.gid)
    await handle.chmod(options.mode)
    for await (const part of partsOf(bytes)) {
      for (let at = 0; at < part.length;) at += await writeSome(handle, part, at)
    }
    await handle.sync()
    const written = handle
    handle = undefined
    // Network file systems report a failed write only here.
    await written.close()
  } catch (cause) {
    await handle?.close().catch(() => undefined)
    if (cause instanceof SourceFailure) throw cause.cause
    throw durableError('write', path, cause)
  }
}

/** What the source of the parts threw, which is no error of the file. */
class SourceFailure extends Error {}

async function* partsOf(bytes: Uint8Array | AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  if (bytes instanceof Uint8Array) return yield bytes
  const parts = bytes[Symbol.asyncIterator]()
  for (;;) {
    const next = await parts.next().catch((cause: unknown) => {
      throw new SourceFailure('', { cause })
    })
    if (next.done === true) return
    yield next.value
  }
}

async function writeSome(handle: DurableHandle, bytes: Uint8Array, at: number): Promise<number> {
  const { bytesWritten } = await handle.write(bytes, at, bytes.length - at)
  if (bytesWritten === 0) throw new Error('the file system took no more bytes and gave no reason')
  return bytesWritten
}

async function renameTemp(fs: DurableFs, temp: string, path: string): Promise<void> {
  try {
    await fs.rename(temp, path)
  } catch (cause) {
    throw changeError('replace', path, cause)
  }
}

/** Makes renames and removals of the file's directory durable. */
async function syncDirectory(fs: DurableFs, path: string): Promise<void> {
  let handle: DurableHandle | undefined
  try {
    handle = await fs.open(dirname(path), OPEN_DIRECTORY)
    await handle.sync()
  } catch (cause) {
    // Some network file systems have no sync of directories and say EINVAL; there is nothing better to do on them.
    if (errnoOf(cause) !== 'EINVAL') throw uncertain(path, cause)
  } finally {
    await handle?.close().catch(() => undefined)
  }
}

/** A rename or removal refused for space or permission was not done; after any other error, EIO before all, nobody knows. */
function changeError(verb: string, path: string, cause: unknown): DurableError {
  const error = durableError(verb, path, cause)
  return error.code === 'DURABLE_FAILED' ? uncertain(path, cause) : error
}

function uncertain(path: string, cause: unknown): DurableError {
  const message = `the change of ${path} was not confirmed: check the disk, and read the file again before going on`
  return new DurableError('DURABLE_UNCERTAIN', path, message, { cause })
}

function durableError(verb: string, path: string, cause: unknown): DurableError {
  const [code, advice] = classify(errnoOf(cause))
  return new DurableError(code, path, `cannot ${verb} ${path}: ${advice}; nothing was changed`, { cause })
}

function classify(errno: string): [DurableErrorCode, string] {
  switch (errno) {
    case 'ENOSPC':
    case 'EDQUOT':
      return ['DURABLE_DISK_FULL', 'the disk is full or the quota is used up, make room and try again']
    case 'EROFS':
      return ['DURABLE_READ_ONLY', 'its file system is mounted read-only']
    case 'EACCES':
    case 'EPERM':
      return ['DURABLE_DENIED', 'its directory is not writable for this user']
    case 'ENOENT':
    case 'ENOTDIR':
      return ['DURABLE_NO_DIRECTORY', 'its directory does not exist']
    case 'EISDIR':
      return ['DURABLE_NOT_A_FILE', 'it is a directory']
    default:
      return ['DURABLE_FAILED', `the system says ${errno}`]
  }
}

function errnoOf(cause: unknown): string {
  return cause instanceof Error && 'code' in cause && typeof cause.code === 'string' ? cause.code : String(cause)
}
