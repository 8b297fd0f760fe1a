/**
 * The file format of secrets on disk: sealed with a passphrase, sealed with a key, or unsealed. The header says which.
 *
 *     0   8   "persona" and 0x1A, a byte that no text file has
 *     8   1   version, 0x01
 *     9   1   mode: 0 unsealed, 1 passphrase, 2 key
 *     10  4   length of the content, u32
 *     mode 0:  14  16  first 16 bytes of SHA-512(LABEL_SEAL || bytes 0..13 || content)        30  content
 *     mode 1:  14   4  passes, u32    18  4  memory in KiB, u32    22  16  salt    38  24  nonce    62  box
 *     mode 2:  14  24  nonce          38  box
 *
 * A box is XSalsa20-Poly1305, which does not authenticate a header. So its key is the first 32 bytes of
 * SHA-512(LABEL_SEAL || secret || header). The secret is the 32 bytes of Argon2id or the given key; the header is everything
 * before the box. A box with any changed header bit does not open, and no two files share a key, even with the same salt.
 */
import { concatBytes, encodeUtf8, equalBytes, readU32, u32be } from '../core/encoding/bytes.ts'
import type { CryptoEngine, PasswordCost } from './engine.ts'
import { CryptoError } from './errors.ts'

export const LABEL_SEAL: Uint8Array = encodeUtf8('personad/v1/seal\0')

const MAGIC: Uint8Array = concatBytes(encodeUtf8('persona'), Uint8Array.of(0x1a))
const VERSION = 1
const COMMON_BYTES = 14
export const SALT_BYTES = 16
const NONCE_BYTES = 24
const TAG_BYTES = 16
const MODE_CODE = { unsealed: 0, passphrase: 1, key: 2 } as const
const HEADER_BYTES = {
  unsealed: COMMON_BYTES,
  passphrase: COMMON_BYTES + 8 + SALT_BYTES + NONCE_BYTES,
  key: COMMON_BYTES + NONCE_BYTES,
} as const

export type SealMode = keyof typeof MODE_CODE

/**
 * The means to seal and unseal files; sealing.ts makes them. While the secret is in memory, a file can be rewritten without the
 * passphrase: nobody has to type it, and Argon2id does not run.
 */
export type Sealing =
  | { readonly mode: 'unsealed' }
  | {
      readonly mode: 'passphrase'
      readonly cost: PasswordCost
      /** 16 bytes */
      readonly salt: Uint8Array
      /** 32 bytes from Argon2id, in secret memory */
      readonly secret: Uint8Array
    }
  | {
      readonly mode: 'key'
      /** 32 random bytes, in secret memory. Never a passphrase: no KDF slows down guessing */
      readonly secret: Uint8Array
    }

/**
 * Reads how a file is sealed, so that the caller knows what to ask the user for. It verifies only the length.
 * @throws {CryptoError} SEAL_NOT_SEALED | SEAL_TRUNCATED | SEAL_DAMAGED | SEAL_UNKNOWN_VERSION | SEAL_MODE
 */
export function readSealMode(sealed: Uint8Array): SealMode {
  if (!equalBytes(sealed.subarray(0, MAGIC.length), MAGIC.subarray(0, sealed.length))) {
    throw new CryptoError('SEAL_NOT_SEALED', 'this is not a secrets file of personad')
  }
  if (sealed.length < COMMON_BYTES) throw truncated()
  const [version, code] = [sealed[MAGIC.length], sealed[MAGIC.length + 1]]
  if (version !== VERSION) {
    throw new CryptoError(
      'SEAL_UNKNOWN_VERSION',
      `the secrets file has version ${version}; this program reads version ${VERSION}`,
    )
  }
  const mode = (Object.keys(MODE_CODE) as SealMode[]).find((name) => MODE_CODE[name] === code)
  if (mode === undefined) throw new CryptoError('SEAL_MODE', `the secrets file has the unknown mode ${code}`)
  const excess = sealed.length - HEADER_BYTES[mode] - TAG_BYTES - readU32(sealed, 10)
  if (excess < 0) throw truncated()
  if (excess > 0) throw new CryptoError('SEAL_DAMAGED', `the secrets file has ${excess} bytes after its end`)
  return mode
}

/**
 * Whether the header of a file matches `sealing`: the same mode and, with a passphrase, the same salt and cost. Then the same secret
 * opens it. The header is not verified.
 * @throws {CryptoError} the codes of {@link readSealMode}
 */
export function isSealedBy(sealed: Uint8Array, sealing: Sealing): boolean {
  if (readSealMode(sealed) !== sealing.mode) return false
  return sealing.mode !== 'passphrase' || equalBytes(passphraseHeader(sealing), readPassphraseHeader(sealed))
}

/**
 * Whether the headers of two files match, so that one secret opens both. See {@link isSealedBy}.
 * @throws {CryptoError} the codes of {@link readSealMode}
 */
export function areSealedAlike(a: Uint8Array, b: Uint8Array): boolean {
  const mode = readSealMode(a)
  if (mode !== readSealMode(b)) return false
  return mode !== 'passphrase' || equalBytes(readPassphraseHeader(a), readPassphraseHeader(b))
}

/**
 * Seals a file.
 * @param content neither kept nor changed
 * @param sealing can be used any number of times: each file gets its own nonce, and so its own key
 * @returns the whole file. In mode unsealed it contains the secret itself, in secret memory, and the caller wipes it
 */
export function seal(content: Uint8Array, sealing: Sealing, engine: CryptoEngine): Uint8Array {
  const common = concatBytes(MAGIC, Uint8Array.of(VERSION, MODE_CODE[sealing.mode]), u32be(content.length))
  if (sealing.mode === 'unsealed') {
    return joinSecret([common, unsealedChecksum(common, content, engine), content], engine)
  }
  const middle = sealing.mode === 'passphrase' ? passphraseHeader(sealing) : new Uint8Array(0)
  const header = concatBytes(common, middle, engine.randomBytes(NONCE_BYTES))
  const key = boxKey(header, sealing.secret, engine)
  const box = engine.sealBox(content, header.slice(-NONCE_BYTES), key)
  engine.wipe(key)
  return concatBytes(header, box)
}

/**
 * Opens a sealed file.
 * @param sealing in the mode that the caller expects, not the one in the header: somebody who can write the file must not turn "ask for
 *   the passphrase" into "ask for nothing"
 * @returns the content in secret memory; the caller wipes it
 * @throws {CryptoError} SEAL_MODE | SEAL_WRONG_PASSPHRASE | SEAL_WRONG_KEY | SEAL_DAMAGED, and the codes of {@link readSealMode}
 */
export function unseal(sealed: Uint8Array, sealing: Sealing, engine: CryptoEngine): Uint8Array {
  checkMode(sealed, sealing.mode)
  const header = sealed.slice(0, HEADER_BYTES[sealing.mode])
  const body = sealed.subarray(header.length)
  if (sealing.mode === 'unsealed') return openUnsealed(header, body, engine)
  const key = boxKey(header, sealing.secret, engine)
  const opened = engine.openBox(body.slice(), header.slice(-NONCE_BYTES), key)
  engine.wipe(key)
  if (opened === null) throw wrong(sealing.mode)
  const content = copySecret(opened, engine)
  engine.wipe(opened)
  return content
}

/**
 * Reads salt and cost from the header of a file in mode passphrase. They are not verified: the cost may be anything.
 * @throws {CryptoError} SEAL_MODE, and the codes of {@link readSealMode}
 */
export function readPassphraseCost(sealed: Uint8Array): { salt: Uint8Array; cost: PasswordCost } {
  checkMode(sealed, 'passphrase')
  const header = readPassphraseHeader(sealed)
  return { salt: header.slice(8), cost: { passes: readU32(header, 0), memoryBytes: readU32(header, 4) * 1024 } }
}

function openUnsealed(header: Uint8Array, body: Uint8Array, engine: CryptoEngine): Uint8Array {
  const content = copySecret(body.subarray(TAG_BYTES), engine)
  if (engine.equal(unsealedChecksum(header, content, engine), body.slice(0, TAG_BYTES))) return content
  engine.wipe(content)
  throw new CryptoError(
    'SEAL_DAMAGED',
    'the secrets file is damaged; restore it from a backup or from the recovery words',
  )
}

function wrong(mode: 'passphrase' | 'key'): CryptoError {
  return mode === 'key'
    ? new CryptoError('SEAL_WRONG_KEY', 'the key does not open the secrets file, or the file is damaged')
    : new CryptoError('SEAL_WRONG_PASSPHRASE', 'the passphrase does not open the secrets file, or the file is damaged')
}

function passphraseHeader({ cost, salt }: { cost: PasswordCost; salt: Uint8Array }): Uint8Array {
  return concatBytes(u32be(cost.passes), u32be(cost.memoryBytes / 1024), salt)
}

function readPassphraseHeader(sealed: Uint8Array): Uint8Array {
  return sealed.slice(COMMON_BYTES, COMMON_BYTES + 8 + SALT_BYTES)
}

function truncated(): CryptoError {
  return new CryptoError('SEAL_TRUNCATED', 'the secrets file is cut short; restore it from a backup')
}

function checkMode(sealed: Uint8Array, wanted: SealMode): void {
  const mode = readSealMode(sealed)
  // Never open it in the other mode: somebody who can write the file must not turn "ask for the passphrase" into "ask for nothing".
  if (mode === wanted) return
  throw new CryptoError('SEAL_MODE', `the secrets file is in mode "${mode}", but mode "${wanted}" was expected`)
}

function boxKey(header: Uint8Array, secret: Uint8Array, engine: CryptoEngine): Uint8Array {
  const whole = joinSecret([LABEL_SEAL, secret, header], engine)
  const hash = engine.sha512(whole)
  const key = copySecret(hash.subarray(0, 32), engine)
  for (const spent of [whole, hash]) engine.wipe(spent)
  return key
}

function unsealedChecksum(header: Uint8Array, content: Uint8Array, engine: CryptoEngine): Uint8Array {
  const whole = joinSecret([LABEL_SEAL, header, content], engine)
  const hash = engine.sha512(whole)
  engine.wipe(whole)
  return hash.slice(0, TAG_BYTES)
}

/**
 * Joins parts in secret memory. engine.sha512 would join them in plain memory. Also, when native code gets an array of up to 64 bytes, V8
 * leaves a copy in its heap that nobody can wipe.
 */
function joinSecret(parts: readonly Uint8Array[], engine: CryptoEngine): Uint8Array {
  const whole = engine.secret(parts.reduce((length, part) => length + part.length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

/** Copies bytes into secret memory; the caller wipes the copy. */
export function copySecret(bytes: Uint8Array, engine: CryptoEngine): Uint8Array {
  const secret = engine.secret(bytes.length)
  secret.set(bytes)
  return secret
}
