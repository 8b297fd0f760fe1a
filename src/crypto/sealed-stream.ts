/**
 * Seals a large file in chunks. No chunk can be changed, removed, swapped or cut off unnoticed (docs/backup.md, section 3).
 *
 *     0   8   "persbak" and 0x1A        8   1   version, 0x01 or 0x02: what the content begins with
 *     9   4   passes, u32               13  4   memory in KiB, u32        17  16  salt
 *     33      boxes of 49152 bytes each, the last one of 1..49152, each after its tag of 16 bytes
 *
 * The key is the first 32 bytes of SHA-512(LABEL_BACKUP || Argon2id of the passphrase || bytes 0..32). So a changed header opens nothing,
 * and no two files share a key. core/stream/box-stream.ts has the boxes.
 */
import { isChunk, openBoxAt, sealBoxAt, type BoxRefusal } from '../core/stream/box-stream.ts'
import { concatBytes, encodeUtf8, equalBytes, readU32, u32be } from '../core/encoding/bytes.ts'
import type { CryptoEngine, PasswordCost } from './engine.ts'
import { CryptoError } from './errors.ts'
import { copySecret, SALT_BYTES } from './seal.ts'
import { checkPassphrase, passphraseSecret } from './sealing.ts'

export const LABEL_BACKUP: Uint8Array = encodeUtf8('personad/v1/backup\0')

const MAGIC: Uint8Array = concatBytes(encodeUtf8('persbak'), Uint8Array.of(0x1a))
const VERSIONS = [1, 2] as const

/** 1: signing keys and a snapshot. 2: secrets of apps between them. */
export type BackupVersion = (typeof VERSIONS)[number]

const COST_AT: number = MAGIC.length + 1
export const BACKUP_HEADER_BYTES: number = COST_AT + 8 + SALT_BYTES

/**
 * Makes a new header, and its key in secret memory.
 * @throws {CryptoError} SEAL_PASSPHRASE_UNUSABLE | SEAL_COST_REFUSED | ARGON2_FAILED
 */
export async function newBackupKey(
  passphrase: string,
  cost: PasswordCost,
  engine: CryptoEngine,
  version: BackupVersion = 1,
): Promise<{ header: Uint8Array; key: Uint8Array }> {
  checkPassphrase(passphrase)
  const salt = engine.randomBytes(SALT_BYTES)
  const header = concatBytes(MAGIC, Uint8Array.of(version), u32be(cost.passes), u32be(cost.memoryBytes / 1024), salt)
  return { header, key: await deriveKey(header, passphrase, engine) }
}

/**
 * Derives the key from a header and a passphrase, in secret memory. Only opening the first box shows whether the passphrase is right.
 * @param header BACKUP_HEADER_BYTES bytes
 * @throws {CryptoError} BACKUP_NOT_ONE | BACKUP_UNKNOWN_VERSION | SEAL_COST_REFUSED | ARGON2_FAILED
 */
export async function backupKeyOf(header: Uint8Array, passphrase: string, engine: CryptoEngine): Promise<Uint8Array> {
  if (header.length !== BACKUP_HEADER_BYTES || !equalBytes(header.subarray(0, MAGIC.length), MAGIC)) {
    throw new CryptoError('BACKUP_NOT_ONE', 'this is not a backup of a persona')
  }
  const version = header[MAGIC.length]!
  if (!(VERSIONS as readonly number[]).includes(version)) {
    const message = `the backup has version ${version}; this program reads versions ${VERSIONS.join(' and ')}`
    throw new CryptoError('BACKUP_UNKNOWN_VERSION', message)
  }
  return await deriveKey(header, passphrase, engine)
}

/** The version of a header that {@link backupKeyOf} takes. */
export function backupVersionOf(header: Uint8Array): BackupVersion {
  return header[MAGIC.length] === 2 ? 2 : 1
}

async function deriveKey(header: Uint8Array, passphrase: string, engine: CryptoEngine): Promise<Uint8Array> {
  const cost = { passes: readU32(header, COST_AT), memoryBytes: readU32(header, COST_AT + 4) * 1024 }
  const secret = await passphraseSecret(passphrase, header.slice(COST_AT + 8), cost, engine)
  const whole = engine.secret(LABEL_BACKUP.length + secret.length + header.length)
  whole.set(LABEL_BACKUP)
  whole.set(secret, LABEL_BACKUP.length)
  whole.set(header, LABEL_BACKUP.length + secret.length)
  const hash = engine.sha512(whole)
  const key = copySecret(hash.subarray(0, 32), engine)
  for (const spent of [secret, whole, hash]) engine.wipe(spent)
  return key
}

/** Seals the chunks of one file in order. */
export class BackupSealer {
  readonly #key: Uint8Array
  readonly #engine: CryptoEngine
  #index = 0

  /** @param key kept until {@link close} */
  constructor(key: Uint8Array, engine: CryptoEngine) {
    this.#key = key
    this.#engine = engine
  }

  /**
   * Seals the next chunk.
   * @param chunk CHUNK_BYTES bytes, the last one 1..CHUNK_BYTES; neither kept nor changed
   * @throws {CryptoError} ARGUMENT_LENGTH
   */
  seal(chunk: Uint8Array, isLast: boolean): Uint8Array {
    if (!isChunk(chunk, isLast))
      throw new CryptoError('ARGUMENT_LENGTH', `a chunk of a backup cannot have ${chunk.length} bytes`)
    return sealBoxAt(this.#index++, chunk, isLast, this.#key, this.#engine)
  }

  /** Wipes the key. */
  close(): void {
    this.#engine.wipe(this.#key)
  }
}

/** Opens the boxes of one file in order. */
export class BackupOpener {
  readonly #key: Uint8Array
  readonly #engine: CryptoEngine
  #index = 0

  /** @param key kept until {@link close} */
  constructor(key: Uint8Array, engine: CryptoEngine) {
    this.#key = key
    this.#engine = engine
  }

  /**
   * Opens the next box.
   * @param isLast whether the file ends after this box
   * @returns the chunk; the caller wipes it if it is secret
   * @throws {CryptoError} SEAL_WRONG_PASSPHRASE for the first box | BACKUP_CUT | BACKUP_DAMAGED
   */
  open(box: Uint8Array, isLast: boolean): Uint8Array {
    const chunk = openBoxAt(this.#index, box, isLast, this.#key, this.#engine)
    if (typeof chunk === 'string') throw refusalOf(chunk, this.#index + 1)
    this.#index++
    return chunk
  }

  /** Wipes the key. */
  close(): void {
    this.#engine.wipe(this.#key)
  }
}

function refusalOf(refusal: BoxRefusal, number: number): CryptoError {
  if (refusal === 'cut') return new CryptoError('BACKUP_CUT', `the backup is cut off after chunk ${number}`)
  if (refusal === 'extended')
    return new CryptoError('BACKUP_DAMAGED', `the backup has bytes after its end, which is chunk ${number}`)
  if (number === 1)
    return new CryptoError(
      'SEAL_WRONG_PASSPHRASE',
      'the passphrase does not open the backup, or the start of the backup is damaged',
    )
  return new CryptoError('BACKUP_DAMAGED', `chunk ${number} of the backup is damaged or in the wrong place`)
}
