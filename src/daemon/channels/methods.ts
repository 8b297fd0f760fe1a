/** The methods of channels (docs/ipc.md, section 3, channel). */
import { ChannelError } from '../../channel/exchange/errors.ts'
import { LINK_APP } from '../../core/encoding/app-name.ts'
import type { ChannelsMethods } from '../../ipc/methods/channels.ts'
import type { ChannelView } from '../../ipc/methods/channel-values.ts'
import type { Caller, Handlers } from '../../ipc/methods/method.ts'
import { unknownChannel, type Access } from './access.ts'
import { ackContents, readContents } from './contents.ts'
import { closeAny } from './close-any.ts'
import { boundClosed } from './closed.ts'
import { ChannelsError } from './errors.ts'
import type { End } from './ends/end.ts'
import { CHANNEL, type ChannelRecord } from './records/channel-record.ts'
import { makePairKey, pairKey } from './meet/pair-key.ts'
import type { Runner, Work } from './runner.ts'
import { sendContent } from './send.ts'
import { Underway } from './underway.ts'
import { verify } from './verify.ts'
import { channelViewOf, inviteViewOf } from './views.ts'

const MAX_INVITES = 20 // sanity: open invites of an app; each keeps a place at a carrier
const MAX_CHANNELS = 256 // sanity: of an app; each costs memory and a place that is watched
const PAGE = 100

export function channelHandlers(runner: Runner, access: Access): Handlers<ChannelsMethods> {
  const { means } = runner
  const [newInvites, newJoins] = [new Underway(), new Underway()]
  return {
    'channel.key': async ({ make = false }) => {
      await runner.work()
      return { key: make ? await makePairKey(means) : pairKey(means) }
    },
    'channel.invite': async (params, caller) => {
      const { invites, ends } = await runner.work()
      const app = access.appFor(caller, params.app)
      access.checkWays(caller, params.over)
      access.checkPair(caller, params.with)
      await boundClosed(app, ends, means)
      const isOwn = (each: { readonly app: string }): boolean => each.app === app
      if ([...invites].filter(isOwn).length + newInvites.countOf(app) >= MAX_INVITES)
        throw new ChannelsError(
          'INVITES_FULL',
          `${app} has ${MAX_INVITES} open invites`,
          'close one, or wait until one is used',
        )
      checkRoom(app)
      return await newInvites.count(app, invites.make(app, params))
    },
    'channel.accept': async (params, caller) => {
      const { joins, ends } = await runner.work()
      const app = access.appFor(caller, params.app)
      access.checkWays(caller, params.over)
      access.checkPair(caller, params.with)
      await boundClosed(app, ends, means)
      checkRoom(app)
      return await newJoins.count(app, joins.begin(app, params))
    },
    'channel.list': async ({ app: wish, after, limit = PAGE }, caller) => {
      const work = await runner.work()
      const app = access.seenBy(caller, wish)
      if (app !== null) runner.expect(app)
      const { channels, next } = await pageOf(app, after, limit, runner, work)
      const invites =
        after === undefined
          ? [...work.invites].filter((invite) => (app === null ? invite.app !== LINK_APP : invite.app === app))
          : []
      return { channels, invites: invites.map(inviteViewOf), next }
    },
    'channel.show': async ({ id }, caller) => {
      const work = await runner.work()
      access.check(caller, recordOf(id)?.app)
      return view(id, work)
    },
    'channel.send': async (params, caller) => {
      const end = endOf(params.id, caller, await runner.work())
      return { number: await sendContent(end, params, means) }
    },
    'channel.read': async (params, caller) => {
      const end = endOf(params.id, caller, await runner.work())
      return readContents(end, params, means)
    },
    'channel.ack': async ({ id, upTo }, caller) => {
      const end = endOf(id, caller, await runner.work())
      return { unread: await ackContents(end, upTo, means) }
    },
    'channel.verify': async ({ id, words }, caller) => {
      const work = await runner.work()
      const end = endOf(id, caller, work)
      return await verify(end, words ?? null, caller.role, work, means)
    },
    'channel.close': async ({ id }, caller) => {
      const work = await runner.work()
      // An invite that cannot be read names no app, so the owner alone withdraws it.
      if (caller.role !== 'admin' || work.invites.damaged.get(id) === null)
        access.check(caller, work.invites.get(id)?.app ?? recordOf(id)?.app)
      return { state: await closeAny(id, work, runner) }
    },
    'channel.rename': async ({ id, name }, caller) => {
      const record = recordOf(id)
      access.check(caller, record?.app)
      const { keeper } = means
      await keeper.change(() => {
        const channels = keeper.state.of(CHANNEL)
        const now = channels.get(id)
        if (now === undefined) throw unknownChannel()
        keeper.state.stage(channels.put(id, { ...now, name }))
      })
      return view(id, await runner.work())
    },
  }

  /** Channels that are over do not count: the owner keeps them in the list as long as they like. */
  function checkRoom(app: string): void {
    const { known } = runner
    const ends = [...known.ends].filter((end) => end.app === app && end.summary.state !== 'closed')
    const joins = [...known.joins].filter((join) => join.app === app && !join.isOver)
    // Each open invite may become one.
    const invites = [...known.invites].filter((invite) => invite.app === app)
    const underway = newInvites.countOf(app) + newJoins.countOf(app)
    if (ends.length + joins.length + invites.length + underway < MAX_CHANNELS) return
    const message = `${app} has ${MAX_CHANNELS} channels and open invites`
    throw new ChannelsError('CHANNELS_FULL', message, 'close some that are not used')
  }

  function recordOf(id: string): ChannelRecord | undefined {
    return means.keeper.onDisk.of(CHANNEL).get(id)
  }

  function view(id: string, work: Work): ChannelView {
    const record = recordOf(id)
    if (record === undefined) throw unknownChannel()
    return channelViewOf(id, record, work, means)
  }

  /** The end of a channel that the caller may use. */
  function endOf(id: string, caller: Caller, { ends, joins }: Work): End {
    const record = recordOf(id)
    access.check(caller, record?.app)
    const end = ends.get(id)
    if (end !== undefined) return end
    if (joins.get(id) !== undefined)
      throw new ChannelsError(
        'CHANNEL_WAITS',
        'the other side has not answered the invite yet',
        'wait until the channel is open',
      )
    if (record === undefined) throw unknownChannel()
    // A backup brings the record of a channel without its keys.
    throw new ChannelError('CHANNEL_NOT_OPEN', 'the channel is broken: its keys are lost')
  }
}

async function pageOf(
  app: string | null,
  after: string | undefined,
  limit: number,
  { means }: Runner,
  work: Work,
): Promise<{ channels: ChannelView[]; next: string | null }> {
  const channels: ChannelView[] = []
  const range = after === undefined ? {} : { after }
  for await (const [id, record] of means.keeper.onDisk.of(CHANNEL).iterate(range)) {
    if (app === null ? record.app === LINK_APP : record.app !== app) continue
    if (channels.length === limit) return { channels, next: channels.at(-1)!.id }
    channels.push(channelViewOf(id, record, work, means))
  }
  return { channels, next: null }
}
