/** Channels as a wing: invites, handshakes and lasting lines between apps (docs/channel.md). */
import * as schema from '../../ipc/methods/channels.ts'
import type { OpenWing, Wing } from '../wing/wing.ts'
import { ChannelsError } from './errors.ts'

export const CHANNELS: Wing<schema.ChannelsMethods, null> = {
  schema: schema.CHANNELS,
  section: null,
  open: openChannels,
}

function openChannels(): OpenWing<schema.ChannelsMethods, null> {
  const none = (): never => {
    throw new ChannelsError('CHANNEL_UNKNOWN', 'there is no such channel here', 'list the channels')
  }
  return {
    handlers: {
      'channel.invite': none,
      'channel.accept': none,
      'channel.list': () => ({ channels: [], invites: [], next: null }),
      'channel.show': none,
      'channel.send': none,
      'channel.read': none,
      'channel.ack': none,
      'channel.verify': none,
      'channel.close': none,
      'channel.rename': none,
    },
    status: () => ({
      part: { channels: { locked: false, invites: 0, waiting: 0, open: 0, held: 0, broken: 0 } },
    }),
  }
}
