/** Error codes for refused status messages, blobs, documents, nicknames, tables and links. Each code has one cause and a vector (docs/format.md, section 7). */
import { PersonadError } from '../errors/personad-error.ts'

/** Errors in the deflated body and its document. With such an error, the rest of a well-signed blob of a higher epoch still counts (docs/format.md, section 8). */
export type DocumentErrorCode =
  | 'DEFLATE_INVALID' // not a stream of RFC 1951, or cut short
  | 'DEFLATE_TOO_LARGE' // inflates to more than MAX_DOCUMENT_BYTES
  | 'DEFLATE_TRAILING_BYTES' // bytes after the final block
  | 'DOCUMENT_NOT_UTF8'
  | 'DOCUMENT_SYNTAX' // outside the grammar: anchors, tags, comments, block scalars, several documents, ...
  | 'DOCUMENT_DUPLICATE_KEY' // even if the two differ in case
  | 'DOCUMENT_UNKNOWN_CRITICAL_KEY' // a key ending in "!" that this version does not know
  | 'NAMES_COUNT' // not one nickname per device
  | NicknameErrorCode

export type NicknameErrorCode =
  | 'NICKNAME_EMPTY'
  | 'NICKNAME_TOO_LONG' // code points or bytes
  | 'NICKNAME_NOT_NFC'
  | 'NICKNAME_CHARACTER' // control, bidi control, default ignorable out of place, private use, lone surrogate, a space that is not U+0020
  | 'NICKNAME_UNASSIGNED' // not assigned in Unicode 16.0
  | 'NICKNAME_SPACES' // a space at the start or end
  | 'NICKNAME_TWICE' // differs from another in the table only by case and invisible characters

export type BlobErrorCode =
  | 'NO_TOKEN'
  | 'TOKEN_DAMAGED' // a character in the token is not base64url
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
  | 'CHAIN_END' // next is zero before epoch 16, or not zero at epoch 16
  | 'SIGNATURE_BAD'
  | 'INCEPTION_BAD'
  | DocumentErrorCode

/** Why an edit of the own table is refused. Nothing is signed yet when these are thrown. */
export type TableErrorCode =
  | 'TABLE_TOO_LARGE' // the status message would exceed MAX_STATUS_BYTES, by `bytesOver`
  | 'DEVICE_UNKNOWN'
  | 'DEVICE_LISTED'
  | 'DEVICE_COMPANION' // a companion does not chat, so it cannot be the active device
  | 'DEVICE_TOMBSTONED'
  | 'SEQ_EXHAUSTED'

/** Why a contact link is refused (docs/format.md, section 13). */
export type LinkErrorCode =
  | 'LINK_UNKNOWN' // does not begin like a link
  | 'LINK_DAMAGED' // not base32, a wrong length, or a wrong checksum
  | 'LINK_UNKNOWN_VERSION'
  | 'LINK_EPOCH_RANGE' // over MAX_EPOCH
  | 'LINK_KEY_INVALID' // K_0 not canonical or of small order
  | 'LINK_NAME_INVALID' // not a nickname

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
