/**
 * What lies on disk of secrets: one self-describing form, sealed under a passphrase or under a key, or unsealed.
 *
 *     0   8   "persona" and 0x1A, which is in no text
 *     8   1   version, 0x01
 *     9   1   mode: 0 unsealed, 1 passphrase, 2 key
 *     10  4   length of the content, u32
 *     mode 0:  14  16  first 16 bytes of SHA-512(LABEL_SEAL || bytes 0..13 || content)        30  content
 *     mode 1:  14   4  passes, u32    18  4  memory in KiB, u32    22  16  salt    38  24  nonce    62  box
 *     mode 2:  14  24  nonce          38  box
 *
 * A box is XSalsa20-Poly1305, which authenticates no header by itself. So its key is the first 32 bytes of
 * SHA-512(LABEL_SEAL || secret || header), where secret is the 32 bytes of Argon2id or the given key, and header is everything
 * in front of the box: with any bit of it changed the box does not open, and no two files share a key.
 */
import { concatBytes, encodeUtf8, equalBytes, readU32, u32be } from '../core/bytes.ts'
import { checkLength } from './arguments.ts'
import type { CryptoEngine, PasswordCost } from './engine.ts'
import { CryptoError } from './errors.ts'

export const LABEL_SEAL: Uint8Array = encodeUtf8('personad/v1/seal\0')

const MAGIC: Uint8Array = concatBytes(encodeUtf8('persona'), Uint8Array.of(0x1a))
const VERSION = 1
const COMMON_BYTES = 14
const SALT_BYTES = 16
const NONCE_BYTES = 24
const TAG_BYTES = 16
const MODE_CODE = { unsealed: 0, passphrase: 1, key: 2 } as const
const HEADER_BYTES = {
  unsealed: COMMON_BYTES,
  passphrase: COMMON_BYTES + 8 + SALT_BYTES + NONCE_BYTES,
  key: COMMON_BYTES + NONCE_BYTES,
} as const

const MIB = 1024 * 1024

// 0.19 s for libsodium on a machine of 2 cores of 2025, 2 s for the portable engine: a person does not mind, a guesser does.
export const DEFAULT_SEAL_COST: PasswordCost = { passes: 4, memoryBytes: 128 * MIB }
// sanity: the least that OWASP advises; a file with less was not written by us, and would be opened by guessing.
export const MIN_SEAL_COST: PasswordCost = { passes: 2, memoryBytes: 19 * MIB }
// sanity: some 5 s and a memory that a small computer has; a hostile import must not cost more than that.
export const MAX_SEAL_COST: PasswordCost = { passes: 10, memoryBytes: 1024 * MIB }

export type SealMode = keyof typeof MODE_CODE

/**
 * How a file is sealed, so that the caller knows what to ask its user for. Nothing but the length is verified yet.
 * @throws {CryptoError} SEAL_NOT_SEALED | SEAL_TRUNCATED | SEAL_DAMAGED | SEAL_UNKNOWN_VERSION | SEAL_MODE
 */
export function readSealMode(sealed: Uint8Array): SealMode {
  if (!equalBytes(sealed.subarray(0, MAGIC.length), MAGIC.subarray(0, sealed.length))) {
    throw new CryptoError('SEAL_NOT_SEALED', 'this is not a secrets file of personad')
  }
  if (sealed.length < COMMON_BYTES) throw truncated()
  const [version, code] = [sealed[MAGIC.length], sealed[MAGIC.length + 1]]
  if (version !== VERSION) {
    throw new CryptoError('SEAL_UNKNOWN_VERSION', `secrets file of version ${version}; this program reads ${VERSION}`)
  }
  const mode = (Object.keys(MODE_CODE) as SealMode[]).find((name) => MODE_CODE[name] === code)
  if (mode === undefined) throw new CryptoError('SEAL_MODE', `secrets file sealed in the unknown way ${code}`)
  const excess = sealed.length - HEADER_BYTES[mode] - TAG_BYTES - readU32(sealed, 10)
  if (excess < 0) throw truncated()
  if (excess > 0) throw new CryptoError('SEAL_DAMAGED', `the secrets file has ${excess} bytes behind its end`)
  return mode
}

/**
 * The form without any protection but the permissions of the file. Its checksum notices damage; it stops nobody.
 * @returns the secret itself, in secret memory: the caller wipes it
 */
export function encodeUnsealed(content: Uint8Array, engine: CryptoEngine): Uint8Array {
  const header = commonHeader('unsealed', content)
  return joinSecret([header, unsealedChecksum(header, content, engine), content], engine)
}

/**
 * @returns the content, in secret memory
 * @throws {CryptoError} SEAL_DAMAGED, and those of {@link readSealMode}
 */
export function decodeUnsealed(sealed: Uint8Array, engine: CryptoEngine): Uint8Array {
  checkMode(sealed, 'unsealed')
  const header = sealed.slice(0, HEADER_BYTES.unsealed)
  const checksum = sealed.slice(HEADER_BYTES.unsealed, HEADER_BYTES.unsealed + TAG_BYTES)
  const content = copySecret(sealed.subarray(HEADER_BYTES.unsealed + TAG_BYTES), engine)
  if (engine.equal(unsealedChecksum(header, content, engine), checksum)) return content
  throw new CryptoError(
    'SEAL_DAMAGED',
    'the secrets file is damaged; restore it from a backup or from the recovery words',
  )
}

/**
 * @param passphrase normalised by NFKC, then UTF-8, so that every keyboard and system spells it alike
 * @param cost within MIN_SEAL_COST and MAX_SEAL_COST, memory a multiple of 1 KiB
 * @throws {CryptoError} SEAL_PASSPHRASE_UNUSABLE | SEAL_COST_REFUSED | ARGON2_FAILED
 */
export async function sealWithPassphrase(
  content: Uint8Array,
  passphrase: string,
  cost: PasswordCost,
  engine: CryptoEngine,
): Promise<Uint8Array> {
  // Assigned later, a character may get another normal form, and the passphrase would no longer open.
  if (passphrase === '' || /[\p{Cn}\p{Cs}]/u.test(passphrase)) {
    throw new CryptoError(
      'SEAL_PASSPHRASE_UNUSABLE',
      'the passphrase is empty or has characters that Unicode does not define',
    )
  }
  checkCostBounds(cost)
  const header = concatBytes(
    commonHeader('passphrase', content),
    u32be(cost.passes),
    u32be(cost.memoryBytes / 1024),
    engine.randomBytes(SALT_BYTES + NONCE_BYTES),
  )
  return sealBehind(header, content, await passphraseSecret(header, passphrase, engine), engine)
}

/**
 * @returns the content, in secret memory
 * @throws {CryptoError} SEAL_WRONG_PASSPHRASE | SEAL_COST_REFUSED | ARGON2_FAILED, and those of {@link readSealMode}
 */
export async function openWithPassphrase(
  sealed: Uint8Array,
  passphrase: string,
  engine: CryptoEngine,
): Promise<Uint8Array> {
  checkMode(sealed, 'passphrase')
  const header = sealed.slice(0, HEADER_BYTES.passphrase)
  const content = openBehind(header, sealed, await passphraseSecret(header, passphrase, engine), engine)
  if (content !== null) return content
  throw new CryptoError(
    'SEAL_WRONG_PASSPHRASE',
    'the passphrase does not open the secrets file, or the file is damaged',
  )
}

/**
 * @param key 32 random bytes, such as the systemd credential directory holds; not a passphrase, no KDF slows a guesser
 * @throws {CryptoError} ARGUMENT_LENGTH
 */
export function sealWithKey(content: Uint8Array, key: Uint8Array, engine: CryptoEngine): Uint8Array {
  checkLength('the key of the secrets file', key, 32)
  const header = concatBytes(commonHeader('key', content), engine.randomBytes(NONCE_BYTES))
  return sealBehind(header, content, copySecret(key, engine), engine)
}

/**
 * @returns the content, in secret memory
 * @throws {CryptoError} SEAL_WRONG_KEY | ARGUMENT_LENGTH, and those of {@link readSealMode}
 */
export function openWithKey(sealed: Uint8Array, key: Uint8Array, engine: CryptoEngine): Uint8Array {
  checkLength('the key of the secrets file', key, 32)
  checkMode(sealed, 'key')
  const header = sealed.slice(0, HEADER_BYTES.key)
  const content = openBehind(header, sealed, copySecret(key, engine), engine)
  if (content !== null) return content
  throw new CryptoError('SEAL_WRONG_KEY', 'the key does not open the secrets file, or the file is damaged')
}

function commonHeader(mode: SealMode, content: Uint8Array): Uint8Array {
  return concatBytes(MAGIC, Uint8Array.of(VERSION, MODE_CODE[mode]), u32be(content.length))
}

function truncated(): CryptoError {
  return new CryptoError('SEAL_TRUNCATED', 'the secrets file ends too early; restore it from a backup')
}

function checkMode(sealed: Uint8Array, wanted: SealMode): void {
  const mode = readSealMode(sealed)
  // Not merely another way to open it: who can write the file must not turn "ask for the passphrase" into "ask for nothing".
  if (mode === wanted) return
  throw new CryptoError('SEAL_MODE', `the secrets file is in mode "${mode}" and was to be opened in mode "${wanted}"`)
}

function checkCostBounds(cost: PasswordCost): void {
  const { passes, memoryBytes } = cost
  const passesFit = Number.isInteger(passes) && passes >= MIN_SEAL_COST.passes && passes <= MAX_SEAL_COST.passes
  const memoryFits = memoryBytes >= MIN_SEAL_COST.memoryBytes && memoryBytes <= MAX_SEAL_COST.memoryBytes
  if (passesFit && memoryFits && memoryBytes % 1024 === 0) return
  throw new CryptoError(
    'SEAL_COST_REFUSED',
    `${passes} passes over ${memoryBytes / MIB} MiB are refused: ${MIN_SEAL_COST.passes} to ${MAX_SEAL_COST.passes} passes ` +
      `over ${MIN_SEAL_COST.memoryBytes / MIB} to ${MAX_SEAL_COST.memoryBytes / MIB} MiB are taken`,
  )
}

async function passphraseSecret(header: Uint8Array, passphrase: string, engine: CryptoEngine): Promise<Uint8Array> {
  const cost = { passes: readU32(header, COMMON_BYTES), memoryBytes: readU32(header, COMMON_BYTES + 4) * 1024 }
  checkCostBounds(cost)
  const salt = header.slice(COMMON_BYTES + 8, COMMON_BYTES + 8 + SALT_BYTES)
  const bytes = encodeUtf8(passphrase.normalize('NFKC'))
  try {
    return await engine.argon2id(bytes, salt, cost)
  } finally {
    engine.wipe(bytes)
  }
}

/** @param secret 32 bytes, wiped */
function sealBehind(header: Uint8Array, content: Uint8Array, secret: Uint8Array, engine: CryptoEngine): Uint8Array {
  const key = boxKey(header, secret, engine)
  const box = engine.sealBox(content, header.slice(-NONCE_BYTES), key)
  engine.wipe(key)
  return concatBytes(header, box)
}

/** @param secret 32 bytes, wiped */
function openBehind(
  header: Uint8Array,
  sealed: Uint8Array,
  secret: Uint8Array,
  engine: CryptoEngine,
): Uint8Array | null {
  const key = boxKey(header, secret, engine)
  const opened = engine.openBox(sealed.slice(header.length), header.slice(-NONCE_BYTES), key)
  engine.wipe(key)
  if (opened === null) return null
  const content = copySecret(opened, engine)
  engine.wipe(opened)
  return content
}

function boxKey(header: Uint8Array, secret: Uint8Array, engine: CryptoEngine): Uint8Array {
  const whole = joinSecret([LABEL_SEAL, secret, header], engine)
  const hash = engine.sha512(whole)
  const key = copySecret(hash.subarray(0, 32), engine)
  for (const spent of [whole, hash, secret]) engine.wipe(spent)
  return key
}

function unsealedChecksum(header: Uint8Array, content: Uint8Array, engine: CryptoEngine): Uint8Array {
  const whole = joinSecret([LABEL_SEAL, header, content], engine)
  const hash = engine.sha512(whole)
  engine.wipe(whole)
  return hash.slice(0, TAG_BYTES)
}

/**
 * Into secret memory: engine.sha512 joins in plain memory, and of an array of up to 64 bytes V8 leaves a copy in its heap, which nobody can
 * wipe, as soon as native code is given it.
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

function copySecret(bytes: Uint8Array, engine: CryptoEngine): Uint8Array {
  const secret = engine.secret(bytes.length)
  secret.set(bytes)
  return secret
}
