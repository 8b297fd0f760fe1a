/** The text inside an object: header, signature, content (docs/messages.md, section 2). */
import { concatBytes } from '../core/encoding/bytes.ts'
import { LABEL_MESSAGE_SIG } from '../core/labels.ts'
import { MessageError } from './errors.ts'
import { formatHeader, parseHeader, type Header } from './header.ts'

const LENGTH_BYTES = 2 // format: u16be before the header
const SIGNATURE_BYTES = 64 // format: Ed25519

/**
 * Writes the part of a text that stands before the content.
 * @param contentHash SHA-256 of the content
 * @param sign signs with the key of the sending device; 64 bytes
 * @throws {MessageError} MALFORMED | DUPLICATE_KEYS
 */
export function formatBeforeContent(
  header: Header,
  contentHash: Uint8Array,
  sign: (message: Uint8Array) => Uint8Array,
): Uint8Array {
  const json = formatHeader(header)
  const lengthAndHeader = concatBytes(Uint8Array.of(json.length >> 8, json.length & 0xff), json)
  return concatBytes(lengthAndHeader, sign(signedBytes(lengthAndHeader, contentHash)))
}

/** The beginning of a text, read and not verified. */
export interface TextStart {
  readonly header: Header
  /** 64 bytes. */
  readonly signature: Uint8Array
  /** The first bytes of the content. */
  readonly content: Uint8Array
  /** The bytes that the signature covers. @param contentHash SHA-256 of the whole content */
  signed(contentHash: Uint8Array): Uint8Array
}

/**
 * Reads the beginning of a text.
 * @param chunk of the first box
 * @throws {MessageError} MALFORMED, and the codes of {@link parseHeader}
 */
export function readTextStart(chunk: Uint8Array): TextStart {
  const headerEnd = LENGTH_BYTES + (chunk[0] ?? 0) * 256 + (chunk[1] ?? 0)
  const end = headerEnd + SIGNATURE_BYTES
  if (chunk.length < end)
    throw new MessageError('MALFORMED', 'header and signature of the message are not whole in the first box')
  const lengthAndHeader = chunk.slice(0, headerEnd)
  return {
    header: parseHeader(lengthAndHeader.subarray(LENGTH_BYTES)),
    signature: chunk.slice(headerEnd, end),
    content: chunk.subarray(end),
    signed: (contentHash) => signedBytes(lengthAndHeader, contentHash),
  }
}

/** The hash stands for the content, so that neither side needs all of it in memory (docs/decisions/0043). */
function signedBytes(lengthAndHeader: Uint8Array, contentHash: Uint8Array): Uint8Array {
  return concatBytes(LABEL_MESSAGE_SIG, lengthAndHeader, contentHash)
}
