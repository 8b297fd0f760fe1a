/** The part of the portable engine that seals, agrees and hashes: all that a channel needs, without Argon2id. A web page loads no more. */
import { sha256 } from '@noble/hashes/sha2.js'
import nacl from 'tweetnacl'
import { concatBytes, isZero } from '../core/encoding/bytes.ts'
import type { BoxEngine, Sha256 } from '../core/engine.ts'
import { checkLength } from './arguments.ts'
import type { CryptoEngine } from './engine.ts'
import { portableVerifier } from './portable-verify.ts'

function boxPublicKey(secretKey: Uint8Array): Uint8Array {
  checkLength('an X25519 secret key', secretKey, 32)
  return nacl.scalarMult.base(secretKey)
}

function agree(secretKey: Uint8Array, publicKey: Uint8Array): Uint8Array | null {
  checkLength('an X25519 secret key', secretKey, 32)
  checkLength('an X25519 public key', publicKey, 32)
  const agreed = nacl.scalarMult(secretKey, publicKey)
  return isZero(agreed) ? null : agreed
}

function sealBox(
  message: Uint8Array,
  nonce: Uint8Array,
  key: Uint8Array,
  ...before: readonly Uint8Array[]
): Uint8Array {
  checkLength('a nonce', nonce, 24)
  checkLength('a box key', key, 32)
  const box = nacl.secretbox(message, nonce, key)
  return before.length === 0 ? box : concatBytes(...before, box)
}

function openBox(sealed: Uint8Array, nonce: Uint8Array, key: Uint8Array): Uint8Array | null {
  checkLength('a nonce', nonce, 24)
  checkLength('a box key', key, 32)
  return nacl.secretbox.open(sealed, nonce, key)
}

export const portableBoxes: BoxEngine & Sha256 & Pick<CryptoEngine, 'randomBytes' | 'boxPublicKey' | 'agree'> = {
  ...portableVerifier,
  sha256: (...parts) => sha256(parts.length === 1 ? parts[0]! : concatBytes(...parts)),
  randomBytes: (length) => nacl.randomBytes(length),
  boxPublicKey,
  agree,
  sealBox,
  openBox,
}
