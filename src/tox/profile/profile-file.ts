/** A profile on disk: read whole, made or replaced durably, never under a running client, never without a backup. */
import { lstat, realpath } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { equalBytes } from '../../core/encoding/bytes.ts'
import type { CryptoEngine } from '../../crypto/engine.ts'
import { DurableError, writeFileDurably, type DurableFs, type DurableWriteOptions } from '../../durable/file.ts'
import { backUp, pruneBackups } from './copies.ts'
import { clientsOn, describeClient } from './clients.ts'
import { ToxError } from '../save/errors.ts'
import { checkWhole, decryptSave, encryptSave } from '../save/esave.ts'
import { thisMachine, type Machine } from './lock-file.ts'
import { readBoundedFile } from './read-file.ts'
import { MAX_PROFILE_BYTES, decodeSave, encodeSave, isEncryptedSave, readKeys, type ToxSave } from '../save/savefile.ts'

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

interface WriteOptions {
  /** For the name of the backup */
  readonly nowSec: number
  /** Write although a client seems to run on the profile; of a new profile, also over a file that stands there */
  readonly force?: boolean
  readonly machine?: Machine
  readonly fs?: DurableFs
}

export interface WriteProfileOptions extends ProfileAccess, WriteOptions {
  /** Encrypts with another passphrase than the present one, or not at all when null; as it was when left out */
  readonly newPassphrase?: string | null
}

export interface CreateProfileOptions extends WriteOptions {
  readonly engine: CryptoEngine
  /** Null for a plain profile */
  readonly passphrase: string | null
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
  if (isEncrypted) checkWhole(bytes)
  return {
    path: resolved,
    save: decodeSave(isEncrypted ? await decryptSave(bytes, passphraseOf(access), access.engine) : bytes),
    isEncrypted,
    fileMtimeSec: Math.floor(stats.mtimeMs / 1000),
    owner: { uid: stats.uid, gid: stats.gid },
    fileBytes: bytes,
  }
}

/**
 * Replaces a profile that was read before, encrypted again if it was, unless `newPassphrase` says otherwise. Whatever fails, the old profile stands whole; when it returns, the
 * new one is on disk.
 * @returns the path of the backup
 * @throws {ToxError} TOX_CLIENT_RUNNING | TOX_FILE_CHANGED | TOX_FILE_MISSING | TOX_BAD_KEYS | TOX_NO_KEYS | TOX_ENCRYPTED |
 *   TOX_WRONG_PASSPHRASE | TOX_DISK_FULL | TOX_WRITE_FAILED | TOX_WRITE_UNCERTAIN
 */
export async function writeProfile(profile: ToxProfile, save: ToxSave, options: WriteProfileOptions): Promise<string> {
  // Another passphrase than the present one would lock the user out of his own profile.
  if (profile.isEncrypted) await decryptSave(profile.fileBytes, passphraseOf(options), options.engine)
  const present = profile.isEncrypted ? passphraseOf(options) : null
  const passphrase = options.newPassphrase === undefined ? present : options.newPassphrase
  const { path, owner, fileBytes } = profile
  return (await put({ path, owner, replaced: fileBytes, passphrase }, save, options))!
}

/**
 * Writes a profile where none is. With `force` a file that stands there is backed up and replaced, unless a client runs on it.
 * @returns the path with symbolic links resolved, and that of the backup, or null when nothing was there
 * @throws {ToxError} TOX_FILE_EXISTS | TOX_CLIENT_RUNNING | TOX_FILE_CHANGED | TOX_FILE_UNREADABLE | TOX_TOO_LARGE | TOX_BAD_KEYS |
 *   TOX_NO_KEYS | TOX_DISK_FULL | TOX_WRITE_FAILED | TOX_WRITE_UNCERTAIN
 */
export async function createProfile(
  path: string,
  save: ToxSave,
  options: CreateProfileOptions,
): Promise<{ path: string; backup: string | null }> {
  const { passphrase } = options
  const resolved = await realpath(path).catch(() => resolveNew(path))
  const target = { path: resolved, owner: null, replaced: null, passphrase }
  if (!(await exists(resolved))) return { path: resolved, backup: await put(target, save, options) }
  if (options.force !== true) throw fileExists(resolved)
  const { bytes, stats } = await readBoundedFile(resolved, MAX_PROFILE_BYTES)
  const owner = { uid: stats.uid, gid: stats.gid }
  // --force stands for the file here; a client that runs on it would undo the work all the same.
  const careful = { ...options, force: false }
  return { path: resolved, backup: await put({ ...target, owner, replaced: bytes }, save, careful) }
}

/** A name for a file that is not there yet, in a directory that should be. */
async function resolveNew(path: string): Promise<string> {
  const directory = await realpath(dirname(path)).catch(() => dirname(path))
  return join(directory, basename(path))
}

async function exists(path: string): Promise<boolean> {
  return await lstat(path).then(
    () => true,
    () => false,
  )
}

function fileExists(path: string): ToxError {
  return new ToxError('TOX_FILE_EXISTS', `${path} is there already: give another name, or replace it with --force`)
}

/** A file to be written. */
interface Target {
  readonly path: string
  /** Its bytes until now, null when there is no file */
  readonly replaced: Uint8Array | null
  /** Its owner until now */
  readonly owner: ToxProfile['owner'] | null
  /** Null for a plain profile */
  readonly passphrase: string | null
}

/** @returns the path of the backup of what was replaced */
async function put(
  target: Target,
  save: ToxSave,
  options: WriteOptions & { readonly engine: CryptoEngine },
): Promise<string | null> {
  const { path, replaced, passphrase } = target
  const plain = encodeSave(save)
  checkLoads(plain, options.engine)
  await checkFree(target, options)
  const bytes = passphrase === null ? plain : await encryptSave(plain, passphrase, options.engine)
  // What a client might do between the first look and the rename is looked for again at the last moment.
  const beforeRename = async (temp: string): Promise<void> => {
    await checkWritten(temp, plain, target, options.engine)
    await checkFree(target, options)
  }
  try {
    const writing = durableOptions(target, options)
    const backup = replaced === null ? null : await backUp(path, replaced, options.nowSec, writing)
    await writeFileDurably(path, bytes, { ...writing, beforeRename })
    // A copy too many does no harm.
    if (backup !== null) await pruneBackups(path, backup).catch(() => undefined)
    return backup
  } catch (error) {
    throw error instanceof DurableError ? writeError(error) : error
  }
}

/** Nothing leaves that libtoxcore would load as an empty profile. */
function checkLoads(plain: Uint8Array, engine: CryptoEngine): void {
  readKeys(decodeSave(plain), engine)
}

async function checkWritten(temp: string, plain: Uint8Array, target: Target, engine: CryptoEngine): Promise<void> {
  const { bytes } = await readBoundedFile(temp, MAX_PROFILE_BYTES)
  const written = target.passphrase === null ? bytes : await decryptSave(bytes, target.passphrase, engine)
  if (!equalBytes(written, plain)) {
    throw new ToxError(
      'TOX_WRITE_FAILED',
      `the disk gave back other bytes than were written for ${target.path}: check the disk`,
    )
  }
}

async function checkFree({ path, replaced }: Target, options: WriteOptions): Promise<void> {
  if (options.force !== true) {
    const [client] = await clientsOn(path, options.machine ?? thisMachine)
    if (client !== undefined) {
      throw new ToxError(
        'TOX_CLIENT_RUNNING',
        `${describeClient(client)} has ${path} open, and would write over it at exit: close it first`,
      )
    }
  }
  if (replaced === null) {
    if (await exists(path)) throw fileExists(path)
    return
  }
  const { bytes } = await readBoundedFile(path, MAX_PROFILE_BYTES)
  if (!equalBytes(bytes, replaced)) {
    throw new ToxError('TOX_FILE_CHANGED', `${path} was written by somebody else in the meantime: try again`)
  }
}

function durableOptions({ owner }: Target, options: WriteOptions): DurableWriteOptions {
  // Root at work on a user's profile must not take it away from the client.
  const isForeign = owner !== null && owner.uid !== process.geteuid?.()
  return {
    mode: PROFILE_MODE,
    ...(isForeign ? { owner } : {}),
    ...(options.fs === undefined ? {} : { fs: options.fs }),
  }
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
