/** Why custody refuses a call: the lock, the passphrase, the recovery words and the secrets files. */
import { Refusal } from '../../errors/refusal.ts'

export type CustodyErrorCode =
  | 'PERSONA_EXISTS'
  | 'LOCKED' // needs the signing key, which is sealed
  | 'APPS_LOCKED' // needs the apps key, which is closed
  | 'NO_PASSPHRASE' // nothing to lock, unlock or change
  | 'PASSPHRASE_SET' // there is one already, and changing it needs it
  | 'TOO_MANY_GUESSES' // too many passphrases wait to be tried
  | 'CREDENTIAL_MISSING' // the service was not given the key that seals the secrets
  | 'RECOVERY_CONFIRMED' // the words were confirmed, and the seed is gone
  | 'RECOVERY_ELSEWHERE' // the words were not confirmed, and the seed is on another device
  | 'RECOVERY_LOST' // the words were not confirmed, and the seed that was here is gone
  | 'RECOVERY_MISMATCH'
  | 'SECRETS_MISSING'
  | 'SECRETS_FOREIGN' // the secrets belong to another persona
  | 'KEY_SUPERSEDED' // the head was signed by a later key than the one held here

export class CustodyError extends Refusal<CustodyErrorCode> {
  override readonly name = 'CustodyError'
}
