/** Why a procedure that changes the signing key is refused. */
import { Refusal } from '../../errors/refusal.ts'

export type RotationErrorCode =
  | 'WORDS_NEEDED' // the seed is not on this device
  | 'WORDS_FOREIGN' // the words belong to another persona
  | 'NOTHING_TO_FOLLOW' // this device holds the key of the head
  | 'RECOVERY_UNCONFIRMED' // the only copy of the seed may be on this device

export class RotationError extends Refusal<RotationErrorCode> {
  override readonly name = 'RotationError'
}
