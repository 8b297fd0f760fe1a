/** Why a step of a pairing is refused. */
import { Refusal } from '../../errors/refusal.ts'

export type PairingStateErrorCode =
  | 'PAIRING_BUSY' // another pairing is in progress
  | 'PAIRING_NONE' // no pairing is in progress
  | 'PAIRING_EXPIRED'
  | 'PAIRING_TRIES' // three handshakes failed, and the code is used up
  | 'PAIRING_ORDER' // the call does not fit the state of the pairing
  | 'PAIRING_VERSION' // the other side pairs in an older way, or this version cannot read its greeting
  | 'PAIRING_OTHER_PERSONA' // the other device has another persona than this one
  | 'PAIRING_OLDER_KEY' // the other device has a superseded key
  | 'PAIRING_PASSPHRASE' // this device has a persona already, whose passphrase stays

export class PairingStateError extends Refusal<PairingStateErrorCode> {
  override readonly name = 'PairingStateError'
}
