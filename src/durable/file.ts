/** Replaces and removes files: completely and durably, or not at all. All our own files change only through here. */
import { PersonadError } from '../errors/personad-error.ts'
import { randomBytes } from 'node:crypto'
import { constants, promises } from 'node:fs'
import { dirname, join } from 'node:path'

export type DurableErrorCode =
  | 'DURABLE_DISK_FULL' // no space left, or the quota is used up
  | 'DURABLE_READ_ONLY' // the file system is mounted read-only
  | 'DURABLE_DENIED' // the permissions of the directory forbid it
  | 'DURABLE_NO_DIRECTORY' // the directory does not exist
  | 'DURABLE_NOT_A_FILE' // a directory has this name
  | 'DURABLE_FAILED' // anything else; see the cause
  | 'DURABLE_UNCERTAIN' // the file has the old or the new content, complete; which one survives a power cut is unknown

/** A failed write or removal. The old content is still there for every code except DURABLE_UNCERTAIN. */
export class DurableError extends PersonadError<DurableErrorCode> {
  override readonly name = 'DurableError'
  readonly path: string

  constructor(code: DurableErrorCode, path: string, message: string, options?: ErrorOptions) {
    super(code, message, options)
    this.path = path
  }
}

/** The part of an open file that we use; a FileHandle of node:fs fits. */
export interface DurableHandle {
  write(bytes: Uint8Array, offset: number, length: number): Promise<{ bytesWritten: number }>
  chmod(mode: number): Promise<void>
  chown(uid: number, gid: number): Promise<void>
  sync(): Promise<void>
  close(): Promise<void>
}

/** The system calls that we use, so that a test can make each of them fail; the promises of node:fs fit. */
export interface DurableFs {
  open(path: string, flags: number, mode?: number): Promise<DurableHandle>
  rename(from: string, to: string): Promise<void>
  unlink(path: string): Promise<void>
  readdir(path: string): Promise<string[]>
}

export interface DurableWriteOptions {
  /** Permission bits of the new file, whatever the umask. */
  readonly mode: number
  /** The file system may be one without permissions, such as FAT: then the file has what that gives to every file. */
  readonly mayLackModes?: boolean
  /** Owner of the new file, if it is not the user of this process. */
  readonly owner?: { readonly uid: number; readonly gid: number }
  /** The temporary file, on the same file system, for a caller who finds it again after a crash. By default its name is chance, beside the file. */
  readonly tempPath?: string
  /** Checks the written and synced temporary file. If it throws, the write stops and the caller gets the same error. */
  readonly beforeRename?: (tempPath: string) => Promise<void>
  readonly fs?: DurableFs
}

const TEMP_PREFIX = '.personad-'
const TEMP_SUFFIX = '.tmp'
const TEMP_NAME = /^\.personad-[0-9a-f]{32}\.tmp$/
const OPEN_TEMP = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW
const OPEN_DIRECTORY = constants.O_RDONLY | constants.O_DIRECTORY
/** The answers of file systems that cannot keep a mode. */
const LACKS_MODES: ReadonlySet<string> = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'])

/**
 * Replaces or creates a file. When it returns, the new content survives a power cut. When it throws, the old content is still
 * there (or no file, if there was none), except for DURABLE_UNCERTAIN. It removes its temporary file; only a killed process or a
 * failing disk leaves one: see {@link removeLeftovers}. It replaces a symbolic link at `path` instead of following it.
 * @param bytes content, whole or in parts; if their source throws, the write stops and the caller gets the same error
 * @throws {DurableError} any DurableErrorCode
 */
export async function writeFileDurably(
  path: string,
  bytes: Uint8Array | AsyncIterable<Uint8Array>,
  options: DurableWriteOptions,
): Promise<void> {
  const fs = options.fs ?? promises
  // Not derived from the file's name, which may already have all 255 bytes. Not guessable, since others may write to the directory.
  const temp = options.tempPath ?? join(dirname(path), TEMP_PREFIX + randomBytes(16).toString('hex') + TEMP_SUFFIX)
  try {
    await writeTemp(fs, temp, path, bytes, options)
    await options.beforeRename?.(temp)
    await renameTemp(fs, temp, path)
  } catch (error) {
    // Also after a failed open, which may have created the file. Its name has 128 random bits, or the caller gave it, so it is ours.
    await fs.unlink(temp).catch(() => undefined)
    throw error
  }
  await syncDirectory(fs, path)
}

/**
 * Removes a file; a missing file is no error. When it returns, the file stays gone even after a power cut.
 * @throws {DurableError} any DurableErrorCode except DURABLE_DISK_FULL
 */
export async function removeDurably(path: string, fs: DurableFs = promises): Promise<void> {
  try {
    await fs.unlink(path)
  } catch (cause) {
    if (errnoOf(cause) !== 'ENOENT') throw changeError('remove', path, cause)
  }
  await syncDirectory(fs, path)
}

/** Whether a file of this name is one that a killed {@link writeFileDurably} left, or one that a running writer is about to rename. */
export function isLeftoverName(name: string): boolean {
  return TEMP_NAME.test(name)
}

/**
 * Removes the temporary files of killed writers from a directory. They may hold secrets that were erased since. Only the holder
 * of the directory's lock may call it: a running write would lose its temporary file and fail.
 * @returns number of removed files
 * @throws {DurableError} any DurableErrorCode except DURABLE_DISK_FULL
 */
export async function removeLeftovers(directory: string, fs: DurableFs = promises): Promise<number> {
  let names: string[]
  try {
    names = await fs.readdir(directory)
  } catch (cause) {
    throw durableError('list', directory, cause)
  }
  const leftovers = names.filter(isLeftoverName)
  for (const name of leftovers) await removeDurably(join(directory, name), fs)
  return leftovers.length
}

/**
 * Makes a directory. One that is there is left as it is. When it returns, the directory survives a power cut.
 * @throws {DurableError} any DurableErrorCode but DURABLE_NOT_A_FILE
 */
export async function makeDirectoryDurably(
  path: string,
  options: Pick<DurableWriteOptions, 'mode' | 'mayLackModes'>,
  fs: DurableFs & Pick<typeof promises, 'mkdir'> = promises,
): Promise<void> {
  let handle: DurableHandle | undefined
  try {
    await fs.mkdir(path, options.mode)
    handle = await fs.open(path, OPEN_DIRECTORY | constants.O_NOFOLLOW)
    await setMode(handle, options)
  } catch (cause) {
    if (errnoOf(cause) === 'EEXIST') return
    throw durableError('make', path, cause)
  } finally {
    await handle?.close().catch(() => undefined)
  }
  await syncDirectory(fs, path)
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
    // 0600 until the owner is right, so that nobody can read a secret in between.
    handle = await fs.open(temp, OPEN_TEMP, 0o600)
    if (options.owner !== undefined) await handle.chown(options.owner.uid, options.owner.gid)
    await setMode(handle, options)
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

async function setMode(
  handle: DurableHandle,
  { mode, mayLackModes = false }: Pick<DurableWriteOptions, 'mode' | 'mayLackModes'>,
): Promise<void> {
  try {
    await handle.chmod(mode)
  } catch (cause) {
    if (!(mayLackModes && LACKS_MODES.has(errnoOf(cause)))) throw cause
  }
}

/** Wraps an error of the source of the parts, to tell it from an error of the file. */
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
  if (bytesWritten === 0) throw new Error('the file system wrote no more bytes and gave no reason')
  return bytesWritten
}

async function renameTemp(fs: DurableFs, temp: string, path: string): Promise<void> {
  try {
    await fs.rename(temp, path)
  } catch (cause) {
    throw changeError('replace', path, cause)
  }
}

/** Makes renames and removals in the file's directory durable. */
async function syncDirectory(fs: DurableFs, path: string): Promise<void> {
  let handle: DurableHandle | undefined
  try {
    handle = await fs.open(dirname(path), OPEN_DIRECTORY)
    await handle.sync()
  } catch (cause) {
    // Some network file systems cannot sync directories and return EINVAL. There is nothing better to do on them.
    if (errnoOf(cause) !== 'EINVAL') throw uncertain(path, cause)
  } finally {
    await handle?.close().catch(() => undefined)
  }
}

/** After a refusal for space or permission, the rename or removal did not happen. After any other error, above all EIO, nobody knows. */
function changeError(verb: string, path: string, cause: unknown): DurableError {
  const error = durableError(verb, path, cause)
  return error.code === 'DURABLE_FAILED' ? uncertain(path, cause) : error
}

function uncertain(path: string, cause: unknown): DurableError {
  const message = `the disk did not confirm the change of ${path}; check the disk, and read the file again before you go on`
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
      return ['DURABLE_DISK_FULL', 'the disk is full or the quota is used up, so make room and try again']
    case 'EROFS':
      return ['DURABLE_READ_ONLY', 'its file system is mounted read-only']
    case 'EACCES':
    case 'EPERM':
      return ['DURABLE_DENIED', 'this user may not write to its directory']
    case 'ENOENT':
    case 'ENOTDIR':
      return ['DURABLE_NO_DIRECTORY', 'its directory does not exist']
    case 'EISDIR':
      return ['DURABLE_NOT_A_FILE', 'it is a directory']
    default:
      return ['DURABLE_FAILED', `the system returned ${errno}`]
  }
}

function errnoOf(cause: unknown): string {
  return cause instanceof Error && 'code' in cause && typeof cause.code === 'string' ? cause.code : String(cause)
}
