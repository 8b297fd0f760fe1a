/**
 * The content of an open secrets file: a version byte, then an epoch byte and a 32-byte signing seed for each key. While a new persona takes
 * the place of the old one, the version is 2, and the seed of the new one follows the version byte.
 */
import { CustodyError } from './errors.ts'
import { MAX_EPOCH } from '../../core/limits.ts'
import type { CryptoEngine, KeyPair } from '../../crypto/engine.ts'
import { copySecret } from '../../crypto/seal.ts'
import { SEED_BYTES } from '../../crypto/seed.ts'

const VERSION = 1
const VERSION_WITH_SUCCESSOR = 2
export const SIGNING_SEED_BYTES = 32 // format: RFC 8032, section 5.1.5
const ENTRY_BYTES = 1 + SIGNING_SEED_BYTES

/** A signing key while it moves between devices and files. */
export interface SigningSeed {
  readonly epoch: number
  /** 32 bytes, in secret memory */
  readonly seed: Uint8Array
}

/** Epoch -> signing key, in the order in which they were added. */
export type SigningKeys = ReadonlyMap<number, KeyPair>

/** Keys, and the seed of the persona that is about to follow: 32 bytes, or null. */
export interface SecretsContent {
  readonly keys: SigningKeys
  readonly successor: Uint8Array | null
}

/** @returns the content, in secret memory; the caller wipes it */
export function encodeSecrets({ keys, successor }: SecretsContent, engine: CryptoEngine): Uint8Array {
  const head = 1 + (successor?.length ?? 0)
  const content = engine.secret(head + keys.size * ENTRY_BYTES)
  content[0] = successor === null ? VERSION : VERSION_WITH_SUCCESSOR
  if (successor !== null) content.set(successor, 1)
  let at = head
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
 * @returns keys and seed, in secret memory; the caller wipes them
 * @throws {CustodyError} SECRETS_MISSING
 */
export function decodeSecrets(content: Uint8Array, engine: CryptoEngine): SecretsContent {
  const hasSuccessor = content[0] === VERSION_WITH_SUCCESSOR
  const head = hasSuccessor ? 1 + SEED_BYTES : 1
  const isKnown = hasSuccessor || content[0] === VERSION
  if (!isKnown || content.length < head || (content.length - head) % ENTRY_BYTES !== 0) throw unknownContent()
  const keys = new Map<number, KeyPair>()
  for (let at = head; at < content.length; at += ENTRY_BYTES) {
    const epoch = content[at]!
    if (epoch > MAX_EPOCH || keys.has(epoch)) {
      wipeKeys(keys.values(), engine)
      throw unknownContent()
    }
    keys.set(epoch, engine.signKeyPair(content.subarray(at + 1, at + ENTRY_BYTES)))
  }
  return { keys, successor: hasSuccessor ? copySecret(content.subarray(1, head), engine) : null }
}

/** Wipes the secret halves of these keys. */
export function wipeKeys(keys: Iterable<KeyPair>, engine: CryptoEngine): void {
  for (const { secretKey } of keys) engine.wipe(secretKey)
}

function unknownContent(): CustodyError {
  const hint = 'install the version that wrote it, or restore a backup'
  return new CustodyError('SECRETS_MISSING', 'this version cannot read the content of the secrets file', hint)
}
