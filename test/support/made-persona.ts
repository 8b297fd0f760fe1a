/** Personas, tables and blobs for tests. They derive from small numbers, so they are the same at every run. */
import { decodeBlob, encodeBlob, PREV_BYTES, type BlobFields } from '../../src/core/blob.ts'
import { encodeUtf8, formatHex } from '../../src/core/encoding/bytes.ts'
import { chainPositions, type ChainPosition } from '../../src/core/chain.ts'
import { DOCUMENT_DICTIONARY } from '../../src/core/encoding/dictionary.ts'
import { formatDocument, type Document } from '../../src/core/document.ts'
import { MAX_EPOCH } from '../../src/core/limits.ts'
import type { Device } from '../../src/core/table.ts'
import { verifyBlob, type VerifiedBlob } from '../../src/core/verify.ts'
import type { CryptoEngine } from '../../src/crypto/engine.ts'
import { portableEngine } from '../../src/crypto/portable.ts'
import { deriveSigningSeed } from '../../src/crypto/seed.ts'
import { loadSodiumEngine, type SodiumEngine } from '../../src/crypto/sodium.ts'
import { compress } from '../../src/daemon/own/compress.ts'

export const sodium: SodiumEngine = loadSodiumEngine()
export const ENGINES: readonly CryptoEngine[] = [sodium, portableEngine]
export const NOW_SEC = 1_800_000_000 // 2027-01-15

export interface MadePersona {
  /** 32 bytes, each equal to the persona's number. */
  readonly seed: Uint8Array
  readonly positions: readonly ChainPosition[]
  sign(epoch: number, message: Uint8Array): Uint8Array
}

/** Makes the persona whose seed is 32 times the byte `number`. */
export function makePersona(number: number): MadePersona {
  const seed = new Uint8Array(32).fill(number)
  const pairs = Array.from({ length: MAX_EPOCH + 1 }, (_, epoch) =>
    sodium.signKeyPair(deriveSigningSeed(seed, epoch, portableEngine)),
  )
  const sign = (epoch: number, message: Uint8Array): Uint8Array => sodium.sign(message, pairs[epoch]!.secretKey)
  const keys = pairs.map((pair) => pair.publicKey)
  return { seed, sign, positions: chainPositions(keys, sodium, (message) => sign(0, message)) }
}

/** The key of a made device: the X25519 public key of SHA-512("device" || number), cut to 32 bytes. */
export function makeDeviceKey(number: number): Uint8Array {
  const cached = deviceKeys.get(number)
  if (cached !== undefined) return cached
  const key = sodium.boxPublicKey(sodium.sha512(encodeUtf8(`device ${number}`)).slice(0, 32))
  deviceKeys.set(number, key)
  return key
}
const deviceKeys = new Map<number, Uint8Array>()

const NAMES = ['laptop', 'phone', 'tablet', 'desktop', 'work', 'garden']

export function makeDevice(number: number, name?: string): Device {
  return { name: name ?? NAMES[number] ?? `device ${number}`, key: formatHex(makeDeviceKey(number)) }
}

export function deflate(document: Document | string): Uint8Array {
  return compress(typeof document === 'string' ? encodeUtf8(document) : formatDocument(document), DOCUMENT_DICTIONARY)
}

export interface BlobWishes extends Partial<Omit<BlobFields, 'chain' | 'deviceKeys'>> {
  readonly epoch?: number
  readonly chain?: Partial<ChainPosition>
  /** Numbers of made devices, or actual keys. */
  readonly devices?: readonly (number | Uint8Array)[]
  readonly document?: Document | string
}

/** Signs a blob of a made persona. By default: epoch 0, seq 1, no devices, no document. */
export function makeBlob(persona: MadePersona, wishes: BlobWishes = {}): Uint8Array {
  const { epoch = 0, devices = [], document = '', chain, ...fields } = wishes
  return encodeBlob(
    {
      chain: { ...persona.positions[epoch]!, ...chain },
      seq: 1,
      timeSec: NOW_SEC,
      prev: new Uint8Array(PREV_BYTES),
      deviceKeys: devices.map((device) => (typeof device === 'number' ? makeDeviceKey(device) : device)),
      deflated: deflate(document),
      ...fields,
    },
    (message) => persona.sign(epoch, message),
  )
}

export function verified(blob: Uint8Array): VerifiedBlob {
  return verifyBlob(decodeBlob(blob), sodium)
}

export function makeVerified(persona: MadePersona, wishes: BlobWishes = {}): VerifiedBlob {
  return verified(makeBlob(persona, wishes))
}
