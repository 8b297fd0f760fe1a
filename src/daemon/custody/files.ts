/**
 * The two secret files, always sealed the same way: the signing keys in `secrets` and, until the recovery words are
 * confirmed, the seed in `seed`.
 *
 * Two files cannot be replaced at once. When both change, we first write the new seed to `seed.next`, beside the old
 * one. Then we replace `secrets`: that is the moment of the change. Whichever of `seed` and `seed.next` is sealed
 * like `secrets` belongs to it. The next reader finishes or discards the rest. This needs no passphrase, because the
 * kind of sealing is not secret.
 */
import type { CryptoEngine } from '../../crypto/engine.ts'
import { areSealedAlike, seal, type Sealing } from '../../crypto/seal.ts'
import { DurableError, type DurableFs } from '../../durable/file.ts'
import { StoreError } from '../../store/errors.ts'
import { readSecretsFile, removeSecretsFile, writeSecretsFile } from '../../store/secrets-file.ts'
import type { StatePaths } from '../../store/state-dir.ts'

export interface SecretPaths extends Pick<StatePaths, 'secrets' | 'seed' | 'seedNext'> {
  /** The system calls that change files, so that a test can make each of them fail. */
  readonly fs?: DurableFs
}

/** The files as they are on disk. The caller wipes them, because an unsealed file is the secret itself. */
export interface SealedFiles {
  readonly secrets: Uint8Array
  readonly seed: Uint8Array | null
}

/**
 * Finishes or discards what a crash left, then reads both files.
 * @returns null if there is no secrets file
 * @throws {StoreError} SECRETS_* | STORE_*
 * @throws {CryptoError} SEAL_*
 */
export async function readSecretFiles(paths: SecretPaths, engine: CryptoEngine): Promise<SealedFiles | null> {
  const secrets = await readSecretsFile(paths.secrets)
  const next = await readSecretsFile(paths.seedNext)
  if (next !== null) {
    // Crash here: the next read does the same again.
    if (secrets !== null && areSealedAlike(secrets, next)) await writeSecretsFile(paths.seed, next, paths.fs)
    engine.wipe(next)
    await removeSecretsFile(paths.seedNext, paths.fs)
  }
  return secrets === null ? null : { secrets, seed: await readSecretsFile(paths.seed) }
}

/**
 * Replaces the secrets file and leaves the seed alone.
 * @param content sealed before the first await, so the caller may wipe it at once
 * @throws {StoreError} STORE_DISK_FULL if nothing changed | STORE_IO if it may have
 */
export async function writeKeys(
  paths: SecretPaths,
  content: Uint8Array,
  sealing: Sealing,
  engine: CryptoEngine,
): Promise<void> {
  const file = seal(content, sealing, engine)
  try {
    await writeSecretsFile(paths.secrets, file, paths.fs)
  } finally {
    // An unsealed file is the secret itself.
    engine.wipe(file)
  }
}

/**
 * Replaces both files at one moment: see the head of this file.
 * @param content of the secrets file; sealed before the first await, like the seed
 * @param seed 32 bytes
 * @throws {StoreError} as {@link writeKeys}
 */
export async function writeBoth(
  paths: SecretPaths,
  content: Uint8Array,
  seed: Uint8Array,
  sealing: Sealing,
  engine: CryptoEngine,
): Promise<void> {
  const sealed = [seal(seed, sealing, engine), seal(content, sealing, engine)] as const
  try {
    // Crash after this: `seed.next` is sealed unlike `secrets`, so the next read discards it.
    await writeSecretsFile(paths.seedNext, sealed[0], paths.fs)
    // Crash after this: the change is done; the next read replaces the old seed.
    await writeSecretsFile(paths.secrets, sealed[1], paths.fs)
    await finish(paths, sealed[0])
  } finally {
    for (const file of sealed) engine.wipe(file)
  }
}

async function finish(paths: SecretPaths, seed: Uint8Array): Promise<void> {
  try {
    await writeSecretsFile(paths.seed, seed, paths.fs)
    await removeSecretsFile(paths.seedNext, paths.fs)
  } catch (cause) {
    // Whatever fails here, `secrets` is already new.
    throw new StoreError('STORE_IO', `cannot replace ${paths.seed}; check the disk and start again`, { cause })
  }
}

/** Whether a failed write certainly changed nothing. */
export function isUnchangedAfter(error: unknown): boolean {
  return error instanceof StoreError && error.cause instanceof DurableError && error.cause.code !== 'DURABLE_UNCERTAIN'
}

/** Removes the seed, including one whose sealing was being changed. @throws {StoreError} STORE_IO */
export async function removeSeed(paths: SecretPaths): Promise<void> {
  await removeSecretsFile(paths.seedNext, paths.fs)
  await removeSecretsFile(paths.seed, paths.fs)
}

/** Removes both files. @throws {StoreError} STORE_IO */
export async function removeSecretFiles(paths: SecretPaths): Promise<void> {
  await removeSecretsFile(paths.secrets, paths.fs)
  await removeSeed(paths)
}
