/** Why a procedure that moves the signing key stops. */
import { Refusal } from '../../errors/refusal.ts'

export type RotationErrorCode =
  | 'WORDS_NEEDED' // the seed is not on this device
  | 'WORDS_FOREIGN' // another persona's
  | 'NOTHING_TO_FOLLOW' // the key of the head is held
  | 'RECOVERY_UNCONFIRMED' // the seed is nowhere but on this device

export class RotationError extends Refusal<RotationErrorCode> {
  override readonly name = 'RotationError'
}
