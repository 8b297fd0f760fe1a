/** Reads a file that others may have put there: bounded in size, and never blocking on a pipe. */
import { constants, type Stats } from 'node:fs'
import { open } from 'node:fs/promises'
import { concatBytes } from '../../core/encoding/bytes.ts'
import { ToxError } from '../save/errors.ts'

export interface BoundedFile {
  readonly bytes: Uint8Array
  /** Taken from the open file before its bytes were read */
  readonly stats: Stats
}

const CHUNK_BYTES = 256 * 1024 // sanity: read in pieces, so that a huge claimed size is never allocated

/**
 * Reads a whole regular file; follows a symbolic link.
 * @throws {ToxError} TOX_FILE_MISSING | TOX_FILE_UNREADABLE | TOX_TOO_LARGE | TOX_FILE_CHANGED when it changes while
 *   being read
 */
export async function readBoundedFile(path: string, maxBytes: number): Promise<BoundedFile> {
  try {
    return await readOpened(path, maxBytes)
  } catch (cause) {
    if (cause instanceof ToxError) throw cause
    const errno = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown error'
    // ESRCH: a file of /proc whose process has ended.
    if (errno === 'ENOENT' || errno === 'ENOTDIR' || errno === 'ESRCH') {
      throw new ToxError('TOX_FILE_MISSING', `there is no file ${path}: check the path`, { cause })
    }
    throw new ToxError('TOX_FILE_UNREADABLE', `cannot read ${path} (${errno}): check its permissions`, { cause })
  }
}

async function readOpened(path: string, maxBytes: number): Promise<BoundedFile> {
  // O_NONBLOCK: without it, opening a named pipe waits for a writer.
  const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY)
  try {
    const stats = await handle.stat()
    if (!stats.isFile())
      throw new ToxError('TOX_FILE_UNREADABLE', `${path} is not a regular file: give the profile itself`)
    const parts: Uint8Array[] = []
    for (let length = 0; ;) {
      const { bytesRead, buffer } = await handle.read(new Uint8Array(CHUNK_BYTES), 0, CHUNK_BYTES)
      if (bytesRead === 0) break
      parts.push(buffer.subarray(0, bytesRead))
      length += bytesRead
      if (length > maxBytes)
        throw new ToxError('TOX_TOO_LARGE', `${path} has more than ${maxBytes} bytes: is this the right file?`)
    }
    const after = await handle.stat()
    if (after.mtimeMs !== stats.mtimeMs || after.size !== stats.size) {
      throw new ToxError('TOX_FILE_CHANGED', `${path} changed while it was being read: try again`)
    }
    return { bytes: concatBytes(...parts), stats }
  } finally {
    await handle.close().catch(() => undefined)
  }
}
