/**
 * HMAC and AES-256-GCM of Node for the package `hpke`, where this runs in Node. One seal makes a dozen of these calls. In WebCrypto each waits for a
 * thread, behind the disk and other seals; here it takes a few microseconds.
 */
import type { AEADFactory, KDFFactory, KEMFactory, CryptoKey } from 'hpke'
import { concatBytes } from '../core/encoding/bytes.ts'

interface Hmac {
  update(bytes: Uint8Array): Hmac
  digest(): Uint8Array
}

interface Cipher {
  setAAD(aad: Uint8Array): unknown
  update(bytes: Uint8Array): Uint8Array
  final(): Uint8Array
}

/** The part of node:crypto that is used. This is compiled without the types of Node, since pages have it too. */
export interface NodeCrypto {
  createHmac(hash: string, key: Uint8Array): Hmac
  createCipheriv(name: string, key: Uint8Array, nonce: Uint8Array): Cipher & { getAuthTag(): Uint8Array }
  createDecipheriv(name: string, key: Uint8Array, nonce: Uint8Array): Cipher & { setAuthTag(tag: Uint8Array): unknown }
}

const AES = 'aes-256-gcm'

/** @returns null in a browser */
export function nodeCrypto(): NodeCrypto | null {
  const { process } = globalThis as { process?: { getBuiltinModule?: (name: string) => unknown } }
  return (process?.getBuiltinModule?.('crypto') as NodeCrypto | undefined) ?? null
}

/** HKDF of the same hash as `base` (RFC 5869). */
export function nodeKdf(base: KDFFactory, hash: string, node: NodeCrypto): KDFFactory {
  return () => ({
    ...base(),
    Extract: async (salt, ikm) => new Uint8Array(node.createHmac(hash, salt).update(ikm).digest()),
    Expand: async (prk, info, length) => {
      const blocks: Uint8Array[] = []
      for (let bytes = 0; bytes < length; bytes += blocks.at(-1)!.length) {
        const hmac = node.createHmac(hash, prk).update(blocks.at(-1) ?? new Uint8Array())
        blocks.push(
          hmac
            .update(info)
            .update(Uint8Array.of(blocks.length + 1))
            .digest(),
        )
      }
      return concatBytes(...blocks).slice(0, length)
    },
  })
}

/** The KEM with this KDF in the place of its own one: its field `kdf`. */
export function kemWith(base: KEMFactory<CryptoKey>, kdf: KDFFactory): KEMFactory<CryptoKey> {
  return () => Object.assign(base(), { kdf: kdf() })
}

export function nodeAead(base: AEADFactory, node: NodeCrypto): AEADFactory {
  const { Nt } = base()
  return () => ({
    ...base(),
    Seal: async (key, nonce, aad, plaintext) => {
      const cipher = node.createCipheriv(AES, key, nonce)
      cipher.setAAD(aad)
      return concatBytes(cipher.update(plaintext), cipher.final(), cipher.getAuthTag())
    },
    Open: async (key, nonce, aad, sealed) => {
      const at = sealed.length - Nt
      const decipher = node.createDecipheriv(AES, key, nonce)
      decipher.setAAD(aad)
      decipher.setAuthTag(sealed.subarray(at))
      return concatBytes(decipher.update(sealed.subarray(0, at)), decipher.final())
    },
  })
}
