/** The part of the portable engine that needs no secret: all that a reader of blobs needs, in a few KiB of plain JavaScript. */
import nacl from 'tweetnacl'
import { concatBytes } from '../core/encoding/bytes.ts'
import { isStrictPublicKey, isStrictSignature } from '../core/curve/ed25519.ts'
import type { Engine } from '../core/engine.ts'

// nacl.hash and not @noble/hashes: 8.6 against 6.2 us for 684 bytes is nothing beside a verify of some ms, and it is loaded anyway.
function sha512(...parts: readonly Uint8Array[]): Uint8Array {
  return nacl.hash(parts.length === 1 ? parts[0]! : concatBytes(...parts))
}

// tweetnacl by itself accepts S + L and keys of small order, and throws at wrong lengths.
function verify(signature: Uint8Array, message: Uint8Array, publicKey: Uint8Array): boolean {
  if (!isStrictSignature(signature) || !isStrictPublicKey(publicKey)) return false
  return nacl.sign.detached.verify(message, signature, publicKey)
}

export const portableVerifier: Engine = { sha512, verify }
