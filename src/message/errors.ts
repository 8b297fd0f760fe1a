/** Why an object, an entry or a receipt is refused (docs/messages.md, section 6). Each code has one cause. */
import { PersonadError } from '../errors/personad-error.ts'

export type MessageErrorCode =
  | 'UNKNOWN_VERSION' // of a later version
  | 'UNKNOWN_KIND' // of a kind that this version does not know
  | 'MALFORMED' // not of the form, though it may have opened
  | 'TOO_LARGE' // over 20 MiB
  | 'CUT_SHORT' // the bytes end before the object does
  | 'NOT_SEALED_TO_ME' // no seal opens with the keys of this device, this sender, persona, app and id
  | 'WRONG_KEY' // the content key is not the one to which the object commits
  | 'TAMPERED' // a box was changed, exchanged, left out or added
  | 'DUPLICATE_KEYS' // a key stands twice
  | 'KEY_NOT_LISTED' // the header lists other keys than those to which the object is sealed
  | 'WRONG_ENTRY' // the entry names another id or kind than the header
  | 'WRONG_APP'
  | 'WRONG_SENDER' // the header names another sender than the inbox does
  | 'NOT_FOR_ME' // it is for another persona, and not from the own one
  | 'UNKNOWN_DEVICE' // the sender's card does not list the device
  | 'WRONG_HASH' // the entry names another object
  | 'WRONG_SIGNATURE' // the device did not sign the header and this content
  | 'WRONG_RECEIPT' // no device to which the object was sealed made the receipt for it

const NEWER = { hint: 'install a newer version' }

export class MessageError extends PersonadError<MessageErrorCode> {
  override readonly name = 'MessageError'
}

/** @param noun object, entry or header */
export function unknownVersion(noun: string): MessageError {
  return new MessageError('UNKNOWN_VERSION', `this program does not know the version of the ${noun}`, NEWER)
}

export function unknownKind(): MessageError {
  return new MessageError('UNKNOWN_KIND', 'this program does not know the kind of the message', NEWER)
}
