/**
 * The key for the secrets files that the service manager provides: $CREDENTIALS_DIRECTORY/personad.key
 * (systemd.exec(5), credentials).
 */
import { constants } from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'
import { isAbsolute, join } from 'node:path'
import type { CryptoEngine } from '../../crypto/engine.ts'
import { StoreError, storeErrorOf } from '../../store/errors.ts'
import { isErrno } from '../../store/state-dir.ts'

export const CREDENTIAL_NAME = 'personad.key' // LoadCredentialEncrypted=personad.key:FILE in the unit
const KEY_BYTES = 32
const HEX_DIGITS = 2 * KEY_BYTES
const MAX_BYTES = 128 // sanity: 64 digits and a line end; above 64, so that V8 allocates the array outside its heap
// The service manager protects credentials by an access list, which appears as group permissions.
const FORBIDDEN_MODE = 0o037

/**
 * Reads the credential.
 * @returns 32 bytes in secret memory, which the caller wipes; null if the service has no such credential
 * @throws {StoreError} CREDENTIAL_UNUSABLE if it is not 32 bytes or 64 hex digits, not a file, another user's, or
 *   readable by others | STORE_IO
 */
export async function readCredential(
  env: Readonly<Record<string, string | undefined>>,
  engine: CryptoEngine,
  uid: number | undefined = process.getuid?.(),
): Promise<Uint8Array | null> {
  const directory = env['CREDENTIALS_DIRECTORY']
  if (directory === undefined || !isAbsolute(directory)) return null
  const path = join(directory, CREDENTIAL_NAME)
  let handle: FileHandle
  try {
    handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  } catch (cause) {
    if (isErrno(cause, 'ENOENT')) return null
    if (isErrno(cause, 'ELOOP')) throw unusable(path, 'is a symbolic link')
    throw storeErrorOf(cause, 'open', path)
  }
  try {
    const { mode, uid: owner } = await checkedFile(handle, path)
    if (uid !== undefined && owner !== uid && owner !== 0) throw unusable(path, `belongs to user ${owner}`)
    if (uid !== undefined && (mode & FORBIDDEN_MODE) !== 0) throw unusable(path, 'is accessible to other users')
    return await readKey(handle, path, engine)
  } catch (cause) {
    throw storeErrorOf(cause, 'read', path)
  } finally {
    await handle.close()
  }
}

async function checkedFile(handle: FileHandle, path: string): Promise<{ mode: number; uid: number }> {
  const found = await handle.stat()
  if (!found.isFile()) throw unusable(path, 'is not a file')
  return found
}

async function readKey(handle: FileHandle, path: string, engine: CryptoEngine): Promise<Uint8Array> {
  const bytes = new Uint8Array(MAX_BYTES)
  try {
    const { bytesRead } = await handle.read(bytes, 0, MAX_BYTES, 0)
    const key = engine.secret(KEY_BYTES)
    if (bytesRead === KEY_BYTES) key.set(bytes.subarray(0, KEY_BYTES))
    else if (!isLineOfHex(bytes, bytesRead)) throw unusable(path, 'holds neither 32 bytes nor 64 hex digits')
    else for (let i = 0; i < KEY_BYTES; i++) key[i] = digit(bytes[2 * i]!) * 16 + digit(bytes[2 * i + 1]!)
    return key
  } finally {
    engine.wipe(bytes)
  }
}

/** Whether the bytes are 64 hex digits with at most one line end. */
function isLineOfHex(bytes: Uint8Array, length: number): boolean {
  const isEnded = length === HEX_DIGITS || (length === HEX_DIGITS + 1 && bytes[HEX_DIGITS] === 0x0a)
  return isEnded && bytes.subarray(0, HEX_DIGITS).every((byte) => digit(byte) >= 0)
}

/** Parses one hex digit. Avoids strings, which cannot be wiped. @returns -1 if it is not a hex digit */
function digit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30
  const letter = byte | 0x20
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x61 + 10 : -1
}

function unusable(path: string, why: string): StoreError {
  const message = `the credential ${path} ${why}; create one of 32 random bytes that only this service can read`
  return new StoreError('CREDENTIAL_UNUSABLE', message)
}
