/** The two suites of HPKE (RFC 9180) that boxes use, by the package `hpke` over WebCrypto, and over Node where it can (docs/decisions/0027). */
import {
  AEAD_AES_256_GCM,
  CipherSuite,
  KDF_HKDF_SHA256,
  KDF_HKDF_SHA384,
  KEM_DHKEM_P384_HKDF_SHA384,
  KEM_DHKEM_X25519_HKDF_SHA256,
  NotSupportedError,
  type CryptoKey,
} from 'hpke'
import { decompressP384 } from '../core/curve/p384.ts'
import type { BoxKey, BoxSuite } from './box-key.ts'
import { SealError, type SealErrorCode } from './errors.ts'
import { kemWith, nodeAead, nodeCrypto, nodeKdf, type NodeCrypto } from './node-primitives.ts'

type CipherSuites = Readonly<Record<BoxSuite, CipherSuite<CryptoKey>>>

/** @param node for the short calls; null for WebCrypto alone */
export function cipherSuites(node: NodeCrypto | null): CipherSuites {
  if (node === null)
    return {
      x25519: new CipherSuite(KEM_DHKEM_X25519_HKDF_SHA256, KDF_HKDF_SHA256, AEAD_AES_256_GCM),
      p384: new CipherSuite(KEM_DHKEM_P384_HKDF_SHA384, KDF_HKDF_SHA384, AEAD_AES_256_GCM),
    }
  const [sha256, sha384] = [nodeKdf(KDF_HKDF_SHA256, 'sha256', node), nodeKdf(KDF_HKDF_SHA384, 'sha384', node)]
  const aead = nodeAead(AEAD_AES_256_GCM, node)
  return {
    x25519: new CipherSuite(kemWith(KEM_DHKEM_X25519_HKDF_SHA256, sha256), sha256, aead),
    p384: new CipherSuite(kemWith(KEM_DHKEM_P384_HKDF_SHA384, sha384), sha384, aead),
  }
}

export const CIPHER_SUITES: CipherSuites = cipherSuites(nodeCrypto())

/** Imports a public key. @throws {SealError} BOX_KEY_POINT | SEAL_UNSUPPORTED */
export async function importPublicKey(key: BoxKey): Promise<CryptoKey> {
  const bytes = key.suite === 'p384' ? decompressP384(key.bytes) : key.bytes
  if (bytes === null) throw new SealError('BOX_KEY_POINT', 'the key is not a public key of P-384')
  return await coded(
    'BOX_KEY_POINT',
    'the key cannot be imported',
    CIPHER_SUITES[key.suite].DeserializePublicKey(bytes),
  )
}

/** The result of a call of the library. Its errors become ours, with the code given for all but a missing algorithm. */
export async function coded<Result>(code: SealErrorCode, message: string, call: Promise<Result>): Promise<Result> {
  try {
    return await call
  } catch (cause) {
    if (cause instanceof NotSupportedError) {
      throw new SealError('SEAL_UNSUPPORTED', 'WebCrypto here lacks an algorithm of the suite', {
        cause,
        hint: 'use a newer browser, or Node 22 or newer',
      })
    }
    throw new SealError(code, message, { cause })
  }
}
