/** The passphrase of watched profiles: from the file that the configuration names, else from the service's credentials. */
import { open } from 'node:fs/promises'
import { constants } from 'node:fs'
import { isAbsolute, join } from 'node:path'
import { decodeUtf8 } from '../../core/encoding/bytes.ts'
import { ToxError } from '../../tox/save/errors.ts'

export const CREDENTIAL_NAME = 'tox-passphrase' // LoadCredential=tox-passphrase:FILE in the unit
const MAX_BYTES = 4096 // sanity: 1024 characters of UTF-8
const OPEN_READ = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY

/**
 * Reads the passphrase, without its line end, each time that it is needed.
 * @param file absolute; null for the credential, which the service manager guards
 * @returns null if there is neither
 * @throws {ToxError} TOX_FILE_MISSING | TOX_FILE_UNREADABLE for the file, also if it is not 0600 or not this user's
 */
export async function readToxPassphrase(
  file: string | null,
  env: Readonly<Record<string, string | undefined>>,
): Promise<string | null> {
  if (file !== null) return await readText(file, true)
  const directory = env['CREDENTIALS_DIRECTORY']
  if (directory === undefined || !isAbsolute(directory)) return null
  try {
    return await readText(join(directory, CREDENTIAL_NAME), false)
  } catch (error) {
    if (error instanceof ToxError && error.code === 'TOX_FILE_MISSING') return null
    throw error
  }
}

async function readText(path: string, isGuarded: boolean): Promise<string> {
  try {
    const handle = await open(path, OPEN_READ)
    try {
      const stats = await handle.stat()
      if (!stats.isFile()) throw refused(`${path} is not a regular file`)
      if (isGuarded && stats.uid !== process.geteuid?.()) throw refused(`${path} is not yours`)
      if (isGuarded && (stats.mode & 0o077) !== 0)
        throw refused(`${path} is accessible to other users: run "chmod 600" on it`)
      const { buffer, bytesRead } = await handle.read(new Uint8Array(MAX_BYTES + 1), 0, MAX_BYTES + 1)
      const text = bytesRead > MAX_BYTES ? null : decodeUtf8(buffer.subarray(0, bytesRead))
      buffer.fill(0)
      if (text === null) throw refused(`${path} does not hold a passphrase: it is too long or not UTF-8`)
      return text.replace(/\r?\n$/, '')
    } finally {
      await handle.close()
    }
  } catch (cause) {
    if (cause instanceof ToxError) throw cause
    const errno = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown error'
    if (errno === 'ENOENT') throw new ToxError('TOX_FILE_MISSING', `there is no passphrase file ${path}`, { cause })
    throw refused(`cannot read the passphrase file ${path} (${errno})`, cause)
  }
}

function refused(message: string, cause?: unknown): ToxError {
  return new ToxError('TOX_FILE_UNREADABLE', message, { cause })
}
