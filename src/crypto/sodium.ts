/** The engine on libsodium: strict, fast, with secrets in guarded memory that is neither swapped nor dumped. */
import sodium from 'sodium-native'
import { concatBytes } from '../core/encoding/bytes.ts'
import type { Sha256Stream } from '../core/engine.ts'
import { isLowOrderU } from '../core/curve/x25519.ts'
import { isStrictPublicKey, isStrictSignature } from '../core/curve/ed25519.ts'
import { checkCost, checkLength } from './arguments.ts'
import type { CryptoEngine, KeyPair, PasswordCost } from './engine.ts'
import { CryptoError } from './errors.ts'

const BOX_TAG_BYTES = 16 // format: Poly1305

export interface SodiumEngine extends CryptoEngine {
  readonly name: 'sodium'
  /** False if the system locks no memory for this process (`ulimit -l`). Then its secrets can reach the swap space. */
  readonly locksMemory: boolean
}

/** Makes the engine. Without a build for this platform the import of this file fails, with the loader's error. */
export function loadSodiumEngine(): SodiumEngine {
  return {
    name: 'sodium',
    locksMemory: canLockMemory(),
    randomBytes: (length) => filled(length, (bytes) => sodium.randombytes_buf(bytes)),
    secret: guardedMemory,
    wipe: (secret) => sodium.sodium_memzero(secret),
    equal: (a, b) => a.length === b.length && sodium.sodium_memcmp(a, b),
    sha512: (...parts) => sha512(parts),
    sha256: (...parts) => sha256(parts),
    sha256Stream,
    verify,
    ...signing(),
    ...boxes(),
    argon2id,
  }
}

function filled(length: number, fill: (bytes: Uint8Array) => void): Uint8Array {
  const bytes = new Uint8Array(length)
  if (length > 0) fill(bytes)
  return bytes
}

// Memory between guard pages: locked, left out of core dumps, wiped when it is collected. It returns a plain view, since toString and
// toJSON of the binding's Buffer would print the secret. Use it only for the few long-lived secrets, never for data that others send:
// each buffer takes 4 of the 65530 memory mappings of a Linux process, and the binding aborts the process when they run out.
function guardedMemory(length: number): Uint8Array {
  return new Uint8Array(sodium.sodium_malloc(length).buffer).fill(0) // libsodium fills it with 0xdb
}

function canLockMemory(): boolean {
  try {
    sodium.sodium_mlock(sodium.sodium_malloc(32)) // sodium_malloc locks too, but does not report a failure
    return true
  } catch {
    return false
  }
}

// A new array beyond 64 bytes costs half as much as the hash of a short text, so the parts of such a text are joined in this one.
const shortText = new Uint8Array(2048) // sanity: above each text that an announcement or a chain hashes

function sha512(parts: readonly Uint8Array[]): Uint8Array {
  const hash = new Uint8Array(64)
  const text = parts.length === 1 ? parts[0]! : joined(parts)
  sodium.crypto_hash_sha512(hash, text)
  // It may have held a secret.
  if (text.buffer === shortText.buffer) text.fill(0)
  return hash
}

function sha256(parts: readonly Uint8Array[]): Uint8Array {
  const hash = new Uint8Array(32)
  sodium.crypto_hash_sha256(hash, parts.length === 1 ? parts[0]! : concatBytes(...parts))
  return hash
}

function sha256Stream(): Sha256Stream {
  const state = filled(sodium.crypto_hash_sha256_STATEBYTES, (bytes) => sodium.crypto_hash_sha256_init(bytes))
  return {
    update: (bytes) => sodium.crypto_hash_sha256_update(state, bytes),
    digest: () => filled(32, (hash) => sodium.crypto_hash_sha256_final(state, hash)),
  }
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  let length = 0
  for (const part of parts) length += part.length
  if (length > shortText.length) return concatBytes(...parts)
  join(parts, shortText)
  return shortText.subarray(0, length)
}

/** Writes the parts one after another from the beginning of `whole`. */
function join(parts: readonly Uint8Array[], whole: Uint8Array): void {
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
}

// libsodium 1.0.21 has these rules too. They are checked here so that another build cannot change the verdict, and because the
// binding throws for wrong lengths and accepts a signature that is too long.
function verify(signature: Uint8Array, message: Uint8Array, publicKey: Uint8Array): boolean {
  if (!isStrictSignature(signature) || !isStrictPublicKey(publicKey)) return false
  return sodium.crypto_sign_verify_detached(signature, message, publicKey)
}

function signing(): Pick<CryptoEngine, 'signKeyPair' | 'sign' | 'signBySeed' | 'boxPublicKey' | 'agree'> {
  return {
    signKeyPair(seed: Uint8Array): KeyPair {
      checkLength('an Ed25519 seed', seed, 32)
      const secretKey = guardedMemory(64)
      const publicKey = filled(32, (bytes) => sodium.crypto_sign_seed_keypair(bytes, secretKey, seed))
      return { publicKey, secretKey }
    },
    sign(message: Uint8Array, secretKey: Uint8Array): Uint8Array {
      checkLength('an Ed25519 secret key', secretKey, 64)
      return filled(64, (bytes) => sodium.crypto_sign_detached(bytes, message, secretKey))
    },
    signBySeed(message: Uint8Array, seed: Uint8Array): Uint8Array {
      checkLength('an Ed25519 seed', seed, 32)
      // Plain memory, as the caller's seed may be: guarded memory for one signature costs several times as much as the signature.
      const [publicKey, secretKey] = [new Uint8Array(32), new Uint8Array(64)]
      sodium.crypto_sign_seed_keypair(publicKey, secretKey, seed)
      try {
        return filled(64, (bytes) => sodium.crypto_sign_detached(bytes, message, secretKey))
      } finally {
        sodium.sodium_memzero(secretKey)
      }
    },
    boxPublicKey(secretKey: Uint8Array): Uint8Array {
      checkLength('an X25519 secret key', secretKey, 32)
      return filled(32, (bytes) => sodium.crypto_scalarmult_base(bytes, secretKey))
    },
    agree(secretKey: Uint8Array, publicKey: Uint8Array): Uint8Array | null {
      checkLength('an X25519 secret key', secretKey, 32)
      checkLength('an X25519 public key', publicKey, 32)
      // The binding throws where the result is zero, and for nothing else now. Every point that gives zero is known.
      if (isLowOrderU(publicKey)) return null
      return filled(32, (bytes) => sodium.crypto_scalarmult(bytes, secretKey, publicKey))
    },
  }
}

function boxes(): Pick<CryptoEngine, 'sealBox' | 'openBox'> {
  return {
    sealBox(message: Uint8Array, nonce: Uint8Array, key: Uint8Array, ...before: readonly Uint8Array[]): Uint8Array {
      checkLength('a nonce', nonce, 24)
      checkLength('a box key', key, 32)
      let boxAt = 0
      for (const part of before) boxAt += part.length
      const sealed = new Uint8Array(boxAt + message.length + BOX_TAG_BYTES)
      join(before, sealed)
      sodium.crypto_secretbox_easy(boxAt === 0 ? sealed : sealed.subarray(boxAt), message, nonce, key)
      return sealed
    },
    openBox(sealed: Uint8Array, nonce: Uint8Array, key: Uint8Array): Uint8Array | null {
      checkLength('a nonce', nonce, 24)
      checkLength('a box key', key, 32)
      if (sealed.length < BOX_TAG_BYTES) return null
      const message = new Uint8Array(sealed.length - BOX_TAG_BYTES)
      return sodium.crypto_secretbox_open_easy(message, sealed, nonce, key) ? message : null
    },
  }
}

// Runs on libuv's thread pool. The binding holds the three buffers until it has finished.
async function argon2id(passphrase: Uint8Array, salt: Uint8Array, cost: PasswordCost): Promise<Uint8Array> {
  checkLength('a salt', salt, 16)
  checkCost(cost)
  const { passes, memoryBytes } = cost
  const key = guardedMemory(32)
  try {
    await sodium.crypto_pwhash_async(key, passphrase, salt, passes, memoryBytes, sodium.crypto_pwhash_ALG_ARGON2ID13)
  } catch (cause) {
    throw new CryptoError('ARGON2_FAILED', `Argon2id failed; it needs ${memoryBytes} bytes of free memory`, { cause })
  }
  return key
}
