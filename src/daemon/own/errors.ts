/** Why an edit of the owner's persona, a rotation or a status message is refused. */
import { Refusal } from '../../errors/refusal.ts'

export type OwnPersonaErrorCode =
  | 'KEY_SUPERSEDED' // the head was signed by a later key than the one held here
  | 'OWN_DEVICE_UNLISTED' // a sibling's table leaves out the device that this daemon runs for
  | 'RESTORE_UNRECONCILED' // the state was put back, and may be behind what friends have
  | 'EPOCH_UNSURE' // no copy of the own blob was read lately, so a rotation elsewhere may not be known
  | 'EPOCH_USED'
  | 'EPOCHS_EXHAUSTED'
  | 'ROTATION_TOO_LARGE' // more devices than fit at the new epoch
  | 'PERSONA_SUCCEEDED' // another device made a successor with the recovery words
  | 'NO_STATEMENT' // the own table names no persona that it follows
  | 'PLAN_CHANGED' // the table is another one than the owner was shown
  | 'WORDS_TOO_LONG'
  | 'NOT_ANNOUNCED' // a short status would name a table that is not announced
  | 'DEVICE_OF_CONTACT'
  | 'ERASE_MISMATCH' // the digits are not those of the persona here
  | 'SIBLING_NO_TABLE' // a text to sync from, without a token
  | 'SIBLING_FOREIGN' // another persona's

export class OwnPersonaError extends Refusal<OwnPersonaErrorCode> {
  override readonly name = 'OwnPersonaError'
}
