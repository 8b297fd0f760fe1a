/** The open secrets: the content of the files, in secret memory, and how to write it back. */
import type { CryptoEngine } from '../../crypto/engine.ts'
import { isSealedBy, unseal, type Sealing } from '../../crypto/seal.ts'
import { openWithPassphrase, wipeSealing } from '../../crypto/sealing.ts'
import { writeBoth, writeKeys, type SealedFiles, type SecretPaths } from './files.ts'
import { decodeSecrets, encodeSecrets, wipeKeys, type SigningKeys } from './content.ts'

export interface OpenSecrets {
  /** Seals the files when they are written again, without asking for a passphrase. */
  sealing: Sealing
  keys: SigningKeys
  /** 32 bytes; null once the recovery words are confirmed, and on a device that never had the seed. */
  seed: Uint8Array | null
  /** The seed of the persona that is about to follow, 32 bytes; null except during a succession. */
  successor: Uint8Array | null
  /** Seals the file of the apps key, 32 bytes; null until that file is first sealed by it. */
  appsSecret: Uint8Array | null
}

/**
 * Opens the content of the files, and wipes the files.
 * @param sealing of the secrets file; kept, or wiped if it is wrong
 * @param passphrase for a seed sealed with its own salt, as the first release wrote it; null if no passphrase seals
 * @throws {CryptoError} SEAL_*
 * @throws {CustodyError} SECRETS_MISSING
 */
export async function openSecrets(
  files: SealedFiles,
  sealing: Sealing,
  passphrase: string | null,
  engine: CryptoEngine,
): Promise<OpenSecrets> {
  const opened: OpenSecrets = { sealing, keys: new Map(), seed: null, successor: null, appsSecret: null }
  let content: Uint8Array | null = null
  try {
    content = unseal(files.secrets, sealing, engine)
    Object.assign(opened, decodeSecrets(content, engine))
    if (files.seed === null) return opened
    const isAlike = passphrase === null || isSealedBy(files.seed, sealing)
    opened.seed = isAlike
      ? unseal(files.seed, sealing, engine)
      : await openWithPassphrase(files.seed, passphrase, engine)
    return opened
  } catch (error) {
    wipeSecrets(opened, engine)
    throw error
  } finally {
    for (const spent of [content, files.secrets, files.seed]) if (spent !== null) engine.wipe(spent)
  }
}

/** Writes the keys, sealed as before. On return they are on disk. @throws {StoreError} see writeKeys */
export async function saveKeys(paths: SecretPaths, secrets: OpenSecrets, engine: CryptoEngine): Promise<void> {
  const content = encodeSecrets(secrets, engine)
  const write = writeKeys(paths, content, secrets.sealing, engine)
  engine.wipe(content)
  await write
}

/** Writes keys and seed at one moment. On return they are on disk. @throws {StoreError} see writeBoth */
export async function saveSecrets(paths: SecretPaths, secrets: OpenSecrets, engine: CryptoEngine): Promise<void> {
  if (secrets.seed === null) return await saveKeys(paths, secrets, engine)
  const content = encodeSecrets(secrets, engine)
  const write = writeBoth(paths, content, secrets.seed, secrets.sealing, engine)
  engine.wipe(content)
  await write
}

/** Wipes keys, seeds, the secret for the apps key, and the sealing. */
export function wipeSecrets(secrets: OpenSecrets, engine: CryptoEngine): void {
  const { keys, seed, successor, appsSecret, sealing } = secrets
  wipeKeys(keys.values(), engine)
  for (const secret of [seed, successor, appsSecret]) if (secret !== null) engine.wipe(secret)
  wipeSealing(sealing, engine)
}
