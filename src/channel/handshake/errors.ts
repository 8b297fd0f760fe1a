/** Error codes of the begin of a handshake (docs/channel.md, section 11). Each has one cause. */
import { PersonadError } from '../../errors/personad-error.ts'

/** Why this end begins no handshake. */
export type HandshakeErrorCode =
  | 'INVITE_OTHER_APP' // the invite is for another app
  | 'INVITE_EXPIRED'
  | 'INVITE_KEY_BAD' // nothing can be sealed to its key
  | 'MESSAGE_TOO_LARGE' // a card or a description of WebRTC is too large

export class HandshakeError extends PersonadError<HandshakeErrorCode> {
  override readonly name = 'HandshakeError'
}
