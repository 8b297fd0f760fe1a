/** The content of an open secrets file: a version byte, then an epoch byte and a 32-byte signing seed for each key. */
import { CustodyError } from './errors.ts'
import { MAX_EPOCH } from '../../core/limits.ts'
import type { CryptoEngine, KeyPair } from '../../crypto/engine.ts'

const VERSION = 1
export const SIGNING_SEED_BYTES = 32 // format: RFC 8032, section 5.1.5
const ENTRY_BYTES = 1 + SIGNING_SEED_BYTES

/** Epoch -> signing key, in the order in which they were added. */
export type SigningKeys = ReadonlyMap<number, KeyPair>

/** @returns the content, in secret memory; the caller wipes it */
export function encodeSecrets(keys: SigningKeys, engine: CryptoEngine): Uint8Array {
  const content = engine.secret(1 + keys.size * ENTRY_BYTES)
  content[0] = VERSION
  let at = 1
  for (const [epoch, { secretKey }] of keys) {
    content[at] = epoch
    // An Ed25519 secret key begins with its seed.
    content.set(secretKey.subarray(0, SIGNING_SEED_BYTES), at + 1)
    at += ENTRY_BYTES
  }
  return content
}

/**
 * @param content neither kept nor changed
 * @returns the keys, in secret memory; the caller wipes them
 * @throws {CustodyError} SECRETS_MISSING
 */
export function decodeSecrets(content: Uint8Array, engine: CryptoEngine): Map<number, KeyPair> {
  if (content[0] !== VERSION || (content.length - 1) % ENTRY_BYTES !== 0) throw unknownContent()
  const keys = new Map<number, KeyPair>()
  for (let at = 1; at < content.length; at += ENTRY_BYTES) {
    const epoch = content[at]!
    if (epoch > MAX_EPOCH || keys.has(epoch)) {
      wipeKeys(keys.values(), engine)
      throw unknownContent()
    }
    keys.set(epoch, engine.signKeyPair(content.subarray(at + 1, at + ENTRY_BYTES)))
  }
  return keys
}

/** Wipes the secret halves of these keys. */
export function wipeKeys(keys: Iterable<KeyPair>, engine: CryptoEngine): void {
  for (const { secretKey } of keys) engine.wipe(secretKey)
}

function unknownContent(): CustodyError {
  const hint = 'install the version that wrote it, or restore a backup'
  return new CustodyError('SECRETS_MISSING', 'this version cannot read the content of the secrets file', hint)
}
