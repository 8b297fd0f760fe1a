/** The proposals of a daemon in this process, over the channels of channel-daemon.ts: its clock and its links are in the hand of the test. */
import { Proposals } from '../../src/daemon/links/proposals/proposals.ts'
import type { LinksHere } from '../../src/daemon/links/proposals/means.ts'
import { channelWays } from '../../src/daemon/channels/ways.ts'
import type { ChannelView } from '../../src/ipc/methods/channel-values.ts'
import { ChannelDaemon, settle } from './channel-daemon.ts'
import type { MemoryPost } from './memory-carrier.ts'
import { silentLog } from './silent-log.ts'

export const FIRST_APP = 'chat'
export const SECOND_APP = 'org.example.second'

export class ProposalDaemon {
  readonly daemon: ChannelDaemon
  readonly proposals: Proposals
  isLinked = false

  constructor(daemon: ChannelDaemon) {
    this.daemon = daemon
    const { introductions, runner, test, sealed, clock } = daemon
    const ways = channelWays(runner)
    introductions.ways = async () => {
      await runner.work()
      return ways
    }
    const isLinked = (): boolean => this.isLinked
    const links: LinksHere = {
      get all() {
        return isLinked() ? [{ id: 'link' }] : []
      },
      isReady: true,
      targetsOf: (app) => (app === FIRST_APP && this.isLinked ? [{ app: SECOND_APP }] : []),
      targetsElsewhere: () => [],
      isLinked,
      appsOf: () => null,
      elsewhere: () => null,
      receiving: (app, other) =>
        app === FIRST_APP && other === SECOND_APP && this.isLinked ? { how: 'ask', aDay: 20 } : null,
      onChange: () => () => {},
    }
    this.proposals = new Proposals({
      keeper: test.keeper,
      sealed: sealed.records,
      introductions,
      links,
      devices: { send: () => Promise.resolve(false), onWords: null },
      clock,
      log: silentLog,
    })
    test.onEvent = (event) => {
      daemon.cards.onEvent(event)
      runner.onEvent(event)
      if (event.event === 'channel.changed') this.proposals.wake(event.data.id)
    }
  }

  get persona(): string {
    return this.daemon.test.records.own.get('own')!.personaId
  }

  link(isLinked: boolean): void {
    this.isLinked = isLinked
    this.proposals.wake()
  }

  async accept(other: ProposalDaemon): Promise<void> {
    await this.proposals.answer(SECOND_APP, other.persona, 'accepted')
  }

  async states(): Promise<string[]> {
    return (await this.proposals.all()).map(({ shown }) => shown)
  }

  async channels(): Promise<ChannelView[]> {
    return (await this.daemon.call('channel.list', { app: SECOND_APP })).channels
  }
}

/** Everything that waits is done, at all daemons. */
export async function quiet(post: MemoryPost, ...all: readonly ProposalDaemon[]): Promise<void> {
  for (let round = 0; round < 8; round++) {
    await settle(post, ...all.map(({ daemon }) => daemon))
    for (const { proposals } of all) await proposals.idle()
  }
}

/** Days pass at these daemons, and all that is due is done. */
export async function days(count: number, post: MemoryPost, ...all: readonly ProposalDaemon[]): Promise<void> {
  for (let day = 0; day < count; day++) {
    for (const { daemon } of all) daemon.later(86_400_000)
    await quiet(post, ...all)
  }
}
