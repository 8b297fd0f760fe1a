/** A profile on disk: read whole, created or replaced durably, never while a client runs, never without a backup. */
import { lstat, realpath } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { equalBytes } from '../../core/encoding/bytes.ts'
import type { CryptoEngine } from '../../crypto/engine.ts'
import { DurableError, writeFileDurably, type DurableFs, type DurableWriteOptions } from '../../durable/file.ts'
import { backUp, pruneBackups } from './backups.ts'
import { clientsOn, describeClient } from './clients.ts'
import { ToxError } from '../save/errors.ts'
import { readFriends } from '../save/friends.ts'
import { checkWhole, decryptSave, encryptSave } from '../save/esave.ts'
import { thisMachine, type Machine } from './lock-file.ts'
import { qtoxFiles } from './qtox-files.ts'
import { readBoundedFile } from './read-file.ts'
import { MAX_PROFILE_BYTES, decodeSave, encodeSave, isEncryptedSave, readKeys, type ToxSave } from '../save/savefile.ts'

const PROFILE_MODE = 0o600 // the mode that clients use: the file holds the secret key

export interface ProfileAccess {
  readonly engine: CryptoEngine
  /** For an encrypted profile. A plain profile needs none and stays plain. */
  readonly passphrase?: string
}

export interface ToxProfile {
  /** With symbolic links resolved, so that a link to a profile stays a link when the profile is replaced */
  readonly path: string
  readonly save: ToxSave
  readonly isEncrypted: boolean
  /** When the file was last written, unix seconds. No observation in it is newer. */
  readonly fileMtimeSec: number
  readonly owner: { readonly uid: number; readonly gid: number }
  /** The bytes that were read, to detect a write by another program */
  readonly fileBytes: Uint8Array
}

interface WriteOptions {
  /** Unix seconds, for the name of the backup */
  readonly nowSec: number
  /** Write even if a client seems to have the profile open, or qTox's files beside it hang on the old passphrase. When creating a profile, also replace an existing file. */
  readonly force?: boolean
  readonly machine?: Machine
  readonly fs?: DurableFs
}

export interface WriteProfileOptions extends ProfileAccess, WriteOptions {
  /** A new passphrase, or null to remove encryption. When left out, encryption does not change. */
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
  // If the path cannot be resolved, opening it fails too and reports why.
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
 * Replaces a profile that was read before. It stays encrypted or plain unless `newPassphrase` changes that. On
 * failure the old profile is still whole. On return the new one is on disk.
 * @returns the path of the backup
 * @throws {ToxError} TOX_CLIENT_RUNNING | TOX_QTOX_FILES | TOX_FILE_CHANGED | TOX_FILE_MISSING | TOX_FRIENDS_NOT_WHOLE | TOX_BAD_KEYS | TOX_NO_KEYS |
 *   TOX_ENCRYPTED | TOX_WRONG_PASSPHRASE | TOX_DISK_FULL | TOX_WRITE_FAILED | TOX_WRITE_UNCERTAIN
 */
export async function writeProfile(profile: ToxProfile, save: ToxSave, options: WriteProfileOptions): Promise<string> {
  // A different passphrase would lock users out of their own profile.
  if (profile.isEncrypted) await decryptSave(profile.fileBytes, passphraseOf(options), options.engine)
  const present = profile.isEncrypted ? passphraseOf(options) : null
  const passphrase = options.newPassphrase === undefined ? present : options.newPassphrase
  const { path, owner, fileBytes } = profile
  return (await put({ path, owner, replaced: fileBytes, passphrase }, save, options))!
}

/**
 * Creates a profile. With `force`, backs up and replaces an existing file, unless a client has it open.
 * @returns the path with symbolic links resolved, and the path of the backup, or null when there was no file
 * @throws {ToxError} TOX_FILE_EXISTS | TOX_CLIENT_RUNNING | TOX_QTOX_FILES | TOX_FILE_CHANGED | TOX_FILE_UNREADABLE | TOX_TOO_LARGE |
 *   TOX_FRIENDS_NOT_WHOLE | TOX_BAD_KEYS | TOX_NO_KEYS | TOX_DISK_FULL | TOX_WRITE_FAILED | TOX_WRITE_UNCERTAIN
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
  // Here --force means only "replace the file". A running client would still undo our work.
  const careful = { ...options, force: false }
  return { path: resolved, backup: await put({ ...target, owner, replaced: bytes }, save, careful) }
}

/** Resolves a file that does not exist yet, in a directory that should. */
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
  return new ToxError('TOX_FILE_EXISTS', `${path} already exists: give another name, or replace it with --force`)
}

/** A file to be written. */
interface Target {
  readonly path: string
  /** Its current bytes, null when there is no file */
  readonly replaced: Uint8Array | null
  /** Its current owner */
  readonly owner: ToxProfile['owner'] | null
  /** Null for a plain profile */
  readonly passphrase: string | null
}

/** @returns the path of the backup, null when nothing was replaced */
async function put(
  target: Target,
  save: ToxSave,
  options: WriteOptions & { readonly engine: CryptoEngine },
): Promise<string | null> {
  const { path, replaced, passphrase } = target
  const plain = encodeSave(save)
  checkLoads(plain, options.engine)
  await checkQtoxFiles(target, options)
  await checkFree(target, options)
  const bytes = passphrase === null ? plain : await encryptSave(plain, passphrase, options.engine)
  // A client may start between this check and the rename, so beforeRename checks again at the last moment.
  const beforeRename = async (temp: string): Promise<void> => {
    await checkWritten(temp, plain, target, options.engine)
    await checkFree(target, options)
  }
  try {
    const writing = durableOptions(target, options)
    const backup = replaced === null ? null : await backUp(path, replaced, options.nowSec, writing)
    await writeFileDurably(path, bytes, { ...writing, beforeRename })
    // One backup too many does no harm.
    if (backup !== null) await pruneBackups(path, backup).catch(() => undefined)
    return backup
  } catch (error) {
    throw error instanceof DurableError ? writeError(error) : error
  }
}

/** Never writes a profile that libtoxcore would load without its keys or its friends: the client then saves that. */
function checkLoads(plain: Uint8Array, engine: CryptoEngine): void {
  const save = decodeSave(plain)
  readKeys(save, engine)
  readFriends(save)
}

/**
 * Refuses to change the passphrase while qTox's own files beside the profile hang on it.
 * @throws {ToxError} TOX_QTOX_FILES
 */
async function checkQtoxFiles(target: Target, options: WriteOptions & { engine: CryptoEngine }): Promise<void> {
  if (options.force === true || target.replaced === null) return
  const files = await qtoxFiles(target.path)
  if (files.length === 0 || !(await changesPassphrase(target.replaced, target.passphrase, options.engine))) return
  throw new ToxError(
    'TOX_QTOX_FILES',
    `qTox keeps ${files.join(' and ')} beside ${target.path}, under the same passphrase, and could not read them afterwards: change the passphrase in qTox`,
  )
}

async function changesPassphrase(
  replaced: Uint8Array,
  passphrase: string | null,
  engine: CryptoEngine,
): Promise<boolean> {
  if (!isEncryptedSave(replaced)) return replaced.length > 0 && passphrase !== null
  if (passphrase === null) return true
  return await decryptSave(replaced, passphrase, engine).then(
    () => false,
    () => true,
  )
}

async function checkWritten(temp: string, plain: Uint8Array, target: Target, engine: CryptoEngine): Promise<void> {
  const { bytes } = await readBoundedFile(temp, MAX_PROFILE_BYTES)
  const written = target.passphrase === null ? bytes : await decryptSave(bytes, target.passphrase, engine)
  if (!equalBytes(written, plain)) {
    throw new ToxError('TOX_WRITE_FAILED', `${target.path} does not read back as it was written: check the disk`)
  }
}

async function checkFree({ path, replaced }: Target, options: WriteOptions): Promise<void> {
  if (options.force !== true) {
    const [client] = await clientsOn(path, options.machine ?? thisMachine)
    if (client !== undefined) {
      throw new ToxError(
        'TOX_CLIENT_RUNNING',
        `${describeClient(client)} has ${path} open and would overwrite it at exit: close it first`,
      )
    }
  }
  if (replaced === null) {
    if (await exists(path)) throw fileExists(path)
    return
  }
  const { bytes } = await readBoundedFile(path, MAX_PROFILE_BYTES)
  if (!equalBytes(bytes, replaced)) {
    throw new ToxError('TOX_FILE_CHANGED', `another program wrote ${path} in the meantime: try again`)
  }
}

function durableOptions({ owner }: Target, options: WriteOptions): DurableWriteOptions {
  // When root edits a user's profile, the user must still own it.
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
