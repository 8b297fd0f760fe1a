/**
 * Reading in a folder that others write too: nothing there is trusted. Links are not followed, pipes do not block, nothing is read without a
 * bound, and a directory that was opened stays the same one.
 */
import { createHash } from 'node:crypto'
import { constants, promises } from 'node:fs'
import { concatBytes, equalBytes } from '../../../core/encoding/bytes.ts'

/** The largest file that is read. */
export const MAX_FILE_BYTES: number = 17 * 1024 // sanity: the greatest data has 12 001 bytes, and there is room for later forms
/** Names that are read of a subdirectory. */
export const MAX_SUBDIRECTORY_NAMES = 1024 // sanity: an end has 64 frames there and a few more files; others harm only their own channel
/** Names that are read of a folder. */
export const MAX_FOLDER_NAMES = 65_536 // sanity: 50 ms of reading; an end has one subdirectory for each of its channels

const TAG_BYTES = 16 // format: a file that is cut off anywhere passes with a chance of 2^-128
const OPEN_FILE = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK
const OPEN_FOLDER = constants.O_RDONLY | constants.O_DIRECTORY

/** A directory that is held open: its path leads to it, whatever somebody puts in its place meanwhile. */
export interface HeldDirectory {
  readonly path: string
  close(): Promise<void>
}

/**
 * Opens a directory.
 * @param mayBeLink only for the folder itself, which the owner names
 * @returns null if there is none, and for a link or another thing of that name
 * @throws what the system throws: no permission, or a disk that fails
 */
export async function holdDirectory(path: string, mayBeLink = false): Promise<HeldDirectory | null> {
  try {
    const handle = await promises.open(path, mayBeLink ? OPEN_FOLDER : OPEN_FOLDER | constants.O_NOFOLLOW)
    return { path: `/proc/self/fd/${handle.fd}`, close: async () => await handle.close() }
  } catch (error) {
    if (NO_DIRECTORY.has(errnoOf(error))) return null
    throw error
  }
}

const NO_DIRECTORY: ReadonlySet<string> = new Set(['ENOENT', 'ENOTDIR', 'ELOOP'])

/** Works in a directory, if it is there. @throws as {@link holdDirectory} */
export async function inDirectory<Result>(
  path: string,
  work: (inside: string) => Promise<Result>,
): Promise<Result | null> {
  const held = await holdDirectory(path)
  if (held === null) return null
  try {
    return await work(held.path)
  } finally {
    await held.close()
  }
}

/** The names in a directory, in any order. @param maxNames the rest is not read */
export async function namesIn(path: string, maxNames: number): Promise<string[]> {
  const names: string[] = []
  for await (const { name } of await promises.opendir(path, { bufferSize: 256 })) {
    names.push(name)
    if (names.length === maxNames) break
  }
  return names
}

/** The bytes of a file: the data, and the beginning of its hash. So a reader knows a file that is still being copied, or was cut off. */
export function encodeFile(data: Uint8Array): Uint8Array {
  return concatBytes(data, tagOf(data))
}

/** @returns the data; null for a file that is not whole */
export function decodeFile(bytes: Uint8Array): Uint8Array | null {
  if (bytes.length <= TAG_BYTES) return null
  const data = bytes.subarray(0, bytes.length - TAG_BYTES)
  return equalBytes(tagOf(data), bytes.subarray(data.length)) ? data : null
}

/** The data of a file. @returns null if it is gone, not whole, no regular file, too large, or cannot be read now */
export async function readFileData(path: string): Promise<Uint8Array | null> {
  let handle: promises.FileHandle | undefined
  try {
    handle = await promises.open(path, OPEN_FILE)
    const bytes = await readBounded(handle)
    return bytes === null ? null : decodeFile(bytes)
  } catch {
    return null
  } finally {
    await handle?.close().catch(() => undefined)
  }
}

async function readBounded(handle: promises.FileHandle): Promise<Uint8Array | null> {
  const stat = await handle.stat()
  if (!stat.isFile() || stat.size > MAX_FILE_BYTES) return null
  // One byte more than it has: a file that grows meanwhile is not whole.
  const buffer = new Uint8Array(stat.size + 1)
  let length = 0
  while (length < buffer.length) {
    const { bytesRead } = await handle.read(buffer, length, buffer.length - length, length)
    if (bytesRead === 0) return buffer.subarray(0, length)
    length += bytesRead
  }
  return null
}

function tagOf(data: Uint8Array): Uint8Array {
  return createHash('sha256').update(data).digest().subarray(0, TAG_BYTES)
}

export function errnoOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''
}
