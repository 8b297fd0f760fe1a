/**
 * toxEsave, the encrypted form of a profile (c-toxcore toxencryptsave.c): magic[8] || salt[32] || nonce[24] ||
 * secretbox.
 */
import { createHash, scrypt, type ScryptOptions } from 'node:crypto'
import { promisify } from 'node:util'
import { concatBytes, encodeUtf8 } from '../../core/encoding/bytes.ts'
import type { CryptoEngine } from '../../crypto/engine.ts'
import { ToxError } from './errors.ts'
import { isEncryptedSave } from './savefile.ts'

const SALT_BYTES = 32
const NONCE_BYTES = 24
const TAG_BYTES = 16
const SALT_AT = 8
const NONCE_AT: number = SALT_AT + SALT_BYTES
const BOX_AT: number = NONCE_AT + NONCE_BYTES
/** toxcore: TOX_PASS_ENCRYPTION_EXTRA_LENGTH. The encrypted form is this many bytes longer. */
export const ESAVE_EXTRA_BYTES: number = BOX_AT + TAG_BYTES

/** libsodium's scryptsalsa208sha256 with its interactive limits (2^20 operations, 16 MiB), as scrypt parameters. */
const SCRYPT_COST: ScryptOptions = { N: 16_384, r: 8, p: 2 }

const scryptAsync: (password: Uint8Array, salt: Uint8Array, bytes: number, options: ScryptOptions) => Promise<Buffer> =
  promisify(scrypt)

/**
 * Refuses a file that no passphrase can open, before anyone types one.
 * @throws {ToxError} TOX_TRUNCATED
 */
export function checkWhole(bytes: Uint8Array): void {
  // libtoxcore encrypts at least one byte, so a file with only a head and a tag is cut too.
  if (bytes.length > ESAVE_EXTRA_BYTES) return
  const message = `the encrypted profile is cut short (${bytes.length} bytes): use a backup of it`
  throw new ToxError('TOX_TRUNCATED', message)
}

/**
 * Decrypts a toxEsave. The key derivation takes about 70 ms, off the event loop.
 * @param passphrase hashed as UTF-8, as the clients do; may be empty
 * @returns the plain save file
 * @throws {ToxError} TOX_NOT_A_PROFILE | TOX_TRUNCATED | TOX_WRONG_PASSPHRASE
 */
export async function decryptSave(bytes: Uint8Array, passphrase: string, engine: CryptoEngine): Promise<Uint8Array> {
  if (!isEncryptedSave(bytes))
    throw new ToxError('TOX_NOT_A_PROFILE', 'this is not an encrypted Tox profile: read it without a passphrase')
  checkWhole(bytes)
  const key = await deriveKey(passphrase, bytes.slice(SALT_AT, NONCE_AT))
  const plain = engine.openBox(bytes.subarray(BOX_AT), bytes.subarray(NONCE_AT, BOX_AT), key)
  engine.wipe(key)
  if (plain !== null) return plain
  throw new ToxError(
    'TOX_WRONG_PASSPHRASE',
    'the passphrase does not open the profile, or the file was altered: try again, or use a backup',
  )
}

/**
 * Encrypts a save file with a new salt and nonce. The result is ESAVE_EXTRA_BYTES longer.
 * @param random returns cryptographically secure bytes; the engine's, unless a test wants a known result
 * @throws {ToxError} TOX_NOT_A_PROFILE if `plain` is empty, which libtoxcore could not decrypt
 */
export async function encryptSave(
  plain: Uint8Array,
  passphrase: string,
  engine: CryptoEngine,
  random: (length: number) => Uint8Array = (length) => engine.randomBytes(length),
): Promise<Uint8Array> {
  if (plain.length === 0) throw new ToxError('TOX_NOT_A_PROFILE', 'there is nothing to encrypt: give a profile')
  const salt = random(SALT_BYTES)
  const nonce = random(NONCE_BYTES)
  const key = await deriveKey(passphrase, salt)
  const box = engine.sealBox(plain, nonce, key)
  engine.wipe(key)
  return concatBytes(encodeUtf8('toxEsave'), salt, nonce, box)
}

async function deriveKey(passphrase: string, salt: Uint8Array): Promise<Uint8Array> {
  const digest = createHash('sha256').update(encodeUtf8(passphrase)).digest()
  const key = await scryptAsync(digest, salt, 32, SCRYPT_COST)
  digest.fill(0)
  return key
}
