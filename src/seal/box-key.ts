/** Public keys that people seal to, in the forms in which others write them (docs/relay.md, "Keys"). */
import { COMPRESSED_P384_BYTES, compressP384, hasCompressedForm, UNCOMPRESSED_P384_BYTES } from '../core/curve/p384.ts'
import { isCanonicalU, isLowOrderU } from '../core/curve/x25519.ts'
import { equalBytes, formatBase64url, parseBase64url, parseHex } from '../core/encoding/bytes.ts'
import { SealError } from './errors.ts'

export type BoxSuite = 'x25519' | 'p384'

export interface BoxKey {
  readonly suite: BoxSuite
  /** The canonical form: X25519 of 32 bytes, or P-384 compressed to 49. */
  readonly bytes: Uint8Array
}

const X25519_BYTES = 32

/** SubjectPublicKeyInfo of P-384 up to its point: id-ecPublicKey, secp384r1, a bit string of 97 bytes (RFC 5480). */
const P384_SPKI_HEAD: Uint8Array = parseHex('3076301006072A8648CE3D020106052B81040022036200')!
const P384_SPKI_BYTES = P384_SPKI_HEAD.length + UNCOMPRESSED_P384_BYTES

/**
 * Reads a key of 32 bytes (X25519), or 49, 97 or 120 bytes (P-384 compressed, uncompressed, or as SubjectPublicKeyInfo). Whether an x of the
 * compressed form has a point shows only when something is sealed to it: that takes 0.5 ms, and a relay reads a key with each message.
 * @param text base64url without padding
 * @throws {SealError} BOX_KEY_TEXT | BOX_KEY_LENGTH | BOX_KEY_POINT
 */
export function parseBoxKey(text: string): BoxKey {
  const bytes = parseBase64url(text)
  if (bytes === null) throw new SealError('BOX_KEY_TEXT', 'the key is not base64url without padding')
  return readBoxKey(bytes)
}

/**
 * As {@link parseBoxKey}, of bytes. They are copied.
 * @throws {SealError} BOX_KEY_LENGTH | BOX_KEY_POINT
 */
export function readBoxKey(bytes: Uint8Array): BoxKey {
  switch (bytes.length) {
    case X25519_BYTES:
      if (!isCanonicalU(bytes) || isLowOrderU(bytes)) throw notAPoint('X25519')
      return { suite: 'x25519', bytes: new Uint8Array(bytes) }
    case COMPRESSED_P384_BYTES:
      if (!hasCompressedForm(bytes)) throw notAPoint('P-384')
      return { suite: 'p384', bytes: new Uint8Array(bytes) }
    case UNCOMPRESSED_P384_BYTES:
      return { suite: 'p384', bytes: compressed(bytes) }
    case P384_SPKI_BYTES: {
      const head = bytes.subarray(0, P384_SPKI_HEAD.length)
      if (!equalBytes(head, P384_SPKI_HEAD)) throw notAPoint('P-384')
      return { suite: 'p384', bytes: compressed(bytes.subarray(P384_SPKI_HEAD.length)) }
    }
    default:
      throw new SealError(
        'BOX_KEY_LENGTH',
        `the key has ${bytes.length} bytes, and keys have 32 (X25519), or 49, 97 or 120 (P-384)`,
      )
  }
}

/** The one text of a key: base64url of its canonical bytes. */
export function formatBoxKey(key: BoxKey): string {
  return formatBase64url(key.bytes)
}

function compressed(point: Uint8Array): Uint8Array {
  const bytes = compressP384(point)
  if (bytes === null) throw notAPoint('P-384')
  return bytes
}

function notAPoint(curve: string): SealError {
  return new SealError('BOX_KEY_POINT', `the key is not a public key of ${curve}`)
}
