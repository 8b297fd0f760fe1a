/** Error codes of the engines, the recovery words, sealed files and backups. Each code has one cause. */
import { PersonadError } from '../errors/personad-error.ts'

export type CryptoErrorCode =
  | 'ENGINE_UNAVAILABLE' // the caller insisted on libsodium, and it does not load
  | 'ARGUMENT_LENGTH' // a key, seed, nonce or salt of the wrong length: a bug in the calling code
  | 'EPOCH_RANGE' // no key of that epoch exists
  | 'ARGON2_COST' // outside the range of Argon2id
  | 'ARGON2_FAILED' // usually not enough memory
  | 'WORDS_COUNT'
  | 'WORDS_UNKNOWN'
  | 'WORDS_CHECKSUM'
  | 'BACKUP_NOT_ONE' // does not begin like a backup
  | 'BACKUP_UNKNOWN_VERSION'
  | 'BACKUP_CUT' // its end is missing
  | 'BACKUP_DAMAGED' // altered, swapped or added bytes
  | SealErrorCode

export type SealErrorCode =
  | 'SEAL_NOT_SEALED' // does not begin like a sealed file
  | 'SEAL_UNKNOWN_VERSION'
  | 'SEAL_TRUNCATED' // shorter than its header says
  | 'SEAL_MODE' // another mode than the caller asked for, or an unknown one
  | 'SEAL_COST_REFUSED' // Argon2id parameters out of bounds
  | 'SEAL_PASSPHRASE_UNUSABLE' // empty, or has characters that another Unicode version could encode differently
  | 'SEAL_WRONG_PASSPHRASE' // or altered bytes: the two look the same
  | 'SEAL_WRONG_KEY' // or altered bytes, likewise
  | 'SEAL_DAMAGED' // checksum of an unsealed file does not match

export class CryptoError<Code extends CryptoErrorCode = CryptoErrorCode> extends PersonadError<Code> {
  override readonly name = 'CryptoError'
}
