/** The part of channels in introducing contacts over them (docs/links.md). */
import { submitControl } from '../../channel/exchange/send.ts'
import { close } from '../../channel/exchange/life.ts'
import { CONTROL } from '../../channel/exchange/control.ts'
import type { ChannelState } from '../../ipc/methods/channel-values.ts'
import type { ChannelWays, PersonaChannel } from '../wing/introductions.ts'
import { eraseChannel } from './closed.ts'
import { CHANNEL } from './records/channel-record.ts'
import type { Runner } from './runner.ts'

const OVER: readonly ChannelState[] = ['broken', 'closing', 'closed', 'gone']

export function channelWays(runner: Runner): ChannelWays {
  const { means } = runner
  const { keeper } = means
  return {
    all: () =>
      [...runner.known.ends].flatMap(({ id, summary: { state } }): PersonaChannel[] => {
        const record = keeper.onDisk.of(CHANNEL).get(id)
        if (OVER.includes(state) || !record?.peer || !record.peerKey) return []
        const { app, peer: persona, peerKey: device, name } = record
        return [{ id, app, persona, device, name, isOpen: state === 'open' }]
      }),
    tell: async (channel, { bytes, replaces }, note) => {
      const end = (await runner.work()).ends.get(channel)
      if (end?.summary.state !== 'open') return false
      return await end.run((turn) => {
        if (turn.channel.phase !== 'open' || !turn.state.showsPersona) return false
        turn.step(submitControl(turn.channel, CONTROL.proposal, bytes, replaces))
        turn.alongside.push(note)
        return true
      })
    },
    makeOffer: async ({ app, persona, name }, note) => {
      const { invites } = await runner.work()
      if ((await means.cards.identity(app)) === null) return false
      await invites.make(app, { for: persona, name }, note)
      return true
    },
    setAwake: async (invite, isAwake) => await (await runner.work()).invites.get(invite)?.setAwake(isAwake),
    endOffer: async (invite) => await (await runner.work()).invites.end(invite),
    usedBy: (invite) => runner.known.invites.get(invite)?.claimedBy,
    join: async ({ app, name }, invite, note) => {
      const { joins } = await runner.work()
      await joins.begin(app, { invite, name }, note)
    },
    giveUp: async (channel) => {
      const { ends, joins } = await runner.work()
      if (joins.get(channel) !== undefined) return await joins.remove(channel)
      const end = ends.get(channel)
      if (end === undefined) return
      await end.run((turn) => turn.step(close(turn.channel, turn.nowMs, keeper.engine)))
      await eraseChannel(channel, ends, means)
    },
    stateOf: async (channel) => {
      const { ends, joins } = runner.known
      // The event of a turn comes before its end shows the new state.
      await ends.get(channel)?.run(() => {})
      const state = ends.get(channel)?.summary.state ?? joins.get(channel)?.state
      if (state !== undefined) return state
      // The end of a guest who has just come goes to work after its record is on disk.
      return keeper.onDisk.of(CHANNEL).get(channel) === undefined ? null : 'meeting'
    },
    m2HashOf: (channel) => runner.known.ends.get(channel)?.peek().channel.m2Hash ?? null,
    introduce: async (channel, introduced) =>
      await keeper.change(() => {
        const channels = keeper.state.of(CHANNEL)
        const record = channels.get(channel)
        if (record !== undefined) keeper.state.stage(channels.put(channel, { ...record, introduced }))
      }),
  }
}
