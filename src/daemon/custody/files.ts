/**
 * The two files of secrets, always sealed alike: the signing keys in `secrets` and, until the words were confirmed, the seed in `seed`.
 *
 * Two files cannot be replaced at once. So where both change, the new seed is written beside the old one as `seed.next`, then `secrets`
 * is replaced, and that is the moment of the change: whichever of `seed` and `seed.next` is sealed as `secrets` is, belongs to it. Whoever
 * reads them next finishes or discards the rest, which takes no passphrase, since the way of sealing stands in the open.
 */
import type { CryptoEngine } from '../../crypto/engine.ts'
import { areSealedAlike, seal, type Sealing } from '../../crypto/seal.ts'
import { DurableError, type DurableFs } from '../../durable/file.ts'
import { StoreError } from '../../store/errors.ts'
import { readSecretsFile, removeSecretsFile, writeSecretsFile } from '../../store/secrets-file.ts'
import type { StatePaths } from '../../store/state-dir.ts'

export interface SecretPaths extends Pick<StatePaths, 'secrets' | 'seed' | 'seedNext'> {
  /** The system calls that change files, so that a test can let each of them fail. */
  readonly fs?: DurableFs
}

/** The files as they are on disk; the caller wipes them, since unsealed they are the secrets themselves. */
export interface SealedFiles {
  readonly secrets: Uint8Array
  readonly seed: Uint8Array | null
}

/**
 * Finishes or discards what a crash left, and reads both files.
 * @returns null without secrets
 * @throws {StoreError} SECRETS_* | STORE_* @throws {CryptoError} SEAL_*
 */
export async function readSecretFiles(paths: SecretPaths, engine: CryptoEngine): Promise<SealedFiles | null> {
  const secrets = await readSecretsFile(paths.secrets)
  const next = await readSecretsFile(paths.seedNext)
  if (next !== null) {
    // Crash in here: the same again.
    if (secrets !== null && areSealedAlike(secrets, next)) await writeSecretsFile(paths.seed, next, paths.fs)
    engine.wipe(next)
    await removeSecretsFile(paths.seedNext, paths.fs)
  }
  return secrets === null ? null : { secrets, seed: await readSecretsFile(paths.seed) }
}

/**
 * Replaces the secrets file; the seed stays as it is.
 * @param content sealed before anything is awaited, so that it may be wiped at once
 * @throws {StoreError} STORE_DISK_FULL: nothing has changed | STORE_IO: perhaps
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
    // Unsealed it is the secret itself.
    engine.wipe(file)
  }
}

/**
 * Replaces both files at one moment: see the head of this file.
 * @param content of the secrets file and @param seed are sealed before anything is awaited
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
    // Crash behind this: another sealing than that of `secrets`, so it is discarded.
    await writeSecretsFile(paths.seedNext, sealed[0], paths.fs)
    // Crash behind this: done; the old seed is replaced by whoever reads it.
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
    // Whatever failed here, `secrets` is the new one.
    throw new StoreError('STORE_IO', `cannot replace ${paths.seed}; check the disk and start again`, { cause })
  }
}

/** Whether a failed write is known to have changed nothing. */
export function isUnchangedAfter(error: unknown): boolean {
  return error instanceof StoreError && error.cause instanceof DurableError && error.cause.code !== 'DURABLE_UNCERTAIN'
}

/** Removes the seed, also one whose sealing was being changed. @throws {StoreError} STORE_IO */
export async function removeSeed(paths: SecretPaths): Promise<void> {
  await removeSecretsFile(paths.seedNext, paths.fs)
  await removeSecretsFile(paths.seed, paths.fs)
}

/** Removes both files. @throws {StoreError} STORE_IO */
export async function removeSecretFiles(paths: SecretPaths): Promise<void> {
  await removeSecretsFile(paths.secrets, paths.fs)
  await removeSeed(paths)
}
