/** Makes the secret that seals files, from a passphrase at a bounded cost or from a key that the service manager keeps. */
import { encodeUtf8 } from '../core/encoding/bytes.ts'
import { checkLength } from './arguments.ts'
import type { CryptoEngine, PasswordCost } from './engine.ts'
import { CryptoError } from './errors.ts'
import { copySecret, readPassphraseCost, SALT_BYTES, seal, unseal, type Sealing } from './seal.ts'

const MIB = 1024 * 1024

// 0.19 s with libsodium on a 2-core machine of 2025, 2 s with the portable engine: short for a person, expensive for guessing.
export const DEFAULT_SEAL_COST: PasswordCost = { passes: 4, memoryBytes: 128 * MIB }
// sanity: the minimum that OWASP advises; we never write a file with less, and guessing would open it.
export const MIN_SEAL_COST: PasswordCost = { passes: 2, memoryBytes: 19 * MIB }
// sanity: about 5 s, and memory that a small computer has; a hostile import must not cost more.
export const MAX_SEAL_COST: PasswordCost = { passes: 10, memoryBytes: 1024 * MIB }

export const UNSEALED: Sealing = { mode: 'unsealed' }

/**
 * Makes a sealing with a new salt.
 * @param passphrase is normalized with NFKC, then encoded as UTF-8, so that every keyboard and system gives the same bytes
 * @param cost between MIN_SEAL_COST and MAX_SEAL_COST, memory a multiple of 1 KiB
 * @returns the caller wipes it: {@link wipeSealing}
 * @throws {CryptoError} SEAL_PASSPHRASE_UNUSABLE | SEAL_COST_REFUSED | ARGON2_FAILED
 */
export async function passphraseSealing(
  passphrase: string,
  cost: PasswordCost,
  engine: CryptoEngine,
): Promise<Sealing> {
  checkPassphrase(passphrase)
  return await derive(passphrase, engine.randomBytes(SALT_BYTES), cost, engine)
}

/**
 * Makes the sealing of an existing file. {@link unseal} then shows whether the passphrase is right.
 * @returns the caller wipes it: {@link wipeSealing}
 * @throws {CryptoError} SEAL_COST_REFUSED | ARGON2_FAILED | SEAL_MODE, and the codes of readSealMode
 */
export async function sealingOf(sealed: Uint8Array, passphrase: string, engine: CryptoEngine): Promise<Sealing> {
  const { salt, cost } = readPassphraseCost(sealed)
  return await derive(passphrase, salt, cost, engine)
}

/**
 * Makes a sealing from a key.
 * @param key 32 random bytes, for example a systemd credential; copied into secret memory, neither kept nor changed
 * @throws {CryptoError} ARGUMENT_LENGTH
 */
export function keySealing(key: Uint8Array, engine: CryptoEngine): Sealing {
  checkLength('the key of the secrets file', key, 32)
  return { mode: 'key', secret: copySecret(key, engine) }
}

/** Overwrites the secret of a sealing, if it has one. */
export function wipeSealing(sealing: Sealing, engine: CryptoEngine): void {
  if (sealing.mode !== 'unsealed') engine.wipe(sealing.secret)
}

/**
 * Seals a single file and keeps no secret: for files that leave this device.
 * @throws {CryptoError} SEAL_PASSPHRASE_UNUSABLE | SEAL_COST_REFUSED | ARGON2_FAILED
 */
export async function sealWithPassphrase(
  content: Uint8Array,
  passphrase: string,
  cost: PasswordCost,
  engine: CryptoEngine,
): Promise<Uint8Array> {
  const sealing = await passphraseSealing(passphrase, cost, engine)
  const sealed = seal(content, sealing, engine)
  wipeSealing(sealing, engine)
  return sealed
}

/**
 * Opens a single file.
 * @returns the content in secret memory; the caller wipes it
 * @throws {CryptoError} SEAL_WRONG_PASSPHRASE, and the codes of {@link sealingOf}
 */
export async function openWithPassphrase(
  sealed: Uint8Array,
  passphrase: string,
  engine: CryptoEngine,
): Promise<Uint8Array> {
  const sealing = await sealingOf(sealed, passphrase, engine)
  try {
    return unseal(sealed, sealing, engine)
  } finally {
    wipeSealing(sealing, engine)
  }
}

/**
 * Derives 32 bytes from a passphrase with Argon2id, in secret memory; the caller wipes them.
 * @param passphrase is normalized with NFKC, then encoded as UTF-8
 * @throws {CryptoError} SEAL_COST_REFUSED | ARGON2_FAILED
 */
export async function passphraseSecret(
  passphrase: string,
  salt: Uint8Array,
  cost: PasswordCost,
  engine: CryptoEngine,
): Promise<Uint8Array> {
  checkCostBounds(cost)
  const bytes = encodeUtf8(passphrase.normalize('NFKC'))
  try {
    return await engine.argon2id(bytes, salt, cost)
  } finally {
    engine.wipe(bytes)
  }
}

/**
 * Refuses a passphrase that is unsafe for a new file. A later Unicode version may give an unassigned character another normal form, and
 * then the passphrase would no longer open the file.
 * @throws {CryptoError} SEAL_PASSPHRASE_UNUSABLE
 */
export function checkPassphrase(passphrase: string): void {
  if (passphrase !== '' && !/[\p{Cn}\p{Cs}]/u.test(passphrase)) return
  throw new CryptoError(
    'SEAL_PASSPHRASE_UNUSABLE',
    'the passphrase is empty or has characters that Unicode does not define',
  )
}

function checkCostBounds(cost: PasswordCost): void {
  const { passes, memoryBytes } = cost
  const passesFit = Number.isInteger(passes) && passes >= MIN_SEAL_COST.passes && passes <= MAX_SEAL_COST.passes
  const memoryFits = memoryBytes >= MIN_SEAL_COST.memoryBytes && memoryBytes <= MAX_SEAL_COST.memoryBytes
  if (passesFit && memoryFits && memoryBytes % 1024 === 0) return
  throw new CryptoError(
    'SEAL_COST_REFUSED',
    `a cost of ${passes} passes over ${memoryBytes / MIB} MiB is refused; allowed are ${MIN_SEAL_COST.passes} to ${MAX_SEAL_COST.passes} passes ` +
      `over ${MIN_SEAL_COST.memoryBytes / MIB} to ${MAX_SEAL_COST.memoryBytes / MIB} MiB`,
  )
}

async function derive(
  passphrase: string,
  salt: Uint8Array,
  cost: PasswordCost,
  engine: CryptoEngine,
): Promise<Sealing> {
  return { mode: 'passphrase', cost, salt, secret: await passphraseSecret(passphrase, salt, cost, engine) }
}
