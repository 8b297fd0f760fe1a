/**
 * The content of an open secrets file. It ends with an epoch byte and a 32-byte signing seed for each key. The version byte says what stands
 * before these:
 *
 *     1  nothing
 *     2  the seed of the persona that takes the place of the old one, 32 bytes
 *     3  a byte, 1 if there is such a seed and else 0; the secret that seals the file of the apps key, 32 bytes; that seed, if there is one
 */
import { CustodyError } from './errors.ts'
import { MAX_EPOCH } from '../../core/limits.ts'
import type { CryptoEngine, KeyPair } from '../../crypto/engine.ts'
import { copySecret } from '../../crypto/seal.ts'
import { SEED_BYTES } from '../../crypto/seed.ts'

const VERSION = 1
const VERSION_WITH_SUCCESSOR = 2
const VERSION_WITH_APPS = 3
export const APPS_SECRET_BYTES = 32 // format: the key of a box (crypto/seal.ts, mode key)
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

export interface SecretsContent {
  readonly keys: SigningKeys
  /** The seed of the persona that is about to follow, 32 bytes; null outside of a succession. */
  readonly successor: Uint8Array | null
  /** Seals the file of the apps key, 32 bytes; null until that file is first sealed by it, as in files of an earlier version. */
  readonly appsSecret: Uint8Array | null
}

/** @returns the content, in secret memory; the caller wipes it */
export function encodeSecrets({ keys, successor, appsSecret }: SecretsContent, engine: CryptoEngine): Uint8Array {
  const version = appsSecret !== null ? VERSION_WITH_APPS : successor !== null ? VERSION_WITH_SUCCESSOR : VERSION
  let at = version === VERSION_WITH_APPS ? 2 : 1
  const head = at + (appsSecret?.length ?? 0) + (successor?.length ?? 0)
  const content = engine.secret(head + keys.size * ENTRY_BYTES)
  content[0] = version
  if (version === VERSION_WITH_APPS) content[1] = successor === null ? 0 : 1
  for (const secret of [appsSecret, successor]) {
    if (secret === null) continue
    content.set(secret, at)
    at += secret.length
  }
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
  const form = formOf(content)
  if (form === null) throw unknownContent()
  const { appsAt, successorAt, head } = form
  if (content.length < head || (content.length - head) % ENTRY_BYTES !== 0) throw unknownContent()
  const keys = new Map<number, KeyPair>()
  for (let at = head; at < content.length; at += ENTRY_BYTES) {
    const epoch = content[at]!
    if (epoch > MAX_EPOCH || keys.has(epoch)) {
      wipeKeys(keys.values(), engine)
      throw unknownContent()
    }
    keys.set(epoch, engine.signKeyPair(content.subarray(at + 1, at + ENTRY_BYTES)))
  }
  const part = (at: number | null, length: number): Uint8Array | null =>
    at === null ? null : copySecret(content.subarray(at, at + length), engine)
  return { keys, successor: part(successorAt, SEED_BYTES), appsSecret: part(appsAt, APPS_SECRET_BYTES) }
}

interface Form {
  /** Offsets in the content; null for a part that is not there. */
  readonly appsAt: number | null
  readonly successorAt: number | null
  /** Where the keys begin. */
  readonly head: number
}

function formOf(content: Uint8Array): Form | null {
  const [version, hasSuccessor] = content
  if (version === VERSION) return { appsAt: null, successorAt: null, head: 1 }
  if (version === VERSION_WITH_SUCCESSOR) return { appsAt: null, successorAt: 1, head: 1 + SEED_BYTES }
  if (version !== VERSION_WITH_APPS) return null
  const head = 2 + APPS_SECRET_BYTES
  if (hasSuccessor === 0) return { appsAt: 2, successorAt: null, head }
  return hasSuccessor === 1 ? { appsAt: 2, successorAt: head, head: head + SEED_BYTES } : null
}

/** Wipes the secret halves of these keys. */
export function wipeKeys(keys: Iterable<KeyPair>, engine: CryptoEngine): void {
  for (const { secretKey } of keys) engine.wipe(secretKey)
}

function unknownContent(): CustodyError {
  const hint = 'install the version that wrote it, or restore a backup'
  return new CustodyError('SECRETS_MISSING', 'this version cannot read the content of the secrets file', hint)
}
