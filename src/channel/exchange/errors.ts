/** Error codes of channels (docs/channel.md, section 11). Each has one cause. */
import { PersonadError } from '../../errors/personad-error.ts'

export type ChannelErrorCode =
  | 'CHANNEL_NOT_OPEN' // it is broken or closed
  | 'CONTENT_TOO_LARGE'
  | 'OUTBOX_FULL' // the peer has not acknowledged enough
  | 'MOVE_WAITS' // the last move is not finished
  | 'STATE_VERSION' // a stored state of a version that is not known
  | 'STATE_DAMAGED' // a stored state that is not whole

export class ChannelError extends PersonadError<ChannelErrorCode> {
  override readonly name = 'ChannelError'
}
