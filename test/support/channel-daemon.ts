/** The channels of a daemon in this process: a real keeper, sealed records, and carriers that the test chooses. */
import { join } from 'node:path'
import { HeldCards } from '../../src/daemon/cards/held-cards.ts'
import { APP_KEYS } from '../../src/daemon/cards/app-keys.ts'
import { Access } from '../../src/daemon/channels/access.ts'
import type { Ways } from '../../src/daemon/channels/ends/means.ts'
import { SEALED_KINDS as CHAT_KINDS } from '../../src/daemon/chat/kinds.ts'
import type { ContentTakers } from '../../src/daemon/wing/content-takers.ts'
import { channelHandlers } from '../../src/daemon/channels/methods.ts'
import { SEALED_KINDS } from '../../src/daemon/channels/records/kinds.ts'
import { SEALED_KINDS as LINK_KINDS } from '../../src/daemon/links/kinds.ts'
import { Runner } from '../../src/daemon/channels/runner.ts'
import { PROPOSAL_KINDS } from '../../src/daemon/links/proposals/kinds.ts'
import { Sealed } from '../../src/daemon/sealed/sealed.ts'
import { noIntroductions, type Introductions } from '../../src/daemon/wing/introductions.ts'
import type { ChannelsMethods } from '../../src/ipc/methods/channels.ts'
import type { Caller, Handlers, ParamsOf, ResultOf } from '../../src/ipc/methods/method.ts'
import { HandClock } from './hand-clock.ts'
import { TestKeeper, type KeeperStory } from './keeper.ts'
import { MemoryCarrier, type MemoryPost } from './memory-carrier.ts'
import { silentLog } from './silent-log.ts'
import { callerAs } from './caller.ts'

/** The relay of each owner. */
export const OWN_RELAY = 'https://relay.example/'

export class ChannelDaemon {
  readonly test: TestKeeper
  readonly sealed: Sealed
  readonly runner: Runner
  readonly clock: HandClock
  readonly cards: HeldCards
  /** Texts about proposals that come before somebody takes them stay with their senders. */
  readonly introductions: Introductions = {
    ...noIntroductions(),
    take: () => {
      throw new Error('nobody takes texts yet')
    },
  }
  readonly takers: ContentTakers = new Map()
  readonly #handlers: Handlers<ChannelsMethods>
  readonly #ways: Ways

  private constructor(test: TestKeeper, sealed: Sealed, ways: Ways) {
    this.test = test
    this.sealed = sealed
    this.#ways = ways
    this.clock = new HandClock()
    const { keeper } = test
    const reader = test.cardReader
    this.cards = new HeldCards({
      keeper,
      reader,
      sealed: sealed.records,
      stores: null,
      clock: this.clock,
      log: silentLog,
    })
    const { cards } = this
    const { introductions, takers } = this
    this.runner = new Runner({
      keeper,
      sealed: sealed.records,
      cards,
      log: silentLog,
      clock: this.clock,
      ways,
      introductions,
      takers,
    })
    const access = new Access(
      (caller) => APP_NAMES.get(caller) ?? null,
      () => [OWN_RELAY],
    )
    this.#handlers = channelHandlers(this.runner, access)
  }

  static async open(ways: Ways | MemoryPost, story: KeeperStory = {}): Promise<ChannelDaemon> {
    return await ChannelDaemon.over(await TestKeeper.open(story), 'boxes' in ways ? new MemoryCarrier(ways) : ways)
  }

  static async over(test: TestKeeper, ways: Ways): Promise<ChannelDaemon> {
    const sealed = await Sealed.open({
      keeper: test.keeper,
      paths: { apps: join(test.stateDir, 'apps') },
      setting: null,
      log: silentLog,
      kinds: [APP_KEYS, ...SEALED_KINDS, ...PROPOSAL_KINDS, ...LINK_KINDS, ...CHAT_KINDS],
    })
    const daemon = new ChannelDaemon(test, sealed, ways)
    daemon.runner.start()
    await daemon.runner.open()
    // Work that is due at once.
    daemon.clock.turn(0)
    return daemon
  }

  async call<Name extends keyof ChannelsMethods>(
    name: Name,
    params: ParamsOf<ChannelsMethods[Name]>,
    caller: Caller = OWNER,
  ): Promise<ResultOf<ChannelsMethods[Name]>> {
    const handler = this.#handlers[name] as (
      params: unknown,
      caller: Caller,
    ) => ResultOf<ChannelsMethods[Name]> | Promise<ResultOf<ChannelsMethods[Name]>>
    return await handler(params, caller)
  }

  /** Texts of the peer that were not acknowledged, in order. */
  async texts(id: string): Promise<string[]> {
    const { contents } = await this.call('channel.read', { id, after: 0, limit: 500 })
    return contents.map(({ content }) => Buffer.from(content, 'base64').toString())
  }

  /** Stops, and begins again with what is on disk. @param whileDown runs in between */
  async restarted(whileDown: () => void = () => {}): Promise<ChannelDaemon> {
    await this.runner.close()
    whileDown()
    if (this.#ways instanceof MemoryCarrier) this.#ways.post.carriers.delete(this.#ways)
    const ways = this.#ways instanceof MemoryCarrier ? new MemoryCarrier(this.#ways.post) : this.#ways
    return await ChannelDaemon.over(await this.test.reopened(), ways)
  }

  /** Moves the time of all its clocks, and rings what is due. */
  later(ms: number): void {
    this.test.later(ms / 1000)
    this.clock.turn(ms)
  }

  async idle(): Promise<void> {
    await this.runner.idle()
  }
}

const APP_NAMES = new WeakMap<Caller, string>()

export const OWNER: Caller = callerAs('admin')

/** A connection of an app with this name; without a name, of one that has given no token. */
export function appCaller(name: string | null): Caller {
  const made = callerAs('app')
  if (name !== null) APP_NAMES.set(made, name)
  return made
}

/** Resolves once nothing is left to do at any of the daemons. */
export async function settle(post: MemoryPost, ...daemons: readonly ChannelDaemon[]): Promise<void> {
  for (let sent = -1; sent !== post.sent.length;) {
    sent = post.sent.length
    for (const daemon of daemons) await daemon.idle()
  }
}

export interface TwoDaemons {
  readonly host: ChannelDaemon
  readonly guest: ChannelDaemon
  readonly hostId: string
  readonly guestId: string
}

/** Two daemons with a channel that is open at both ends. */
export async function openChannel(post: MemoryPost, host: ChannelDaemon, guest: ChannelDaemon): Promise<TwoDaemons> {
  const { invite } = await host.call('channel.invite', { name: 'Bob' })
  const { id: guestId } = await guest.call('channel.accept', { invite, name: 'Alice' })
  await settle(post, host, guest)
  const { channels } = await host.call('channel.list', {})
  return { host, guest, hostId: channels.at(-1)!.id, guestId }
}
