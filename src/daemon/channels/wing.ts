/** Channels as a wing: invites, handshakes and lasting lines between apps (docs/channel.md). */
import * as schema from '../../ipc/methods/channels.ts'
import { systemClock, type Clock } from '../../process/pulse.ts'
import type { Host, OpenWing, Wing } from '../wing/wing.ts'
import { Access } from './access.ts'
import { Carriers } from './carriers/carriers.ts'
import { sayFarewell } from './farewell.ts'
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

async function openChannels(host: Host): Promise<OpenWing<schema.ChannelsMethods, null>> {
  const { keeper, sealed, cards, log, appOf } = host
  const ways = await carriersOf(host, systemClock)
  const runner = new Runner({ keeper, sealed, cards, log, clock: systemClock, ways })
  return {
    handlers: channelHandlers(runner, new Access(appOf)),
    start: () => runner.start(),
    onEvent: (told) => {
      runner.onEvent(told)
      const { event, data } = told
      if (event !== 'locked') return
      if (data.locked) void runner.settle()
      else runner.wakeInvites()
    },
    status: () => {
      const channels = channelsStatus(runner)
      return { part: { channels }, findings: channelFindings(runner).filter(({ severity }) => severity !== 'ok') }
    },
    findings: () => channelFindings(runner),
    farewell: () => sayFarewell(runner),
    close: () => runner.close(),
  }
}

/** Relays are called through personad-net, which starts when a line needs one. */
async function carriersOf({ netConfig, relays }: Host, clock: Clock): Promise<Carriers> {
  const clients = await relays.clients()
  return new Carriers({
    folder: { folders: netConfig.folders, clock, wallMs: () => Date.now() },
    relay: {
      client: (url) => clients.of(url),
      token: (url) => relays.token(url),
      clock: clients.clock,
      checkMs: netConfig.checkSec * 1000,
    },
    relays: () => relays.list().map(({ url }) => url),
  })
}
