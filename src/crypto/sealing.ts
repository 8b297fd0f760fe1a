/** Where the secret that seals files comes from: a passphrase at a bounded cost, or a key that somebody else keeps. */
import { encodeUtf8 } from '../core/encoding/bytes.ts'
import { checkLength } from './arguments.ts'
import type { CryptoEngine, PasswordCost } from './engine.ts'
import { CryptoError } from './errors.ts'
import { copySecret, readPassphraseCost, SALT_BYTES, seal, unseal, type Sealing } from './seal.ts'

const MIB = 1024 * 1024

// 0.19 s for libsodium on a machine of 2 cores of 2025, 2 s for the portable engine: a person does not mind, a guesser does.
export const DEFAULT_SEAL_COST: PasswordCost = { passes: 4, memoryBytes: 128 * MIB }
// sanity: the least that OWASP advises; a file with less was not written by us, and would be opened by guessing.
export const MIN_SEAL_COST: PasswordCost = { passes: 2, memoryBytes: 19 * MIB }
// sanity: some 5 s and a memory that a small computer has; a hostile import must not cost more than that.
export const MAX_SEAL_COST: PasswordCost = { passes: 10, memoryBytes: 1024 * MIB }

export const UNSEALED: Sealing = { mode: 'unsealed' }

/**
 * A sealing under a new salt.
 * @param passphrase normalised by NFKC, then UTF-8, so that every keyboard and system spells it alike
 * @param cost within MIN_SEAL_COST and MAX_SEAL_COST, memory a multiple of 1 KiB
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
 * The sealing of a file, if the passphrase is the right one: {@link unseal} tells.
 * @returns the caller wipes it: {@link wipeSealing}
 * @throws {CryptoError} SEAL_COST_REFUSED | ARGON2_FAILED | SEAL_MODE, and those of readSealMode
 */
export async function sealingOf(sealed: Uint8Array, passphrase: string, engine: CryptoEngine): Promise<Sealing> {
  const { salt, cost } = readPassphraseCost(sealed)
  return await derive(passphrase, salt, cost, engine)
}

/**
 * @param key 32 random bytes, such as the systemd credential directory holds; copied, neither kept nor changed
 * @throws {CryptoError} ARGUMENT_LENGTH
 */
export function keySealing(key: Uint8Array, engine: CryptoEngine): Sealing {
  checkLength('the key of the secrets file', key, 32)
  return { mode: 'key', secret: copySecret(key, engine) }
}

/** Overwrites its secret, if it has one. */
export function wipeSealing(sealing: Sealing, engine: CryptoEngine): void {
  if (sealing.mode !== 'unsealed') engine.wipe(sealing.secret)
}

/**
 * Seals once, where nothing is kept: for a file that leaves this device.
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
 * @returns the content, in secret memory: the caller wipes it
 * @throws {CryptoError} SEAL_WRONG_PASSPHRASE, and those of {@link sealingOf}
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
 * What a passphrase gives, 32 bytes in secret memory: the caller wipes them.
 * @param passphrase normalised by NFKC, then UTF-8
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
 * Refuses what a new file must not be sealed by: assigned later, a character may get another normal form, and the passphrase would no
 * longer open.
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
    `${passes} passes over ${memoryBytes / MIB} MiB are refused: ${MIN_SEAL_COST.passes} to ${MAX_SEAL_COST.passes} passes ` +
      `over ${MIN_SEAL_COST.memoryBytes / MIB} to ${MAX_SEAL_COST.memoryBytes / MIB} MiB are taken`,
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
