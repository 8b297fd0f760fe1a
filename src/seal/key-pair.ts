/** Key pairs that open what others seal. */
import type { CryptoKey, KeyPair } from 'hpke'
import { concatBytes, parseBase64url } from '../core/encoding/bytes.ts'
import { readBoxKey, type BoxKey, type BoxSuite } from './box-key.ts'
import { CIPHER_SUITES, coded, importPublicKey } from './suite.ts'

/** A browser can keep a pair in IndexedDB as it is. There nobody can read a secret that is not extractable. */
export interface BoxKeyPair {
  readonly key: BoxKey
  readonly keys: KeyPair<CryptoKey>
}

const UNCOMPRESSED: Uint8Array = Uint8Array.of(4) // SEC 1: x and y follow

/**
 * Makes a key pair.
 * @param extractable whether {@link exportBoxSecret} can read its secret
 * @throws {SealError} SEAL_UNSUPPORTED
 */
export async function generateBoxKeyPair(suite: BoxSuite, extractable = false): Promise<BoxKeyPair> {
  const library = CIPHER_SUITES[suite]
  const keys = await coded('SEAL_UNSUPPORTED', 'no key pair was made', library.GenerateKeyPair(extractable))
  const point = await coded('SEAL_UNSUPPORTED', 'no public key', library.SerializePublicKey(keys.publicKey))
  return { key: readBoxKey(point), keys }
}

/**
 * Makes the key pair of a secret, and computes its public key.
 * @param secret 32 bytes (X25519) or 48 (P-384); neither kept nor changed
 * @throws {SealError} SEAL_SECRET | SEAL_UNSUPPORTED
 */
export async function importBoxKeyPair(suite: BoxSuite, secret: Uint8Array, extractable = false): Promise<BoxKeyPair> {
  const importSecret = (isExtractable: boolean): Promise<CryptoKey> =>
    coded(
      'SEAL_SECRET',
      `the ${secret.length} bytes are no secret key of ${suite}`,
      CIPHER_SUITES[suite].DeserializePrivateKey(secret, isExtractable),
    )
  // WebCrypto shows the public key of a secret only in its JSON form, and only of an extractable one.
  const jwk = await crypto.subtle.exportKey('jwk', await importSecret(true))
  const x = parseBase64url(jwk.x!)!
  const key = readBoxKey(suite === 'x25519' ? x : concatBytes(UNCOMPRESSED, x, parseBase64url(jwk.y!)!))
  return { key, keys: { publicKey: await importPublicKey(key), privateKey: await importSecret(extractable) } }
}

/**
 * Reads the secret of an extractable pair.
 * @returns 32 bytes (X25519) or 48 (P-384)
 * @throws {SealError} SEAL_SECRET if the pair is not extractable
 */
export async function exportBoxSecret(pair: BoxKeyPair): Promise<Uint8Array> {
  const library = CIPHER_SUITES[pair.key.suite]
  return await coded(
    'SEAL_SECRET',
    'the secret key was made so that nobody can read it',
    library.SerializePrivateKey(pair.keys.privateKey),
  )
}
