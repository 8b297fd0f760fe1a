/** Why a step of a pairing is refused. */
import { Refusal } from '../../errors/refusal.ts'

export type PairingStateErrorCode =
  | 'PAIRING_BUSY' // one is under way
  | 'PAIRING_NONE' // none is under way
  | 'PAIRING_EXPIRED'
  | 'PAIRING_TRIES' // three handshakes failed, and the code is dead
  | 'PAIRING_ORDER' // not the time for this call
  | 'PAIRING_VERSION' // the other side speaks in a way that is not known here
  | 'PAIRING_OTHER_PERSONA' // than the one that is here
  | 'PAIRING_OLDER_KEY' // the other side's key is the superseded one
  | 'PAIRING_PASSPHRASE' // given for a key that is sealed already

export class PairingStateError extends Refusal<PairingStateErrorCode> {
  override readonly name = 'PairingStateError'
}
