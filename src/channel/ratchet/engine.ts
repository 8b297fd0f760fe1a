/** The cryptography that a channel needs. The caller passes it in; each engine of src/crypto has it. */
import type { BoxEngine, Sha256 } from '../../core/engine.ts'

export interface ChannelEngine extends BoxEngine, Sha256 {
  /** Cryptographically secure random bytes. */
  randomBytes(length: number): Uint8Array
  /** X25519 public key of a 32-byte secret key. */
  boxPublicKey(secretKey: Uint8Array): Uint8Array
  /** X25519 of a secret and a public key, 32 bytes; null when the result is zero, since then it is no secret. */
  agree(secretKey: Uint8Array, publicKey: Uint8Array): Uint8Array | null
}

/** One of the two ends of a channel. */
export type Role = 'host' | 'guest'

export function otherRole(role: Role): Role {
  return role === 'host' ? 'guest' : 'host'
}
