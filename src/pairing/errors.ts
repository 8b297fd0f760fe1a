/** Why a code or a message of a pairing is refused; each code has one cause (docs/pairing.md). */
import { PersonadError } from '../errors/personad-error.ts'

export type PairingErrorCode =
  | 'PAIRING_CODE_LENGTH' // not twelve words
  | 'PAIRING_CODE_UNKNOWN_WORD'
  | 'PAIRING_CODE_CHECKSUM'
  | 'PAIRING_URI' // begins as a pairing URI and does not go on as one
  | 'PAIRING_HANDSHAKE' // another code, or bytes altered on the way: nobody can tell the two apart
  | 'PAIRING_MESSAGE' // behind the handshake: altered, repeated, left out, or of a kind that has no place there
  | 'PAIRING_TOO_LARGE' // more than one pairing may move

export class PairingError<Code extends PairingErrorCode = PairingErrorCode> extends PersonadError<Code> {
  override readonly name = 'PairingError'
}
