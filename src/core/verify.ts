/** Verifies a blob: signature, chain, then document, in that order (docs/format.md, section 5). */
import { concatBytes, equalBytes, formatHex } from './encoding/bytes.ts'
import { decodeBlob, signedMessage, tableMessage, type SignedBlob } from './blob.ts'
import { chainRoot, inceptionMessage, type ChainPosition } from './chain.ts'
import { DOCUMENT_DICTIONARY } from './encoding/dictionary.ts'
import { parseDocument, readNames, type Document } from './document.ts'
import { isStrictPublicKey } from './curve/ed25519.ts'
import type { Engine } from './engine.ts'
import { BlobError, type DocumentErrorCode } from './errors.ts'
import { inflate } from './inflate.ts'
import { MAX_DOCUMENT_BYTES } from './limits.ts'
import { decodeToken, splitStatus } from './token.ts'
import { isImageOf, signingKeyImage } from './curve/x25519.ts'

declare const verified: unique symbol

/** The parsed body of a blob, or why it cannot be read although the signature is good. */
export type BlobDocument =
  | { readonly ok: true; readonly names: readonly string[] | null; readonly document: Document }
  | { readonly ok: false; readonly code: DocumentErrorCode; readonly message: string }

/** A blob whose signature, chain and inception are good. Only {@link verifyBlob} makes one, and every decision requires one. */
export interface VerifiedBlob extends SignedBlob {
  readonly [verified]: true
  /** c_0, 32 bytes; compare it with the pinned one. */
  readonly root: Uint8Array
  /** T, 32 bytes. */
  readonly tableHash: Uint8Array
  readonly content: BlobDocument
}

/** Remembers verified inception signatures, so that each blob of a rotated persona costs one verification instead of two. */
export interface InceptionCache {
  has(key: string): boolean
  add(key: string): unknown
}

export const TABLE_HASH_BYTES = 32 // format: T

/** T: first 32 bytes of SHA-512 over the label and the blob without signature and time. */
export function tableHash(blob: Uint8Array, engine: Engine): Uint8Array {
  return engine.sha512(tableMessage(blob)).subarray(0, TABLE_HASH_BYTES)
}

/**
 * Verifies a decoded blob: signature by K_e, chain, inception, device keys, and only then the document (docs/format.md, section 5).
 * An unreadable document does not throw: with a higher epoch, the rest of the blob still counts (docs/format.md, section 8).
 * @throws {BlobError} PERSONA_KEY_INVALID | SIGNATURE_BAD | INCEPTION_BAD | DEVICE_KEY_IS_SIGNING_KEY
 */
export function verifyBlob(blob: SignedBlob, engine: Engine, inceptions?: InceptionCache): VerifiedBlob {
  for (const key of blob.epoch === 0 ? [blob.personaId] : [blob.personaId, blob.signingKey]) {
    if (!isStrictPublicKey(key)) {
      throw new BlobError(
        'PERSONA_KEY_INVALID',
        `the signing key ${formatHex(key)} is not a valid Ed25519 key: it is not canonical, or it is of small order`,
      )
    }
  }
  if (!engine.verify(blob.signature, signedMessage(blob.bytes), blob.signingKey)) {
    throw new BlobError('SIGNATURE_BAD', `the blob of persona ${formatHex(blob.personaId)} has a bad signature`)
  }
  const root = chainRoot(blob, engine)
  if (!isCommitted(blob, root, engine, inceptions)) {
    throw new BlobError(
      'INCEPTION_BAD',
      `persona ${formatHex(blob.personaId)} did not commit to the chain of this blob: its inception signature is bad`,
    )
  }
  checkNoSigningKey(blob)
  return completeBlob(blob, root, engine)
}

function completeBlob(blob: SignedBlob, root: Uint8Array, engine: Engine): VerifiedBlob {
  return { ...blob, root, tableHash: tableHash(blob.bytes, engine), content: readDocument(blob) } as VerifiedBlob
}

/**
 * Decodes a stored blob that verifyBlob accepted before, without verifying it again. The store notices every changed byte.
 * @throws {BlobError} the codes of decodeBlob; for stored bytes that means a fault of the store
 */
export function decodeVerified(bytes: Uint8Array, engine: Engine): VerifiedBlob {
  const blob = decodeBlob(bytes)
  return completeBlob(blob, chainRoot(blob, engine), engine)
}

/** Whether K_0 committed to the chain of a position: at epoch 0 by whatever it signs, later by the inception signature. @param root c_0, 32 bytes */
export function isCommitted(
  { personaId, inception }: ChainPosition,
  root: Uint8Array,
  engine: Engine,
  inceptions?: InceptionCache,
): boolean {
  if (inception === null) return true
  const key = formatHex(concatBytes(personaId, root, inception))
  if (inceptions?.has(key) === true) return true
  if (!engine.verify(inception, inceptionMessage(personaId, root), personaId)) return false
  inceptions?.add(key)
  return true
}

// One key must not serve two purposes. The X25519 image of a signing key counts too: it has the same secret.
function checkNoSigningKey(blob: SignedBlob): void {
  if (blob.deviceKeys.length === 0) return
  for (const signing of blob.epoch === 0 ? [blob.personaId] : [blob.personaId, blob.signingKey]) {
    const image = signingKeyImage(signing)
    if (blob.deviceKeys.some((key) => equalBytes(key, signing) || isImageOf(key, image))) {
      throw new BlobError('DEVICE_KEY_IS_SIGNING_KEY', 'a device key in the table is a signing key of the persona')
    }
  }
}

function readDocument(blob: SignedBlob): BlobDocument {
  try {
    const document = parseDocument(inflate(blob.deflated, DOCUMENT_DICTIONARY, MAX_DOCUMENT_BYTES))
    return { ok: true, names: readNames(document, blob.deviceKeys.length), document }
  } catch (error) {
    if (!(error instanceof BlobError)) throw error
    return { ok: false, code: error.code as DocumentErrorCode, message: error.message }
  }
}

/** A status message judged by itself, without any state: its words, and its verified blob if it has one. */
export interface JudgedStatus {
  readonly words: string
  readonly fragment: boolean
  readonly blob: VerifiedBlob | null
  /** The token is the last word. Elsewhere it is a quote, and the device that shows it consents to nothing (docs/format.md, section 10). */
  readonly isShown: boolean
  /** The characters of a short status, not yet judged; null without one (docs/announce.md, section 10). */
  readonly short: string | null
}

/** Looks for a blob of exactly this base64url that was verified before; null if it knows none. The text need not be a blob at all. */
export type RecallVerified = (encoded: string) => VerifiedBlob | null

/**
 * Judges a status message (docs/format.md, section 5): finds the token, checks its length, decodes, verifies, inflates and parses.
 * @param recall spares the verification of a blob that it knows
 * @throws {BlobError} every code except NO_TOKEN and {@link DocumentErrorCode}
 */
export function judgeStatus(
  text: string,
  engine: Engine,
  inceptions?: InceptionCache,
  recall?: RecallVerified,
): JudgedStatus {
  const content = splitStatus(text)
  if (content.kind === 'none') {
    const { words, fragment, short } = content
    return { words, fragment, blob: null, isShown: false, short }
  }
  const blob = recall?.(content.encoded) ?? verifyBlob(decodeBlob(decodeToken(content.encoded)), engine, inceptions)
  return { words: content.words, fragment: false, blob, isShown: content.isShown, short: null }
}
