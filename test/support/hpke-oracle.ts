/**
 * A second implementation of HPKE (RFC 9180) over node:crypto, which shares no code with the package `hpke`. It takes the one-time key from its
 * caller, so that tests can hold the bytes of a seal against vectors.
 */
import { createCipheriv, createECDH, createHmac, createPrivateKey, createPublicKey, diffieHellman } from 'node:crypto'

export interface OracleSuite {
  readonly kemId: number
  readonly kdfId: number
  readonly aeadId: number
  readonly curve: 'x25519' | 'prime256v1' | 'secp384r1' | 'secp521r1'
  readonly hash: 'sha256' | 'sha384' | 'sha512'
  readonly keyBytes: 16 | 32
}

export const ORACLE_SUITES: Readonly<Record<'A.1' | 'A.3' | 'A.6' | 'x25519' | 'p384', OracleSuite>> = {
  'A.1': { kemId: 0x20, kdfId: 1, aeadId: 1, curve: 'x25519', hash: 'sha256', keyBytes: 16 },
  'A.3': { kemId: 0x10, kdfId: 1, aeadId: 1, curve: 'prime256v1', hash: 'sha256', keyBytes: 16 },
  'A.6': { kemId: 0x12, kdfId: 3, aeadId: 2, curve: 'secp521r1', hash: 'sha512', keyBytes: 32 },
  x25519: { kemId: 0x20, kdfId: 1, aeadId: 2, curve: 'x25519', hash: 'sha256', keyBytes: 32 },
  p384: { kemId: 0x11, kdfId: 2, aeadId: 2, curve: 'secp384r1', hash: 'sha384', keyBytes: 32 },
}

export interface OracleSeal {
  readonly enc: Buffer
  readonly sharedSecret: Buffer
  readonly key: Buffer
  readonly baseNonce: Buffer
  readonly exporterSecret: Buffer
  seal(sequence: number, aad: Uint8Array, plaintext: Uint8Array): Buffer
  export(context: Uint8Array, length: number): Buffer
}

const PKCS8_X25519 = Buffer.from('302e020100300506032b656e04220420', 'hex')
const SPKI_X25519 = Buffer.from('302a300506032b656e032100', 'hex')
const NOTHING = new Uint8Array()

/** Seals as the sender whose one-time secret key is given. */
export function oracleSeal(
  suite: OracleSuite,
  secretE: Uint8Array,
  publicR: Uint8Array,
  info: Uint8Array,
  psk: Uint8Array = NOTHING,
  pskId: Uint8Array = NOTHING,
): OracleSeal {
  const { hash } = suite
  const kem = Buffer.concat([Buffer.from('KEM'), u16(suite.kemId)])
  const id = Buffer.concat([Buffer.from('HPKE'), u16(suite.kemId), u16(suite.kdfId), u16(suite.aeadId)])
  const { enc, dh } = encapsulate(suite.curve, secretE, publicR)
  const length = createHmac(hash, NOTHING).digest().length
  const eaePrk = extract(hash, kem, NOTHING, 'eae_prk', dh)
  const sharedSecret = expand(hash, kem, eaePrk, 'shared_secret', Buffer.concat([enc, publicR]), length)
  const context = Buffer.concat([
    Uint8Array.of(psk.length === 0 ? 0 : 1),
    extract(hash, id, NOTHING, 'psk_id_hash', pskId),
    extract(hash, id, NOTHING, 'info_hash', info),
  ])
  const secret = extract(hash, id, sharedSecret, 'secret', psk)
  const key = expand(hash, id, secret, 'key', context, suite.keyBytes)
  const baseNonce = expand(hash, id, secret, 'base_nonce', context, 12)
  const exporterSecret = expand(hash, id, secret, 'exp', context, length)
  return {
    enc,
    sharedSecret,
    key,
    baseNonce,
    exporterSecret,
    seal: (sequence, aad, plaintext) => {
      const nonce = Buffer.from(baseNonce)
      nonce.writeUInt32BE((nonce.readUInt32BE(8) ^ sequence) >>> 0, 8)
      const cipher = createCipheriv(`aes-${8 * suite.keyBytes}-gcm` as 'aes-256-gcm', key, nonce)
      cipher.setAAD(aad)
      return Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()])
    },
    export: (exporterContext, bytes) => expand(hash, id, exporterSecret, 'sec', exporterContext, bytes),
  }
}

function encapsulate(
  curve: OracleSuite['curve'],
  secretE: Uint8Array,
  publicR: Uint8Array,
): { enc: Buffer; dh: Buffer } {
  if (curve === 'x25519') {
    const der = Buffer.concat([PKCS8_X25519, secretE])
    const privateKey = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
    const spki = Buffer.concat([SPKI_X25519, publicR])
    const publicKey = createPublicKey({ key: spki, format: 'der', type: 'spki' })
    const enc = createPublicKey(privateKey).export({ format: 'der', type: 'spki' }).subarray(SPKI_X25519.length)
    return { enc, dh: diffieHellman({ privateKey, publicKey }) }
  }
  const ecdh = createECDH(curve)
  ecdh.setPrivateKey(secretE)
  return { enc: ecdh.getPublicKey(), dh: ecdh.computeSecret(publicR) }
}

function extract(hash: string, id: Uint8Array, salt: Uint8Array, label: string, ikm: Uint8Array): Buffer {
  return createHmac(hash, salt)
    .update(Buffer.concat([Buffer.from('HPKE-v1'), id, Buffer.from(label), ikm]))
    .digest()
}

function expand(
  hash: string,
  id: Uint8Array,
  prk: Uint8Array,
  label: string,
  info: Uint8Array,
  length: number,
): Buffer {
  const labeled = Buffer.concat([u16(length), Buffer.from('HPKE-v1'), id, Buffer.from(label), info])
  let block = Buffer.alloc(0)
  let whole = Buffer.alloc(0)
  for (let i = 1; whole.length < length; i++) {
    block = createHmac(hash, prk)
      .update(Buffer.concat([block, labeled, Uint8Array.of(i)]))
      .digest()
    whole = Buffer.concat([whole, block])
  }
  return whole.subarray(0, length)
}

function u16(value: number): Buffer {
  return Buffer.from([value >> 8, value & 255])
}
