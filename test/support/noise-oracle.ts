/**
 * The joining side of docs/pairing.md, implemented a second time with only node:crypto:
 * Noise_NNpsk0_25519_ChaChaPoly_BLAKE2b.
 */
import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  hkdfSync,
} from 'node:crypto'

const SPKI_X25519 = Buffer.from('302a300506032b656e032100', 'hex')

function hash(...parts: readonly Uint8Array[]): Buffer {
  const blake = createHash('blake2b512')
  for (const part of parts) blake.update(part)
  return blake.digest()
}

function hkdf(chainingKey: Uint8Array, input: Uint8Array, outputs: number): Buffer[] {
  const mac = (key: Uint8Array, ...parts: readonly Uint8Array[]): Buffer =>
    createHmac('blake2b512', key).update(Buffer.concat(parts)).digest()
  const temp = mac(chainingKey, input)
  const results: Buffer[] = []
  for (let i = 1; i <= outputs; i++) results.push(mac(temp, results.at(-1) ?? Buffer.alloc(0), Buffer.of(i)))
  return results
}

function nonceOf(count: number): Buffer {
  const nonce = Buffer.alloc(12)
  nonce.writeUInt32LE(count, 4)
  return nonce
}

export function seal(key: Uint8Array, count: number, ad: Uint8Array, plaintext: Uint8Array): Buffer {
  const cipher = createCipheriv('chacha20-poly1305', key, nonceOf(count), { authTagLength: 16 })
  cipher.setAAD(ad, { plaintextLength: plaintext.length })
  return Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()])
}

export function open(key: Uint8Array, count: number, ad: Uint8Array, sealed: Uint8Array): Buffer {
  const cipher = createDecipheriv('chacha20-poly1305', key, nonceOf(count), { authTagLength: 16 })
  cipher.setAAD(ad, { plaintextLength: sealed.length - 16 })
  cipher.setAuthTag(sealed.subarray(-16))
  return Buffer.concat([cipher.update(sealed.subarray(0, -16)), cipher.final()])
}

export interface OracleAnswer {
  readonly greeting: Buffer
  readonly message: Buffer
  /** Keys from the offering to the joining device, and back. The greeting uses nonce 0 of `fromJoin`. */
  readonly fromOffer: Buffer
  readonly fromJoin: Buffer
  /** The 66 bits of the compared words, in 9 bytes. */
  readonly compared: Buffer
}

interface Begun {
  readonly ck: Buffer
  readonly h: Buffer
}

/** The state after the prologue and the pre-shared key. @param carrier 1 for a connection, 2 for files */
function begin(code: Uint8Array, version: number, carrier: number): Begun {
  const psk = Buffer.from(hkdfSync('sha512', code, '', 'personad/v1/pair-psk\0', 32))
  const name = Buffer.alloc(64)
  name.write('Noise_NNpsk0_25519_ChaChaPoly_BLAKE2b')
  const h = hash(name, Buffer.from('personad/v1/pair-meet\0'), Buffer.of(version, carrier))
  const [ck, tempHash] = hkdf(name, psk, 3)
  return { ck: ck!, h: hash(h, tempHash!) }
}

/** The first handshake message of version 1, which is refused now. */
export function offerOfVersion1(code: Uint8Array, carrier: number, greeting: Uint8Array): { message: Buffer } {
  const { ck, h } = begin(code, 1, carrier)
  const own = generateKeyPairSync('x25519').publicKey.export({ type: 'spki', format: 'der' }).subarray(-32)
  const [, key] = hkdf(ck, own, 2)
  return { message: Buffer.concat([own, seal(key!.subarray(0, 32), 0, hash(h, own), greeting)]) }
}

/**
 * Answers the first handshake message as the joining device.
 * @param carrier 1 for a connection, 2 for files
 * @param point sent instead of an own key; the shared secret then counts as zero
 */
export function answerOffer(
  code: Uint8Array,
  carrier: number,
  offer: Uint8Array,
  greeting: Uint8Array,
  point?: Uint8Array,
): OracleAnswer {
  const begun = begin(code, 2, carrier)
  let { h } = begun
  const remote = offer.subarray(0, 32)
  h = hash(h, remote)
  const [ck2, key1] = hkdf(begun.ck, remote, 2)
  const theirs = open(key1!.subarray(0, 32), 0, h, offer.subarray(32))
  h = hash(h, offer.subarray(32))

  const pair = generateKeyPairSync('x25519')
  const own = point ?? pair.publicKey.export({ type: 'spki', format: 'der' }).subarray(-32)
  h = hash(h, own)
  const [ck3] = hkdf(ck2!, own, 2)
  const remoteKey = createPublicKey({ key: Buffer.concat([SPKI_X25519, remote]), type: 'spki', format: 'der' })
  const shared = diffieHellman({ privateKey: pair.privateKey, publicKey: remoteKey })
  const [ck4, key2] = hkdf(ck3!, point === undefined ? shared : Buffer.alloc(32), 2)
  const tag = seal(key2!.subarray(0, 32), 0, h, Buffer.alloc(0))
  h = hash(h, tag)
  const [fromOffer, fromJoin] = hkdf(ck4!, Buffer.alloc(0), 2).map((key) => key.subarray(0, 32))
  const sealed = seal(fromJoin!, 0, Buffer.alloc(0), greeting)
  return {
    greeting: theirs,
    message: Buffer.concat([own, tag, sealed]),
    fromOffer: fromOffer!,
    fromJoin: fromJoin!,
    compared: Buffer.from(hkdfSync('sha512', h, '', 'personad/v1/pair-words\0', 9)),
  }
}
