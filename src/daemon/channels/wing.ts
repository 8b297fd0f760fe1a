/** Channels as a wing: invites, handshakes and lasting lines between apps (docs/channel.md). */
import * as schema from '../../ipc/methods/channels.ts'
import { systemClock, type Clock } from '../../process/pulse.ts'
import type { Host, OpenWing, Wing } from '../wing/wing.ts'
import { Access } from './access.ts'
import { Carriers } from './carriers/carriers.ts'
import { CarrierError } from './carriers/errors.ts'
import { channelFindings, channelsStatus } from './findings.ts'
import { channelHandlers } from './methods.ts'
import { CHANNEL } from './records/channel-record.ts'
import { SEALED_KINDS } from './records/kinds.ts'
import { Runner } from './runner.ts'

export const CHANNELS: Wing<schema.ChannelsMethods, null> = {
  schema: schema.CHANNELS,
  section: null,
  kinds: [CHANNEL],
  sealedKinds: SEALED_KINDS,
  open: openChannels,
}

function openChannels(host: Host): OpenWing<schema.ChannelsMethods, null> {
  const { keeper, sealed, cards, log, appOf } = host
  const runner = new Runner({ keeper, sealed, cards, log, clock: systemClock, ways: carriersOf(host, systemClock) })
  return {
    handlers: channelHandlers(runner, new Access(appOf)),
    start: () => runner.start(),
    onEvent: ({ event, data }) => {
      if (event !== 'locked') return
      if (data.locked) void runner.settle()
      else runner.wakeInvites()
    },
    status: () => {
      const channels = channelsStatus(runner)
      return { part: { channels }, findings: channelFindings(runner).filter(({ severity }) => severity !== 'ok') }
    },
    findings: () => channelFindings(runner),
    close: () => runner.close(),
  }
}

function carriersOf({ netConfig }: Host, clock: Clock): Carriers {
  const wallMs = (): number => Date.now()
  return new Carriers({
    folder: { folders: netConfig.folders, clock, wallMs },
    relay: {
      client: () => {
        throw new CarrierError('CARRIER_AWAY', 'relays are not connected yet', { hint: 'use a folder' })
      },
      token: () => null,
      clock: { nowMs: wallMs, after: (ms, run) => clock.after(ms, run) },
    },
    relays: () => [],
  })
}
