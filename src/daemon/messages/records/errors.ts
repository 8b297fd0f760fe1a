/** The refusals of messages at the daemon. Those of an object, an entry or a receipt are in src/message (docs/messages.md, section 6). */
import { Refusal } from '../../../errors/refusal.ts'

export type MessagesErrorCode =
  | 'MESSAGE_APP' // the app has no name for messages, or names another app
  | 'MESSAGE_FORM' // neither content nor text, or both, or a piece that does not follow
  | 'MESSAGE_UNREAD' // the app acknowledges messages that have not come
  | 'MESSAGE_NO_PERSONA' // the owner has no persona, and messages are between personas
  | 'MESSAGE_NO_STORE' // the owner has said nowhere where messages lie, and has no relay
  | 'MESSAGE_NO_CARD' // the recipient has no card for the app, or none is found
  | 'MESSAGE_NO_INBOX' // the recipient's card names no inbox
  | 'MESSAGE_BLOCKED' // the owner blocks the recipient
  | 'MESSAGE_SELF' // to the own persona
  | 'MESSAGES_FULL' // too much of this app waits for a store
  | 'MESSAGE_GONE' // no store of the sender has the object
  | 'MESSAGE_NO_DEVICE' // the card lists no device, or lacks the one that an entry or a receipt is for
  | 'MESSAGE_NO_REQUEST' // nobody of this PersonaID has asked

export class MessagesError extends Refusal<MessagesErrorCode> {
  override readonly name = 'MessagesError'
}

export function badForm(message: string, hint: string): MessagesError {
  return new MessagesError('MESSAGE_FORM', message, hint)
}
