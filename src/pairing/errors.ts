/** Errors of pairing codes and messages; each code has one cause (docs/pairing.md). */
import { PersonadError } from '../errors/personad-error.ts'

export type PairingErrorCode =
  | 'PAIRING_CODE_LENGTH' // not twelve words
  | 'PAIRING_CODE_UNKNOWN_WORD'
  | 'PAIRING_CODE_CHECKSUM'
  | 'PAIRING_URI' // starts like a pairing URI but is not one
  | 'PAIRING_HANDSHAKE' // a different code, or bytes altered on the way: nobody can tell the two apart
  | 'PAIRING_MESSAGE' // a message after the handshake is altered, repeated, missing, or of an unexpected kind
  | 'PAIRING_TOO_LARGE' // more data than one pairing may move

export class PairingError<Code extends PairingErrorCode = PairingErrorCode> extends PersonadError<Code> {
  override readonly name = 'PairingError'
}
