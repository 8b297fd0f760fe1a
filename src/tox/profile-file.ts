/** A profile on disk: read whole, replaced durably, never under a running client, never without a backup. */
import { realpath } from 'node:fs/promises'
import { equalBytes } from '../core/bytes.ts'
import type { CryptoEngine } from '../crypto/engine.ts'
import { DurableError, writeFileDurably, type DurableFs, type DurableWriteOptions } from '../durable/file.ts'
import { backUp, pruneBackups } from './backup.ts'
import { clientsOn } from './clients.ts'
import { ToxError } from './errors.ts'
import { decryptSave, encryptSave } from './esave.ts'
import { thisMachine, type Machine } from './lock-file.ts'
import { readBoundedFile } from './read-file.ts'
import { MAX_PROFILE_BYTES, decodeSave, encodeSave, isEncryptedSave, readKeys, type ToxSave } from './savefile.ts'

const PROFILE_MODE = 0o600 // what the clients give it: it holds the secret key

export interface ProfileAccess {
  readonly engine: CryptoEngine
  /** For an encrypted profile; a plain one is read, and stays, without */
  readonly passphrase?: string
}

export interface ToxProfile {
  /** Symbolic links resolved, so that a link to a profile stays one when the profile is replaced */
  readonly path: string
  readonly save: ToxSave
  readonly isEncrypted: boolean
  /** When the file was last written, unix seconds: no observation in it is younger */
  readonly fileMtimeSec: number
  readonly owner: { readonly uid: number; readonly gid: number }
  /** What was read, to notice if somebody else writes */
  readonly fileBytes: Uint8Array
}

export interface WriteProfileOptions extends ProfileAccess {
  /** For the name of the backup */
  readonly nowSec: number
  /** Write although a client seems to run on the profile */
  readonly force?: boolean
  readonly machine?: Machine
  readonly fs?: DurableFs
}

/**
 * Reads and decodes a profile.
 * @throws {ToxError} TOX_FILE_* | TOX_TOO_LARGE | TOX_ENCRYPTED without a passphrase, and the codes of decodeSave and decryptSave
 */
export async function readProfile(path: string, access: ProfileAccess): Promise<ToxProfile> {
  // What cannot be resolved cannot be opened either, and opening tells why.
  const resolved = await realpath(path).catch(() => path)
  const { bytes, stats } = await readBoundedFile(resolved, MAX_PROFILE_BYTES)
  const isEncrypted = isEncryptedSave(bytes)
  return {
    path: resolved,
    save: decodeSave(isEncrypted ? await decrypt(bytes, access) : bytes),
    isEncrypted,
    fileMtimeSec: Math.floor(stats.mtimeMs / 1000),
    owner: { uid: stats.uid, gid: stats.gid },
    fileBytes: bytes,
  }
}

/**
 * Replaces a profile that was read before, encrypted again if it was. Whatever fails, the old profile stands whole; when it returns, the
 * new one is on disk.
 * @returns the path of the backup
 * @throws {ToxError} TOX_CLIENT_RUNNING | TOX_FILE_CHANGED | TOX_FILE_MISSING | TOX_BAD_KEYS | TOX_NO_KEYS | TOX_ENCRYPTED |
 *   TOX_WRONG_PASSPHRASE | TOX_DISK_FULL | TOX_WRITE_FAILED | TOX_WRITE_UNCERTAIN
 */
export async function writeProfile(profile: ToxProfile, save: ToxSave, options: WriteProfileOptions): Promise<string> {
  const { path } = profile
  const plain = encodeSave(save)
  checkLoads(plain, options.engine)
  // Another passphrase than the present one would lock the user out of his own profile.
  if (profile.isEncrypted) await decrypt(profile.fileBytes, options)
  await checkFree(profile, options)
  const bytes = profile.isEncrypted ? await encryptSave(plain, passphraseOf(options), options.engine) : plain
  // What a client might do between the first look and the rename is looked for again at the last moment.
  const beforeRename = async (temp: string): Promise<void> => {
    await checkWritten(temp, plain, profile, options)
    await checkFree(profile, options)
  }
  try {
    const writing = durableOptions(profile, options)
    const backup = await backUp(path, profile.fileBytes, options.nowSec, writing)
    await writeFileDurably(path, bytes, { ...writing, beforeRename })
    // A copy too many does no harm.
    await pruneBackups(path, backup).catch(() => undefined)
    return backup
  } catch (error) {
    throw error instanceof DurableError ? writeError(error) : error
  }
}

/** Nothing leaves that libtoxcore would load as an empty profile. */
function checkLoads(plain: Uint8Array, engine: CryptoEngine): void {
  readKeys(decodeSave(plain), engine)
}

async function checkWritten(
  temp: string,
  plain: Uint8Array,
  profile: ToxProfile,
  options: WriteProfileOptions,
): Promise<void> {
  const { bytes } = await readBoundedFile(temp, MAX_PROFILE_BYTES)
  const written = profile.isEncrypted ? await decrypt(bytes, options) : bytes
  if (!equalBytes(written, plain)) {
    throw new ToxError(
      'TOX_WRITE_FAILED',
      `the disk gave back other bytes than were written for ${profile.path}: check the disk`,
    )
  }
}

async function checkFree(profile: ToxProfile, options: WriteProfileOptions): Promise<void> {
  const { path } = profile
  if (options.force !== true) {
    const [client] = await clientsOn(path, options.machine ?? thisMachine)
    if (client !== undefined) {
      const who = client.pid === null ? client.program : `${client.program} (process ${client.pid})`
      throw new ToxError(
        'TOX_CLIENT_RUNNING',
        `${who} has ${path} open, and would write over it at exit: close it first`,
      )
    }
  }
  const { bytes } = await readBoundedFile(path, MAX_PROFILE_BYTES)
  if (!equalBytes(bytes, profile.fileBytes)) {
    throw new ToxError('TOX_FILE_CHANGED', `${path} was written by somebody else in the meantime: try again`)
  }
}

function durableOptions(profile: ToxProfile, options: WriteProfileOptions): DurableWriteOptions {
  // Root at work on a user's profile must not take it away from the client.
  const isForeign = profile.owner.uid !== process.geteuid?.()
  return {
    mode: PROFILE_MODE,
    ...(isForeign ? { owner: profile.owner } : {}),
    ...(options.fs === undefined ? {} : { fs: options.fs }),
  }
}

async function decrypt(bytes: Uint8Array, access: ProfileAccess): Promise<Uint8Array> {
  return await decryptSave(bytes, passphraseOf(access), access.engine)
}

function passphraseOf(access: ProfileAccess): string {
  if (access.passphrase !== undefined) return access.passphrase
  throw new ToxError('TOX_ENCRYPTED', 'the profile is encrypted: give its passphrase')
}

function writeError(cause: DurableError): ToxError {
  const code =
    cause.code === 'DURABLE_DISK_FULL'
      ? 'TOX_DISK_FULL'
      : cause.code === 'DURABLE_UNCERTAIN'
        ? 'TOX_WRITE_UNCERTAIN'
        : 'TOX_WRITE_FAILED'
  return new ToxError(code, cause.message, { cause })
}
