/** The engine without native code: for browsers, as the fallback when libsodium does not load, and as the oracle for it in tests. */
import { argon2idAsync } from '@noble/hashes/argon2.js'
import { sha256, sha512 } from '@noble/hashes/sha2.js'
import nacl from 'tweetnacl'
import { concatBytes } from '../core/encoding/bytes.ts'
import type { Sha256Stream } from '../core/engine.ts'
import { checkCost, checkLength } from './arguments.ts'
import type { CryptoEngine, KeyPair, PasswordCost } from './engine.ts'
import { CryptoError } from './errors.ts'
import { portableBoxes } from './portable-boxes.ts'

function equal(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  return a.length === 0 || nacl.verify(a, b) // nacl.verify returns false for two empty arrays
}

function sha256Stream(): Sha256Stream {
  const hash = sha256.create()
  return { update: (bytes) => void hash.update(bytes), digest: () => hash.digest() }
}

function signKeyPair(seed: Uint8Array): KeyPair {
  checkLength('an Ed25519 seed', seed, 32)
  return nacl.sign.keyPair.fromSeed(seed)
}

function sign(message: Uint8Array, secretKey: Uint8Array): Uint8Array {
  checkLength('an Ed25519 secret key', secretKey, 64)
  return nacl.sign.detached(message, secretKey)
}

function signBySeed(message: Uint8Array, seed: Uint8Array): Uint8Array {
  const { secretKey } = signKeyPair(seed)
  try {
    return sign(message, secretKey)
  } finally {
    secretKey.fill(0)
  }
}

// It runs on the event loop in slices of 10 ms, and is about 10 times slower than libsodium.
async function argon2id(passphrase: Uint8Array, salt: Uint8Array, cost: PasswordCost): Promise<Uint8Array> {
  checkLength('a salt', salt, 16)
  checkCost(cost)
  const kibibytes = Math.floor(cost.memoryBytes / 1024)
  try {
    return await argon2idAsync(passphrase, salt, {
      t: cost.passes,
      m: kibibytes,
      p: 1,
      dkLen: 32,
      maxmem: cost.memoryBytes,
    })
  } catch (cause) {
    throw new CryptoError('ARGON2_FAILED', `Argon2id failed; it needs ${kibibytes} KiB of free memory`, { cause })
  }
}

export const portableEngine: CryptoEngine = {
  ...portableBoxes,
  // A third faster than that of tweetnacl, and this engine loads @noble/hashes anyway.
  sha512: (...parts) => sha512(parts.length === 1 ? parts[0]! : concatBytes(...parts)),
  sha256Stream,
  name: 'portable',
  secret: (length) => new Uint8Array(length),
  wipe: (secret) => void secret.fill(0),
  equal,
  signKeyPair,
  sign,
  signBySeed,
  argon2id,
}
