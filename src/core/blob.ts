/** The blob: one signed table as bytes, decoded and encoded (docs/format.md, section 3). Nothing here checks a signature: see verify.ts. */
import { concatBytes, equalBytes, isZero, parseBase64url, readU32, u32be } from './encoding/bytes.ts'
import { LINK_BYTES, type ChainPosition } from './chain.ts'
import { BlobError } from './errors.ts'
import { LABEL_BLOB, LABEL_TABLE } from './labels.ts'
import { MAX_BLOB_BYTES, MAX_DEVICES, MAX_EPOCH } from './limits.ts'
import { isCanonicalU, isLowOrderU } from './curve/x25519.ts'

export const BLOB_VERSION = 1
const FLAG_SEALED = 0x01

const PERSONA_AT = 2
const SIGNATURE_AT = 34
const EPOCH_AT = 98
const SEQ_AT = 99
const TIME_AT = 103
const PREV_AT = 107
const NEXT_AT = 123
const CHAIN_AT = 155
const KEY_BYTES = 32
const SIGNATURE_BYTES = 64
const MAX_TIME_SEC = 0xffff_ffff // format: u32, 2106-02-07
export const PREV_BYTES = 16 // format: first bytes of the previous table hash; only the table's own writer could gain from a collision

/** A blob as it travels. Views into `bytes`; nothing is copied. */
export interface SignedBlob extends ChainPosition {
  readonly bytes: Uint8Array
  readonly signature: Uint8Array
  readonly seq: number
  readonly timeSec: number
  readonly prev: Uint8Array
  /** X25519 public keys in order; the first is the active device. */
  readonly deviceKeys: readonly Uint8Array[]
  /** Raw DEFLATE of the document, not yet inflated. */
  readonly deflated: Uint8Array
}

/** Input of {@link encodeBlob}. */
export interface BlobFields {
  readonly chain: ChainPosition
  readonly seq: number
  readonly timeSec: number
  readonly prev: Uint8Array
  readonly deviceKeys: readonly Uint8Array[]
  readonly deflated: Uint8Array
}

/** Reads a blob field by field. Only a read past the end throws BLOB_TRUNCATED. */
class Cursor {
  readonly #bytes: Uint8Array
  #at: number

  constructor(bytes: Uint8Array, at: number) {
    this.#bytes = bytes
    this.#at = at
  }

  read(length: number): Uint8Array {
    const end = this.#at + length
    if (end > this.#bytes.length) {
      throw new BlobError('BLOB_TRUNCATED', `the blob ends after ${this.#bytes.length} bytes, in the middle of a field`)
    }
    const field = this.#bytes.subarray(this.#at, end)
    this.#at = end
    return field
  }

  rest(): Uint8Array {
    return this.#bytes.subarray(this.#at)
  }
}

/**
 * Decodes one blob (docs/format.md, section 3). It does not check the signature: see verifyBlob.
 * @param bytes whole blob, at most MAX_BLOB_BYTES bytes; the result keeps views into it and never changes it
 * @throws {BlobError} TOKEN_TOO_LONG | BLOB_TRUNCATED | BLOB_UNKNOWN_VERSION | BLOB_SEALED_UNSUPPORTED | BLOB_UNKNOWN_FLAGS |
 *   BLOB_EPOCH_RANGE | BLOB_SEQ_ZERO | BLOB_TOO_MANY_DEVICES | CHAIN_END | CHAIN_KEY_REUSED | DEVICE_KEY_*
 */
export function decodeBlob(bytes: Uint8Array): SignedBlob {
  if (bytes.length > MAX_BLOB_BYTES) {
    throw new BlobError('TOKEN_TOO_LONG', `the blob has ${bytes.length} bytes; the limit is ${MAX_BLOB_BYTES}`)
  }
  checkVersion(bytes)
  const epoch = bytes[EPOCH_AT]
  if (epoch === undefined || bytes.length < CHAIN_AT) {
    throw new BlobError('BLOB_TRUNCATED', `the blob has ${bytes.length} bytes; its fixed part alone takes ${CHAIN_AT}`)
  }
  if (epoch > MAX_EPOCH) throw new BlobError('BLOB_EPOCH_RANGE', `epoch ${epoch} is over ${MAX_EPOCH}`)
  const seq = readU32(bytes, SEQ_AT)
  if (seq === 0) throw new BlobError('BLOB_SEQ_ZERO', 'seq is 0; the first table of an epoch has seq 1')

  const cursor = new Cursor(bytes, CHAIN_AT)
  const personaId = readPersonaId(bytes)
  const inception = epoch > 0 ? cursor.read(SIGNATURE_BYTES) : null
  const links = cursor.read(LINK_BYTES * Math.max(0, epoch - 1))
  const signingKey = epoch > 0 ? cursor.read(KEY_BYTES) : personaId
  const deviceKeys = readDeviceKeys(cursor)
  const next = bytes.subarray(NEXT_AT, NEXT_AT + KEY_BYTES)
  checkChainForm(epoch, next, personaId, signingKey)
  return {
    bytes,
    personaId,
    signature: bytes.subarray(SIGNATURE_AT, SIGNATURE_AT + SIGNATURE_BYTES),
    epoch,
    seq,
    timeSec: readU32(bytes, TIME_AT),
    prev: bytes.subarray(PREV_AT, PREV_AT + PREV_BYTES),
    next,
    inception,
    links,
    signingKey,
    deviceKeys,
    deflated: cursor.rest(),
  }
}

function checkVersion(bytes: Uint8Array): void {
  const [version, flags] = bytes
  if (version === undefined || flags === undefined) throw new BlobError('BLOB_TRUNCATED', 'the blob is empty')
  if (version !== BLOB_VERSION) {
    throw new BlobError(
      'BLOB_UNKNOWN_VERSION',
      `this program does not know blob version ${version}; a newer one may read it`,
    )
  }
  if ((flags & FLAG_SEALED) !== 0) {
    throw new BlobError(
      'BLOB_SEALED_UNSUPPORTED',
      'the body of this blob is sealed; this version cannot open sealed blobs',
    )
  }
  if (flags !== 0)
    throw new BlobError('BLOB_UNKNOWN_FLAGS', `this program does not know the blob flags 0x${flags.toString(16)}`)
}

function checkChainForm(epoch: number, next: Uint8Array, personaId: Uint8Array, signingKey: Uint8Array): void {
  if (isZero(next) !== (epoch === MAX_EPOCH)) {
    throw new BlobError(
      'CHAIN_END',
      `the commitment to the next keys must be zero at epoch ${MAX_EPOCH} and only there; this blob is of epoch ${epoch}`,
    )
  }
  if (epoch > 0 && equalBytes(signingKey, personaId)) {
    throw new BlobError('CHAIN_KEY_REUSED', `the key of epoch 0 signs epoch ${epoch} too`)
  }
}

function readDeviceKeys(cursor: Cursor): Uint8Array[] {
  const count = cursor.read(1)[0]!
  if (count > MAX_DEVICES)
    throw new BlobError('BLOB_TOO_MANY_DEVICES', `the table lists ${count} devices; the limit is ${MAX_DEVICES}`)
  const keys: Uint8Array[] = []
  for (let i = 0; i < count; i++) {
    const key = cursor.read(KEY_BYTES)
    checkDeviceKey(key)
    if (keys.some((other) => equalBytes(other, key))) {
      throw new BlobError('DEVICE_KEY_TWICE', `device ${i + 1} has the same key as another device of the table`)
    }
    keys.push(key)
  }
  return keys
}

/**
 * Refuses a device key that no Tox client can hold. Nobody could confirm it, and with some such keys everybody can compute the shared secret.
 * @param key 32 bytes
 * @throws {BlobError} DEVICE_KEY_NOT_CANONICAL | DEVICE_KEY_LOW_ORDER
 */
export function checkDeviceKey(key: Uint8Array): void {
  if (!isCanonicalU(key)) {
    throw new BlobError(
      'DEVICE_KEY_NOT_CANONICAL',
      'the device key is not a canonical X25519 key (32 bytes below 2^255 - 19)',
    )
  }
  if (isLowOrderU(key)) {
    throw new BlobError(
      'DEVICE_KEY_LOW_ORDER',
      'the device key is a point of low order: everybody could compute its shared secrets',
    )
  }
}

const PERSONA_CHARS = 48 // format: the fewest whole groups of base64url that hold the bytes before the signature

/** The PersonaID in the base64url of a blob, which may be anything: no more than a place to look for what is known. Null if it is not base64url. */
export function personaIdIn(encoded: string): Uint8Array | null {
  const bytes = parseBase64url(encoded.slice(0, PERSONA_CHARS))
  return bytes === null ? null : readPersonaId(bytes)
}

function readPersonaId(bytes: Uint8Array): Uint8Array {
  return bytes.subarray(PERSONA_AT, PERSONA_AT + KEY_BYTES)
}

/** The bytes that the signature covers: the label, then the whole blob as it travels, without the signature. */
export function signedMessage(blob: Uint8Array): Uint8Array {
  return concatBytes(LABEL_BLOB, blob.subarray(0, SIGNATURE_AT), blob.subarray(EPOCH_AT))
}

/** The bytes that the table hash T covers: like the signed message, with another label and time as zeros. So a re-signed table keeps its T. */
export function tableMessage(blob: Uint8Array): Uint8Array {
  const message = concatBytes(LABEL_TABLE, blob.subarray(0, SIGNATURE_AT), blob.subarray(EPOCH_AT))
  const timeAt = LABEL_TABLE.length + SIGNATURE_AT + (TIME_AT - EPOCH_AT)
  return message.fill(0, timeAt, timeAt + 4)
}

/** Size of a blob in bytes, without its deflated document. */
export function blobBytesWithoutDocument(epoch: number, devices: number): number {
  const chain = epoch === 0 ? 0 : SIGNATURE_BYTES + LINK_BYTES * (epoch - 1) + KEY_BYTES
  return CHAIN_AT + chain + 1 + KEY_BYTES * devices
}

/** A clock before 1970 or after 2106 is wrong. It must not wrap around to a time that looks right. */
function clampTime(timeSec: number): number {
  return Math.min(Math.max(timeSec, 0), MAX_TIME_SEC)
}

/**
 * Encodes and signs one blob (docs/format.md, section 3). The caller (encodeTable) checks the lengths; a result that does not decode is a bug.
 * @param sign makes a detached Ed25519 signature by K_e over the message, 64 bytes
 */
export function encodeBlob(fields: BlobFields, sign: (message: Uint8Array) => Uint8Array): Uint8Array {
  const { chain } = fields
  const blob = concatBytes(
    Uint8Array.of(BLOB_VERSION, 0),
    chain.personaId,
    new Uint8Array(SIGNATURE_BYTES),
    Uint8Array.of(chain.epoch),
    u32be(fields.seq),
    u32be(clampTime(fields.timeSec)),
    fields.prev,
    chain.next,
    ...(chain.inception === null ? [] : [chain.inception, chain.links, chain.signingKey]),
    Uint8Array.of(fields.deviceKeys.length),
    ...fields.deviceKeys,
    fields.deflated,
  )
  blob.set(sign(signedMessage(blob)), SIGNATURE_AT)
  return blob
}

/** The same table with a later time and a new signature, which shows friends that the persona is alive (docs/format.md, section 8). */
export function resignBlob(blob: Uint8Array, timeSec: number, sign: (message: Uint8Array) => Uint8Array): Uint8Array {
  // Not slice(): on a Buffer it gives a view, and the old blob would change.
  const again = Uint8Array.from(blob)
  again.set(u32be(clampTime(timeSec)), TIME_AT)
  again.set(sign(signedMessage(again)), SIGNATURE_AT)
  return again
}
