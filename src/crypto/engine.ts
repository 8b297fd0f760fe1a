/** The whole engine: the parts that core needs (src/core/engine.ts), and the functions for secrets. */
import type { Boxes, Engine, Sha256, Sha256Streams } from '../core/engine.ts'

export interface KeyPair {
  /** 32 bytes */
  readonly publicKey: Uint8Array
  /** 64 bytes for signing (seed || public key), 32 bytes for boxes; in memory made by {@link CryptoEngine.secret} */
  readonly secretKey: Uint8Array
}

/** Argon2id cost (RFC 9106). */
export interface PasswordCost {
  readonly passes: number
  readonly memoryBytes: number
}

/** Signing, boxes, key derivation and secret memory. A seed, key, nonce or salt of the wrong length throws CryptoError ARGUMENT_LENGTH. */
export interface CryptoEngine extends Engine, Boxes, Sha256, Sha256Streams {
  readonly name: 'sodium' | 'portable'
  /** Cryptographically secure random bytes. */
  randomBytes(length: number): Uint8Array
  /** A zeroed buffer for a secret: guarded, locked memory (sodium) or plain memory (portable). */
  secret(length: number): Uint8Array
  /** Overwrites a secret with zeros. */
  wipe(secret: Uint8Array): void
  /** Constant-time equality; false for different lengths. */
  equal(a: Uint8Array, b: Uint8Array): boolean
  /** Ed25519 key pair of a 32-byte seed (RFC 8032, section 5.1.5). */
  signKeyPair(seed: Uint8Array): KeyPair
  /** Detached Ed25519 signature, 64 bytes. */
  sign(message: Uint8Array, secretKey: Uint8Array): Uint8Array
  /** As {@link sign}, by the key of a 32-byte seed. The key is wiped before this returns. */
  signBySeed(message: Uint8Array, seed: Uint8Array): Uint8Array
  /** X25519 public key of a 32-byte secret key (scalarmult of the base point). */
  boxPublicKey(secretKey: Uint8Array): Uint8Array
  /** X25519 of a secret key and the public key of another, 32 bytes each; null when it is zero, since everybody would know it. */
  agree(secretKey: Uint8Array, publicKey: Uint8Array): Uint8Array | null
  /**
   * Argon2id 1.3: one lane, 16-byte salt, 32-byte key in secret memory. It runs off the event loop if the engine can.
   * @throws {CryptoError} ARGON2_COST | ARGON2_FAILED
   */
  argon2id(passphrase: Uint8Array, salt: Uint8Array, cost: PasswordCost): Promise<Uint8Array>
}
