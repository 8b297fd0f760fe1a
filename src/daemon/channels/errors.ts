/** The refusals of channels at the daemon. Those of an invite, a handshake and a channel itself are in src/channel (docs/channel.md, section 11). */
import { Refusal } from '../../errors/refusal.ts'

export type ChannelsErrorCode =
  | 'CHANNEL_UNKNOWN' // no channel and no invite of this app has the id
  | 'CHANNEL_APP' // the app has no name for channels, or names another app
  | 'RELAY_FOREIGN' // the app names a relay that the owner did not add
  | 'CHANNEL_WAITS' // the channel has not met its peer yet
  | 'INVITES_FULL' // the app has as many open invites as it may
  | 'CHANNELS_FULL' // the app has as many channels as it may
  | 'CONTENT_FORM' // neither content nor text, or both, or a piece that does not follow
  | 'CONTENT_UNREAD' // the app has not been given the contents that it acknowledges
  | 'LINK_INVITE_OWN' // the invite of a link was made on this device
  | 'LINK_INVITE_FOREIGN' // it is of another persona, or no invite of a link
  | 'WORDS_DIFFER' // the words of the peer are others
  | 'WORDS_NONE' // the words are not known yet, or were compared

export class ChannelsError extends Refusal<ChannelsErrorCode> {
  override readonly name = 'ChannelsError'
}
