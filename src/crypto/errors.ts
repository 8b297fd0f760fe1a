/** Why an engine, the recovery words or a sealed file are refused; each code has one cause. */
import { PersonadError } from '../errors/personad-error.ts'

export type CryptoErrorCode =
  | 'ENGINE_UNAVAILABLE' // libsodium was asked for by name and does not load
  | 'ARGUMENT_LENGTH' // a key, seed, nonce or salt that has not its length: a mistake of the calling code
  | 'EPOCH_RANGE' // no key of that epoch exists
  | 'ARGON2_COST' // outside of what Argon2id is defined for
  | 'ARGON2_FAILED' // most of all, not enough memory
  | 'WORDS_COUNT'
  | 'WORDS_UNKNOWN'
  | 'WORDS_CHECKSUM'
  | 'BACKUP_NOT_ONE' // does not begin as a backup does
  | 'BACKUP_UNKNOWN_VERSION'
  | 'BACKUP_CUT' // lacks its end
  | 'BACKUP_DAMAGED' // altered, exchanged or added bytes
  | SealErrorCode

export type SealErrorCode =
  | 'SEAL_NOT_SEALED' // does not begin as a sealed file does
  | 'SEAL_UNKNOWN_VERSION'
  | 'SEAL_TRUNCATED' // shorter than its own header says
  | 'SEAL_MODE' // sealed in another way than it was asked to be opened, or in none that is known
  | 'SEAL_COST_REFUSED' // Argon2id parameters out of bounds
  | 'SEAL_PASSPHRASE_UNUSABLE' // empty, or with characters that another Unicode version would spell differently
  | 'SEAL_WRONG_PASSPHRASE' // or altered bytes: nobody can tell the two apart
  | 'SEAL_WRONG_KEY' // likewise
  | 'SEAL_DAMAGED' // an unsealed file whose checksum does not match

export class CryptoError<Code extends CryptoErrorCode = CryptoErrorCode> extends PersonadError<Code> {
  override readonly name = 'CryptoError'
}
