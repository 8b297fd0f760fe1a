/** The secrets files `secrets` and `seed`: mode 0600, owned by this user, replaced as a whole, and read only if nobody else can read them. */
import { constants, promises } from 'node:fs'
import { open } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { removeDurably, writeFileDurably, type DurableFs } from '../durable/file.ts'
import { StoreError, storeErrorOf } from './errors.ts'
import { isErrno } from './state-dir.ts'

export const MAX_SECRETS_BYTES = 65_536 // sanity: two chain keys, a seed and a lifetime of app tokens stay below 8 KiB

/**
 * Reads a secrets file into its own buffer, which the caller wipes; null if there is no file.
 * @param uid required owner; undefined (on Windows) skips the checks of owner and mode
 * @throws {StoreError} SECRETS_SYMLINK | SECRETS_NOT_FILE | SECRETS_FOREIGN_OWNER | SECRETS_OPEN_TO_OTHERS | SECRETS_TOO_LARGE | STORE_IO
 */
export async function readSecretsFile(
  path: string,
  uid: number | undefined = process.getuid?.(),
): Promise<Uint8Array | null> {
  let handle: FileHandle
  try {
    // We check the open file, so nobody can swap it in between. O_NONBLOCK, because opening a pipe would wait for a writer.
    handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  } catch (cause) {
    if (isErrno(cause, 'ENOENT')) return null
    if (!isErrno(cause, 'ELOOP')) throw storeErrorOf(cause, 'open', path)
    throw new StoreError('SECRETS_SYMLINK', `${path} is a symbolic link; put the file itself there`, { cause })
  }
  try {
    return await readChecked(handle, path, uid)
  } catch (cause) {
    throw storeErrorOf(cause, 'read', path)
  } finally {
    await handle.close()
  }
}

async function readChecked(handle: FileHandle, path: string, uid: number | undefined): Promise<Uint8Array> {
  const found = await handle.stat()
  if (!found.isFile()) throw new StoreError('SECRETS_NOT_FILE', `${path} is not a file; move it away`)
  if (uid !== undefined && found.uid !== uid) {
    throw new StoreError(
      'SECRETS_FOREIGN_OWNER',
      `${path} belongs to user ${found.uid}, but this is user ${uid}; run as its owner`,
    )
  }
  if (uid !== undefined && (found.mode & 0o077) !== 0) {
    const mode = (found.mode & 0o777).toString(8).padStart(4, '0')
    const message = `other users have access to ${path} (mode ${mode}); run "chmod 600 ${path}", and assume that they know its keys`
    throw new StoreError('SECRETS_OPEN_TO_OTHERS', message)
  }
  if (found.size > MAX_SECRETS_BYTES) {
    throw new StoreError(
      'SECRETS_TOO_LARGE',
      `${path} has ${found.size} bytes; the limit is ${MAX_SECRETS_BYTES}; restore it from a backup`,
    )
  }
  // Not readFile, which reads into pooled memory that nobody wipes.
  const bytes = new Uint8Array(found.size)
  let at = 0
  while (at < bytes.length) {
    const { bytesRead } = await handle.read(bytes, at, bytes.length - at, at)
    if (bytesRead === 0) throw new Error('it became shorter during the read')
    at += bytesRead
  }
  return bytes
}

/**
 * Replaces or creates a secrets file, mode 0600. A crash leaves the old or the new file. The old content may stay on the disk, since no file
 * system or flash disk promises to erase it. That is why the content is sealed.
 * @throws {StoreError} SECRETS_TOO_LARGE | STORE_DISK_FULL | STORE_IO
 */
export async function writeSecretsFile(path: string, bytes: Uint8Array, fs: DurableFs = promises): Promise<void> {
  if (bytes.length > MAX_SECRETS_BYTES) {
    throw new StoreError(
      'SECRETS_TOO_LARGE',
      `${path} would have ${bytes.length} bytes; the limit is ${MAX_SECRETS_BYTES}`,
    )
  }
  try {
    await writeFileDurably(path, bytes, { mode: 0o600, fs })
  } catch (cause) {
    throw storeErrorOf(cause, 'write', path)
  }
}

/**
 * Removes a secrets file; a missing file is not an error.
 * @throws {StoreError} STORE_IO
 */
export async function removeSecretsFile(path: string, fs: DurableFs = promises): Promise<void> {
  try {
    await removeDurably(path, fs)
  } catch (cause) {
    throw storeErrorOf(cause, 'remove', path)
  }
}
