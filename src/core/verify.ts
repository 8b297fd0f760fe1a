/** From bytes to a verified blob: signature, chain, then document, in that order (docs/format.md, section 5). */
import { concatBytes, equalBytes, formatHex } from './encoding/bytes.ts'
import { decodeBlob, signedMessage, tableMessage, type SignedBlob } from './blob.ts'
import { chainRoot, inceptionMessage } from './chain.ts'
import { DOCUMENT_DICTIONARY } from './dictionary.ts'
import { parseDocument, readNames, type Document } from './document.ts'
import { isStrictPublicKey } from './curve/ed25519.ts'
import type { Engine } from './engine.ts'
import { BlobError, type DocumentErrorCode } from './errors.ts'
import { inflate } from './inflate.ts'
import { MAX_DOCUMENT_BYTES } from './limits.ts'
import { parseStatus } from './token.ts'
import { isImageOf, signingKeyImage } from './curve/x25519.ts'

declare const verified: unique symbol

/** What the deflated body says, or why it cannot be read although the signature is good. */
export type BlobDocument =
  | { readonly ok: true; readonly names: readonly string[] | null; readonly document: Document }
  | { readonly ok: false; readonly code: DocumentErrorCode; readonly message: string }

/** A blob whose signature, chain and inception are good. Only {@link verifyBlob} makes one; whatever decides takes nothing less. */
export interface VerifiedBlob extends SignedBlob {
  readonly [verified]: true
  /** c_0, 32 bytes: to be compared with the pinned one. */
  readonly root: Uint8Array
  /** T, 32 bytes. */
  readonly tableHash: Uint8Array
  readonly content: BlobDocument
}

/** Remembers inception signatures that were verified before, so that following a rotated persona costs one verify, not two. */
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
 * Verifies a decoded blob: signature by K_e, chain, inception, device keys, and only then the document.
 * A document that cannot be read is no throw: of a higher epoch everything else is still taken (docs/format.md, section 8).
 * @throws {BlobError} PERSONA_KEY_INVALID | SIGNATURE_BAD | INCEPTION_BAD | DEVICE_KEY_IS_SIGNING_KEY
 */
export function verifyBlob(blob: SignedBlob, engine: Engine, inceptions?: InceptionCache): VerifiedBlob {
  for (const key of blob.epoch === 0 ? [blob.personaId] : [blob.personaId, blob.signingKey]) {
    if (!isStrictPublicKey(key)) {
      throw new BlobError('PERSONA_KEY_INVALID', `signing key ${formatHex(key)} is not canonical or of small order`)
    }
  }
  if (!engine.verify(blob.signature, signedMessage(blob.bytes), blob.signingKey)) {
    throw new BlobError(
      'SIGNATURE_BAD',
      `the signature of the blob of persona ${formatHex(blob.personaId)} is not good`,
    )
  }
  const root = chainRoot(blob, engine)
  if (blob.inception !== null) verifyInception(blob.personaId, root, blob.inception, engine, inceptions)
  checkNoSigningKey(blob)
  return completeBlob(blob, root, engine)
}

function completeBlob(blob: SignedBlob, root: Uint8Array, engine: Engine): VerifiedBlob {
  return { ...blob, root, tableHash: tableHash(blob.bytes, engine), content: readDocument(blob) } as VerifiedBlob
}

/**
 * Takes up again a blob that verifyBlob accepted before, from a store that notices every changed byte; nothing is verified a second time.
 * @throws {BlobError} as decodeBlob, which for such bytes is a fault of the store
 */
export function decodeVerified(bytes: Uint8Array, engine: Engine): VerifiedBlob {
  const blob = decodeBlob(bytes)
  return completeBlob(blob, chainRoot(blob, engine), engine)
}

function verifyInception(
  personaId: Uint8Array,
  root: Uint8Array,
  inception: Uint8Array,
  engine: Engine,
  inceptions: InceptionCache | undefined,
): void {
  const key = formatHex(concatBytes(personaId, root, inception))
  if (inceptions?.has(key) === true) return
  if (!engine.verify(inception, inceptionMessage(personaId, root), personaId)) {
    throw new BlobError(
      'INCEPTION_BAD',
      `persona ${formatHex(personaId)} never committed to the chain that this blob shows`,
    )
  }
  inceptions?.add(key)
}

// A signing key in the table would let one key be asked for two purposes; its X25519 image is the same secret.
function checkNoSigningKey(blob: SignedBlob): void {
  if (blob.deviceKeys.length === 0) return
  for (const signing of blob.epoch === 0 ? [blob.personaId] : [blob.personaId, blob.signingKey]) {
    const image = signingKeyImage(signing)
    if (blob.deviceKeys.some((key) => equalBytes(key, signing) || isImageOf(key, image))) {
      throw new BlobError('DEVICE_KEY_IS_SIGNING_KEY', 'a device key of the table is a signing key of the persona')
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

/** A status message judged without any state: its words, and the verified blob if it holds one. */
export interface JudgedStatus {
  readonly words: string
  readonly fragment: boolean
  readonly blob: VerifiedBlob | null
}

/**
 * Judges a status message: find the token, bound it, decode, verify, inflate, parse.
 * @throws {BlobError} every code but NO_TOKEN and those of the document
 */
export function judgeStatus(text: string, engine: Engine, inceptions?: InceptionCache): JudgedStatus {
  const content = parseStatus(text)
  if (content.kind === 'none') return { words: content.words, fragment: content.fragment, blob: null }
  const blob = verifyBlob(decodeBlob(content.blob), engine, inceptions)
  return { words: content.words, fragment: false, blob }
}
