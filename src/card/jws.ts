/** Compact JWS (RFC 7515) in the one form that this project writes: a fixed header, a canonical payload, Ed25519 (docs/card.md, section 1). */
import { decodeUtf8, encodeUtf8, formatBase64url, parseBase64url } from '../core/encoding/bytes.ts'
import { formatCanonicalJson, parseCanonicalObject, type JsonObject } from '../core/encoding/canonical-json.ts'
import { CardError } from './errors.ts'

/** One kind of text that is signed: its header, its greatest size, and the beginning of its error codes. */
export interface JwsKind {
  readonly header: string
  /** Characters, each one byte. */
  readonly maxChars: number
  readonly codes: 'CARD' | 'TOKEN'
  /** The kind in messages. */
  readonly noun: string
}

export interface OpenedJws {
  readonly payload: JsonObject
  /** The bytes that the signature covers. */
  readonly signed: Uint8Array
  /** 64 bytes. */
  readonly signature: Uint8Array
}

const SIGNATURE_BYTES = 64

/** The first part of every text of a kind. */
export function headerPart({ header }: JwsKind): string {
  return formatBase64url(encodeUtf8(header))
}

/**
 * Signs a payload.
 * @param sign makes a detached signature, 64 bytes
 * @throws {CardError} CARD_TOO_LARGE | TOKEN_TOO_LARGE, with the number of characters over in `details.over`
 */
export function signJws(kind: JwsKind, payload: JsonObject, sign: (message: Uint8Array) => Uint8Array): string {
  const signed = `${headerPart(kind)}.${formatBase64url(encodeUtf8(formatCanonicalJson(payload)))}`
  const text = `${signed}.${formatBase64url(sign(encodeUtf8(signed)))}`
  checkSize(kind, text)
  return text
}

/**
 * Reads a text without verifying its signature. Whatever it reads, {@link signJws} would write the same.
 * @throws {CardError} the codes of the kind for size, form, header and canonical JSON
 */
export function openJws(kind: JwsKind, text: string): OpenedJws {
  checkSize(kind, text)
  const [header, payload, signature, ...more] = text.split('.')
  const bytes = parseBase64url(signature ?? '')
  const json = parseBase64url(payload ?? '')
  if (more.length > 0 || json === null || bytes?.length !== SIGNATURE_BYTES)
    throw new CardError(`${kind.codes}_FORM`, `the ${kind.noun} is not three parts of base64url`)
  if (header !== headerPart(kind))
    throw new CardError(`${kind.codes}_HEADER`, `the header of the ${kind.noun} must be exactly ${kind.header}`)
  const members = parseCanonicalObject(decodeUtf8(json) ?? '')
  if (members === null)
    throw new CardError(
      `${kind.codes}_NOT_CANONICAL`,
      `the payload of the ${kind.noun} is not canonical JSON (RFC 8785)`,
    )
  return { payload: members, signed: encodeUtf8(`${header}.${payload}`), signature: bytes }
}

function checkSize({ codes, noun, maxChars }: JwsKind, text: string): void {
  const over = text.length - maxChars
  if (over <= 0) return
  const message = `the ${noun} has ${text.length} bytes, ${over} more than the ${maxChars} that it may have`
  throw new CardError(`${codes}_TOO_LARGE`, message, { details: { over } })
}
