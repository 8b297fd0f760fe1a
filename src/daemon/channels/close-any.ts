/** Closes a channel, gives up a handshake, or withdraws an invite. */
import { close } from '../../channel/exchange/life.ts'
import type { ChannelState } from '../../ipc/methods/channel-values.ts'
import { eraseChannel, unlistChannel } from './closed.ts'
import type { Runner, Work } from './runner.ts'

/** Closes whatever has the id. Something that is over already is removed from the list. */
export async function closeAny(id: string, { ends, invites, joins }: Work, { means }: Runner): Promise<ChannelState> {
  if (invites.get(id) !== undefined || invites.damaged.get(id) !== null) {
    await invites.end(id)
    return 'closed'
  }
  if (joins.get(id) !== undefined) {
    await joins.remove(id)
    return 'closed'
  }
  const end = ends.get(id)
  const isOver = end === undefined || ['closed', 'broken', 'gone'].includes(end.summary.state)
  if (!isOver) {
    await end.run((turn) => turn.step(close(turn.channel, turn.nowMs, means.keeper.engine)))
    return end.summary.state
  }
  if (end === undefined) await eraseChannel(id, ends, means)
  else await unlistChannel(end, means)
  joins.damaged.forget(id)
  return 'closed'
}
