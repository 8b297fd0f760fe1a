/** Error codes of items (docs/announce.md, section 8). Each has one cause and a vector. */
import { PersonadError } from '../../errors/personad-error.ts'

export type ItemErrorCode =
  | 'ITEM_SIGNATURE' // the signature is bad, or seq or lengths exceed BEP 44
  | 'ITEM_NOT_BYTES' // the value is not a byte string of 1..996 bytes
  | 'ITEM_VERSION'
  | 'ITEM_FLAGS' // unknown, or not for this place
  | 'ITEM_LENGTH' // too short for its form
  | 'ITEM_CLOSED' // no key of the reader opens it
  | 'ITEM_PADDING' // opened, but the length or the padding is wrong
  | 'ITEM_OTHER_PLACE' // it is not at a place of this persona's key
  | 'ITEM_OTHER_PERSONA' // its blob is of another persona

export class ItemError extends PersonadError<ItemErrorCode> {
  override readonly name = 'ItemError'
}
