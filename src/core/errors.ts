/** Why a status message, blob, document, nickname or table is refused; each code has one cause and a vector (docs/format.md, section 7). */
import { PersonadError } from '../errors/personad-error.ts'

/** The deflate body and its document: of a well-signed blob of a higher epoch everything but this is still taken (docs/format.md, section 8). */
export type DocumentErrorCode =
  | 'DEFLATE_INVALID' // not a stream by RFC 1951, or one that ends early
  | 'DEFLATE_TOO_LARGE' // more than MAX_DOCUMENT_BYTES come out
  | 'DEFLATE_TRAILING_BYTES' // bytes behind the final block
  | 'DOCUMENT_NOT_UTF8'
  | 'DOCUMENT_SYNTAX' // outside of the grammar: anchors, tags, comments, block scalars, several documents, ...
  | 'DOCUMENT_DUPLICATE_KEY' // also when they differ only in case
  | 'DOCUMENT_UNKNOWN_CRITICAL_KEY' // a key ending in "!" that this version does not know
  | 'NAMES_COUNT' // not one nickname a device
  | NicknameErrorCode

export type NicknameErrorCode =
  | 'NICKNAME_EMPTY'
  | 'NICKNAME_TOO_LONG' // code points or bytes
  | 'NICKNAME_NOT_NFC'
  | 'NICKNAME_CHARACTER' // control, bidi control, default ignorable out of place, private use, lone surrogate, a space that is not U+0020
  | 'NICKNAME_UNASSIGNED' // not assigned in Unicode 16.0
  | 'NICKNAME_SPACES' // a space at an end
  | 'NICKNAME_TWICE' // the same as another of the table but for case and what cannot be seen

export type BlobErrorCode =
  | 'NO_TOKEN'
  | 'TOKEN_DAMAGED' // a token goes on with a character that is not base64url
  | 'TOKEN_TWICE'
  | 'TOKEN_TOO_LONG'
  | 'TOKEN_NOT_CANONICAL' // base64url that does not encode back to itself
  | 'BLOB_TRUNCATED'
  | 'BLOB_UNKNOWN_VERSION'
  | 'BLOB_SEALED_UNSUPPORTED'
  | 'BLOB_UNKNOWN_FLAGS'
  | 'BLOB_EPOCH_RANGE'
  | 'BLOB_SEQ_ZERO'
  | 'BLOB_TOO_MANY_DEVICES'
  | 'PERSONA_KEY_INVALID' // K_0 or K_e not canonical or of small order
  | 'DEVICE_KEY_NOT_CANONICAL'
  | 'DEVICE_KEY_LOW_ORDER'
  | 'DEVICE_KEY_TWICE'
  | 'DEVICE_KEY_IS_SIGNING_KEY' // equal to K_0, K_e or the X25519 image of either
  | 'CHAIN_KEY_REUSED' // K_e of a later epoch is K_0
  | 'CHAIN_END' // next is zero before epoch 16, or not zero at it
  | 'SIGNATURE_BAD'
  | 'INCEPTION_BAD'
  | DocumentErrorCode

/** What refuses an edit of the own table before anything is signed. */
export type TableErrorCode =
  | 'TABLE_TOO_LARGE' // the status message would be over MAX_STATUS_BYTES; `bytesOver` says by how much
  | 'DEVICE_UNKNOWN'
  | 'DEVICE_LISTED'
  | 'DEVICE_COMPANION' // it does not chat, so it cannot be the active one
  | 'DEVICE_TOMBSTONED'
  | 'SEQ_EXHAUSTED'

/** Why a contact link is refused (docs/format.md, section 13). */
export type LinkErrorCode =
  | 'LINK_UNKNOWN' // it does not begin as a link does
  | 'LINK_DAMAGED' // not base32, not of its length, or the checksum is another
  | 'LINK_UNKNOWN_VERSION'
  | 'LINK_EPOCH_RANGE' // over MAX_EPOCH
  | 'LINK_KEY_INVALID' // K_0 is not canonical or of small order

export class BlobError<Code extends BlobErrorCode = BlobErrorCode> extends PersonadError<Code> {
  override readonly name = 'BlobError'
}

export class TableError extends PersonadError<TableErrorCode> {
  override readonly name = 'TableError'
  /** Bytes over the limit, for TABLE_TOO_LARGE; 0 otherwise. */
  readonly bytesOver: number

  constructor(code: TableErrorCode, message: string, bytesOver = 0) {
    super(code, message, bytesOver > 0 ? { details: { bytesOver } } : {})
    this.bytesOver = bytesOver
  }
}

export class LinkError extends PersonadError<LinkErrorCode> {
  override readonly name = 'LinkError'
}
