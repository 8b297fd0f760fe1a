/**
 * The secret key of the companion, in its own file in the state directory (docs/decisions/0015). It signs nothing. Like the key in the
 * profile of any Tox client, it has no passphrase, since the daemon must see friends while it is locked.
 */
import { concatBytes, encodeUtf8, equalBytes } from '../../core/encoding/bytes.ts'
import { LABEL_COMPANION } from '../../core/labels.ts'
import type { CryptoEngine } from '../../crypto/engine.ts'
import { copySecret, seal, unseal } from '../../crypto/seal.ts'
import { UNSEALED } from '../../crypto/sealing.ts'
import { readSecretsFile, writeSecretsFile } from '../../store/secrets-file.ts'
import { formatToxId, NOSPAM_BYTES, SECRET_KEY_BYTES } from '../../tox/save/address.ts'

/** The content of the file, which is an unsealed secrets file: this byte, the mark of the machine, the key. */
const VERSION = 1
const MACHINE_BYTES = 16

export interface CompanionKey {
  /** 32 bytes, in secret memory; the caller wipes it */
  readonly secretKey: Uint8Array
  /** 32 bytes */
  readonly publicKey: Uint8Array
}

/**
 * Reads the key of this machine; null if there is none, or if it was copied from another machine: two nodes with one key throw each
 * other out of the network every 30 seconds.
 * @param machineId of machine-id(5), or null where there is none
 * @throws {StoreError} SECRETS_* @throws {CryptoError} SEAL_*
 */
export async function readCompanionKey(
  path: string,
  machineId: string | null,
  engine: CryptoEngine,
): Promise<CompanionKey | null> {
  const file = await readSecretsFile(path)
  if (file === null) return null
  const content = unseal(file, UNSEALED, engine)
  engine.wipe(file)
  const isOurs =
    content.length === 1 + MACHINE_BYTES + SECRET_KEY_BYTES &&
    content[0] === VERSION &&
    equalBytes(content.subarray(1, 1 + MACHINE_BYTES), machineMark(machineId, engine))
  const secretKey = isOurs ? copySecret(content.subarray(1 + MACHINE_BYTES), engine) : null
  engine.wipe(content)
  return secretKey && { secretKey, publicKey: engine.boxPublicKey(secretKey) }
}

/** Draws a key and stores it durably, in place of any earlier key. @throws {StoreError} STORE_* */
export async function createCompanionKey(
  path: string,
  machineId: string | null,
  engine: CryptoEngine,
): Promise<CompanionKey> {
  const drawn = engine.randomBytes(SECRET_KEY_BYTES)
  const secretKey = copySecret(drawn, engine)
  engine.wipe(drawn)
  const content = engine.secret(1 + MACHINE_BYTES + SECRET_KEY_BYTES)
  content[0] = VERSION
  content.set(machineMark(machineId, engine), 1)
  content.set(secretKey, 1 + MACHINE_BYTES)
  const file = seal(content, UNSEALED, engine)
  engine.wipe(content)
  try {
    await writeSecretsFile(path, file)
  } finally {
    engine.wipe(file)
  }
  return { secretKey, publicKey: engine.boxPublicKey(secretKey) }
}

/**
 * The Tox ID of a companion. Anyone who knows its key can compute it: its nospam is the first 4 bytes of SHA-512 over a label and the
 * key. A nospam stops requests from strangers who know a key. A companion does not need that: it judges a request by its table.
 * @param publicKey 32 bytes
 * @returns 76 upper-case hex digits
 */
export function companionToxId(publicKey: Uint8Array, engine: CryptoEngine): string {
  return formatToxId({ publicKey, nospam: companionNospam(publicKey, engine) })
}

/** 4 bytes, in the order of the Tox ID. */
export function companionNospam(publicKey: Uint8Array, engine: CryptoEngine): Uint8Array {
  return engine.sha512(LABEL_COMPANION, publicKey).slice(0, NOSPAM_BYTES)
}

function machineMark(machineId: string | null, engine: CryptoEngine): Uint8Array {
  if (machineId === null) return new Uint8Array(MACHINE_BYTES)
  // machine-id(5) demands that the id itself is not disclosed.
  return engine.sha512(concatBytes(LABEL_COMPANION, encodeUtf8(`machine ${machineId}`))).slice(0, MACHINE_BYTES)
}
