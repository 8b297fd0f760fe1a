/** The links of a daemon in this process, over its real channels. */
import { linesOf } from '../../src/daemon/channels/lines.ts'
import { LINK_APP } from '../../src/core/encoding/app-name.ts'
import { Elsewhere } from '../../src/daemon/links/elsewhere.ts'
import { Links } from '../../src/daemon/links/links.ts'
import { Proposals } from '../../src/daemon/links/proposals/proposals.ts'
import { channelWays } from '../../src/daemon/channels/ways.ts'
import { noLines, type LineOffice } from '../../src/daemon/wing/lines.ts'
import type { ChannelView } from '../../src/ipc/methods/channel-values.ts'
import { SharedWork } from '../../src/process/serial.ts'
import { ChannelDaemon } from './channel-daemon.ts'
import { OWN_LAPTOP, type TestKeeper } from './keeper.ts'
import { MemoryCarrier, type MemoryPost } from './memory-carrier.ts'
import { hears } from './rotation.ts'
import { silentLog } from './silent-log.ts'

export class LinkDaemon {
  readonly channels: ChannelDaemon
  readonly links: Links
  readonly elsewhere: Elsewhere
  readonly proposals: Proposals
  #loading: Promise<void> = Promise.resolve()
  readonly #reading: SharedWork

  private constructor(channels: ChannelDaemon) {
    this.channels = channels
    const { keeper } = channels.test
    const { introductions, runner, sealed, clock } = channels
    const ways = channelWays(runner)
    introductions.ways = async () => {
      await runner.work()
      return ways
    }
    const speakers = { mayAs: () => true, namesWith: () => Promise.resolve([]) }
    this.links = new Links({ keeper, sealed: channels.sealed.records, speakers })
    const lines = linesOf(channels.runner)
    const office: LineOffice = { ...noLines(), hasAny: () => Promise.resolve(true), open: () => Promise.resolve(lines) }
    channels.cards.onChanged((_, app) => {
      if (app === LINK_APP) office.changed()
    })
    this.elsewhere = new Elsewhere(this.links, office, silentLog)
    const { links, elsewhere: devices } = this
    this.#reading = new SharedWork(async () => {
      await links.load()
      devices.look()
    })
    this.proposals = new Proposals({
      keeper,
      sealed: sealed.records,
      introductions,
      links,
      devices,
      clock,
      log: silentLog,
    })
    channels.test.onEvent = (event) => {
      channels.cards.onEvent(event)
      channels.runner.onEvent(event)
      this.elsewhere.onEvent(event)
      if (event.event === 'own.changed') this.#load()
      if (event.event === 'channel.changed') this.proposals.wake(event.data.id)
    }
  }

  static async over(test: TestKeeper, post: MemoryPost): Promise<LinkDaemon> {
    return await LinkDaemon.#begin(await ChannelDaemon.over(test, new MemoryCarrier(post)))
  }

  static async #begin(channels: ChannelDaemon): Promise<LinkDaemon> {
    // The channels begin before anybody hears their events here; in the whole daemon all wings hear them.
    const daemon = new LinkDaemon(channels)
    await channels.idle()
    daemon.#load()
    await daemon.#loading
    return daemon
  }

  /** As the wing does, after a start and whenever the own table has changed. */
  #load(): void {
    this.#loading = this.#reading.ask()
  }

  /** Stops, and begins again with what is on disk. */
  async restarted(): Promise<LinkDaemon> {
    return await LinkDaemon.#begin(await this.channels.restarted())
  }

  /** Each link: its apps, and how it stands. */
  get shown(): string[] {
    return this.links.all.map((link) => {
      const [own, other] = link.sides
      return `${own.app} > ${other.app}: ${this.links.stateOf(link)}`
    })
  }

  get persona(): string {
    return this.channels.test.records.own.get('own')!.personaId
  }

  /** The states of its proposals. */
  async states(): Promise<string[]> {
    return (await this.proposals.all()).map(({ shown }) => shown)
  }

  async channelsOf(app: string): Promise<ChannelView[]> {
    return (await this.channels.call('channel.list', { app })).channels
  }

  get alarms(): string[] {
    return this.channels.test.told('alarm').map(({ code }) => code)
  }

  async idle(): Promise<void> {
    await this.channels.idle()
    await this.channels.cards.idle()
    await this.#loading
    await this.elsewhere.idle()
    await this.links.idle()
    await this.proposals.idle()
  }
}

/** Resolves once nothing is left to do at any of the daemons. */
export async function quiet(post: MemoryPost, ...daemons: readonly LinkDaemon[]): Promise<void> {
  for (let sent = -1; sent !== post.sent.length;) {
    sent = post.sent.length
    for (let round = 0; round < 6; round++) for (const daemon of daemons) await daemon.idle()
  }
}

/** The phone has the table of the laptop, with the key for reading that all cards of the persona are made with. */
export async function shareTable(laptop: LinkDaemon, phone: LinkDaemon): Promise<void> {
  await laptop.channels.cards.identity(LINK_APP)
  await hears(phone.channels.test, OWN_LAPTOP, laptop.channels.test)
}

/** Each gets the card of the other, as from a store that both read. */
export async function shareCards(...daemons: readonly LinkDaemon[]): Promise<void> {
  for (const from of daemons)
    for (const { channels, persona } of daemons) {
      const card = from.channels.cards.newest(persona, LINK_APP)
      if (card !== null) await channels.cards.take(card)
    }
}
