/** Why a question or an edit about a contact is refused. */
import { Refusal } from '../../errors/refusal.ts'

export type ContactErrorCode =
  | 'CONTACT_IS_OWN' // the owner cannot be their own contact
  | 'CONTACT_PROVISIONAL' // it has no persona yet
  | 'CONTACT_FORGOTTEN' // an import does not bring back whom the owner forgot
  | 'CONTACT_HAS_PERSONA' // only friends without one are joined by hand
  | 'ALREADY_JOINED'
  | 'TOO_MANY_JOINED'
  | 'DEVICE_CONFIRMED' // it is the contact's by its own word
  | 'CHAIN_DIFFERS' // a link names another chain for a known PersonaID
  | 'NUMBER_MISMATCH' // a safety number or link is not the contact's
  | 'NOTHING_PENDING'
  | 'PENDING_CHANGED' // since the owner looked at it
  | 'OWN_PERSONA' // where a contact is meant

export class ContactError extends Refusal<ContactErrorCode> {
  override readonly name = 'ContactError'
}
