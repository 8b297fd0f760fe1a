/** The wing of channels once there is something to do (docs/channel.md). wing.ts loads it with the first invite or channel. */
import type { ChannelsMethods } from '../../ipc/methods/channels.ts'
import type { Finding } from '../../ipc/shapes/doctor.ts'
import { systemClock, type Clock } from '../../process/pulse.ts'
import { expandHome } from '../../process/config-values.ts'
import { defaultVeilidPlaces, dialVeilid, type VeilidPlaces } from '../../record/veilid/dial.ts'
import type { Letters } from '../wing/letters.ts'
import type { ChannelWays } from '../wing/introductions.ts'
import type { Lines } from '../wing/lines.ts'
import type { Host, OpenWing } from '../wing/wing.ts'
import { Access } from './access.ts'
import { Carriers } from './carriers/carriers.ts'
import { recordWays } from './carriers/record-carriers.ts'
import { sayFarewell } from './farewell.ts'
import { channelFindings, channelsStatus } from './findings.ts'
import { linesOf } from './lines.ts'
import { channelHandlers } from './methods.ts'
import { recordFindings } from './record-findings.ts'
import { Reopening } from './reopen.ts'
import { Runner } from './runner.ts'
import { channelWays } from './ways.ts'

/** All of an open wing but its start, which is this call. */
export interface AtWork extends Required<
  Pick<OpenWing<ChannelsMethods, null>, 'handlers' | 'onEvent' | 'status' | 'farewell' | 'close'>
> {
  readonly findings: () => Finding[]
  readonly takeInvite: Letters['take']
  /** Once the channels are open. @throws {CustodyError} APPS_LOCKED */
  readonly ways: () => Promise<ChannelWays>
  readonly lines: Lines
}

/** Opens the channels of this daemon. They begin as soon as the apps key is open. */
export async function openAtWork(host: Host): Promise<AtWork> {
  const { keeper, sealed, cards, log, appOf } = host
  const ownRelays = (): string[] => host.relays.list().map(({ url }) => url)
  const ways = await carriersOf(host, ownRelays, systemClock)
  const runner = new Runner({
    keeper,
    sealed,
    cards,
    log,
    clock: systemClock,
    ways,
    direct: await host.rtc(),
    introductions: host.introductions,
    takers: host.takers,
  })
  const reopening = new Reopening(runner, host.letters)
  runner.onOpened = () => reopening.start()
  runner.start()
  const introduces = channelWays(runner)
  const allFindings = (): Finding[] => [...channelFindings(runner), ...recordFindings(ways.records, runner)]
  return {
    handlers: channelHandlers(runner, new Access(appOf, ownRelays)),
    onEvent: (told) => {
      runner.onEvent(told)
      reopening.onEvent(told)
      const { event, data } = told
      if (event !== 'locked') return
      if (data.locked) void runner.settle()
      else runner.wakeInvites()
    },
    status: () => {
      const channels = channelsStatus(runner)
      return { part: { channels }, findings: allFindings().filter(({ severity }) => severity !== 'ok') }
    },
    findings: allFindings,
    farewell: () => sayFarewell(runner),
    takeInvite: async (letter) => await reopening.take(letter),
    ways: async () => {
      await runner.work()
      return introduces
    },
    lines: linesOf(runner),
    close: async () => {
      await reopening.idle()
      await runner.close()
      await ways.close()
    },
  }
}

/** Relays are called through personad-net, which starts when a line needs one. */
async function carriersOf(host: Host, ownRelays: () => string[], clock: Clock): Promise<Carriers> {
  const { netConfig, relays } = host
  const clients = await relays.clients()
  return new Carriers({
    folder: { folders: netConfig.folders, clock, wallMs: () => Date.now() },
    relay: {
      client: (url) => clients.of(url),
      token: (url) => relays.token(url),
      clock: clients.clock,
      checkMs: netConfig.checkSec * 1000,
    },
    relays: ownRelays,
    records: recordWays({
      engine: host.keeper.engine,
      clock,
      dht: host.net,
      dialVeilid: async () => await dialVeilid(veilidPlaces(host)),
    }),
  })
}

/** The places of the configuration alone; without one, those that the clients of veilid-server try. */
function veilidPlaces({ netConfig: { veilid, veilidSocket }, env }: Host): VeilidPlaces {
  if (veilid === null && veilidSocket === null) return defaultVeilidPlaces(env, expandHome('~/', env))
  return { paths: veilidSocket === null ? [] : [expandHome(veilidSocket, env)], tcp: veilid }
}
