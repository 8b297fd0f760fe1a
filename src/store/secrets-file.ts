/** Files of secrets, `secrets` and `seed`: 0600, of this user, replaced wholly, and opened only if nobody else could see them. */
import { constants, promises } from 'node:fs'
import { open } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { removeDurably, writeFileDurably, type DurableFs } from '../durable/file.ts'
import { StoreError, storeErrorOf } from './errors.ts'
import { isErrno } from './state-dir.ts'

export const MAX_SECRETS_BYTES = 65_536 // sanity: two chain keys, a seed and the app tokens of a lifetime are below 8 KiB

/**
 * The content of a secrets file, in memory of its own that the caller wipes, or null when there is no file.
 * @param uid whose it must be; undefined, on Windows, checks neither owner nor mode
 * @throws {StoreError} SECRETS_SYMLINK | SECRETS_NOT_FILE | SECRETS_FOREIGN_OWNER | SECRETS_OPEN_TO_OTHERS | SECRETS_TOO_LARGE | STORE_IO
 */
export async function readSecretsFile(
  path: string,
  uid: number | undefined = process.getuid?.(),
): Promise<Uint8Array | null> {
  let handle: FileHandle
  try {
    // What is opened is what is checked, so it cannot be exchanged in between. O_NONBLOCK: opening a pipe would wait for a writer.
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
    const message = `${path} is open to others (mode ${mode}); run "chmod 600 ${path}", and take its keys for known to them`
    throw new StoreError('SECRETS_OPEN_TO_OTHERS', message)
  }
  if (found.size > MAX_SECRETS_BYTES) {
    throw new StoreError(
      'SECRETS_TOO_LARGE',
      `${path} has ${found.size} bytes, at most ${MAX_SECRETS_BYTES} are read; restore it from a backup`,
    )
  }
  // Not readFile: it reads into pooled memory that nobody wipes.
  const bytes = new Uint8Array(found.size)
  let at = 0
  while (at < bytes.length) {
    const { bytesRead } = await handle.read(bytes, at, bytes.length - at, at)
    if (bytesRead === 0) throw new Error('it became shorter while it was read')
    at += bytesRead
  }
  return bytes
}

/**
 * Replaces or creates a secrets file, 0600. A crash leaves the old or the new one. What was overwritten may stay on the medium: no file system
 * or flash disk promises otherwise, which is why the content is sealed.
 * @throws {StoreError} SECRETS_TOO_LARGE | STORE_DISK_FULL | STORE_IO
 */
export async function writeSecretsFile(path: string, bytes: Uint8Array, fs: DurableFs = promises): Promise<void> {
  if (bytes.length > MAX_SECRETS_BYTES) {
    throw new StoreError(
      'SECRETS_TOO_LARGE',
      `${bytes.length} bytes for ${path}, at most ${MAX_SECRETS_BYTES} would be read back`,
    )
  }
  try {
    await writeFileDurably(path, bytes, { mode: 0o600, fs })
  } catch (cause) {
    throw storeErrorOf(cause, 'write', path)
  }
}

/**
 * Removes a secrets file; one that is gone already counts as removed.
 * @throws {StoreError} STORE_IO
 */
export async function removeSecretsFile(path: string, fs: DurableFs = promises): Promise<void> {
  try {
    await removeDurably(path, fs)
  } catch (cause) {
    throw storeErrorOf(cause, 'remove', path)
  }
}
