/**
 * Ed25519 by OpenSSL, with the strict rules of the engines (docs/format.md, section 1). It is part of Node, and some
 * thirty times as fast as JavaScript: a lookup must not wait for the verification of another. Nothing rests on its
 * verdict, because the daemon verifies with its own engine.
 */
import { verify } from 'node:crypto'
import { isStrictPublicKey, isStrictSignature } from '../core/curve/ed25519.ts'
import type { Engine } from '../core/engine.ts'

const SPKI_HEAD: Buffer = Buffer.from('302a300506032b6570032100', 'hex') // format: RFC 8410, before the 32 bytes of the key

export const verifyByOpenssl: Engine['verify'] = (signature, message, publicKey) => {
  if (!isStrictSignature(signature) || !isStrictPublicKey(publicKey)) return false
  try {
    // Not by a KeyObject: to make one takes as long as a third of the verification.
    return verify(null, message, { key: Buffer.concat([SPKI_HEAD, publicKey]), format: 'der', type: 'spki' }, signature)
  } catch {
    // Not a point of the curve.
    return false
  }
}
