/** Channels in `status` and `doctor`: how many there are, and which need the owner. */
import type { ChannelsStatus } from '../../ipc/methods/channels.ts'
import type { ChannelState } from '../../ipc/methods/channel-values.ts'
import { notice, ok, problem, type Finding } from '../../ipc/shapes/doctor.ts'
import type { Runner } from './runner.ts'

const HELD: readonly ChannelState[] = ['held', 'suspended', 'unconfirmed']

export function channelsStatus({ known, means }: Runner): ChannelsStatus {
  const counts = new Map<ChannelState, number>()
  for (const { summary } of known.ends) counts.set(summary.state, (counts.get(summary.state) ?? 0) + 1)
  for (const { state } of known.joins) counts.set(state, (counts.get(state) ?? 0) + 1)
  const of = (...states: readonly ChannelState[]): number =>
    states.reduce((sum, state) => sum + (counts.get(state) ?? 0), 0)
  return {
    appsLocked: !means.sealed.key.isOpen,
    invites: [...known.invites].length,
    waiting: of('waiting', 'meeting'),
    open: of('open'),
    held: of(...HELD),
    broken: of('broken'),
  }
}

export function channelFindings(runner: Runner): Finding[] {
  const { open, waiting, held, broken } = channelsStatus(runner)
  const found = [...endFindings(runner)]
  if (found.length > 0 || open + waiting + held + broken === 0) return found
  return [
    ok('CHANNELS', `${open === 1 ? '1 channel is' : `${open} channels are`} open, ${waiting} wait for the other side`),
  ]
}

function endFindings({ known }: Runner): Finding[] {
  const found: Finding[] = []
  for (const { id, summary, problem: why } of known.ends) {
    if (summary.state === 'broken')
      found.push(
        problem('CHANNEL_BROKEN', `the channel ${id} cannot go on (${summary.reason})`, 'make a new one by an invite', {
          id,
        }),
      )
    if (summary.state === 'held')
      found.push(
        notice(
          'CHANNEL_HELD',
          `somebody used an invite without its secret part, and waits at the channel ${id}`,
          'compare the words with the person that you invited',
          { id },
        ),
      )
    if (summary.state === 'suspended' && summary.reason === 'CARD')
      found.push(
        notice(
          'CHANNEL_SUSPENDED',
          `the newest card of the peer of the channel ${id} does not list its device: nothing is sent to it`,
          'ask the peer by another way; the channel closes after 30 days',
          { id },
        ),
      )
    if (why !== null && summary.state === 'open')
      found.push(
        notice(
          'CHANNEL_WAITING',
          `nothing reaches the peer of the channel ${id} now (${why})`,
          'the daemon goes on trying',
          {
            id,
          },
        ),
      )
  }
  for (const [id, code] of known.ends.damaged)
    found.push(
      problem(
        'CHANNEL_DAMAGED',
        `the state of the channel ${id} cannot be read (${code})`,
        'make a new one by an invite',
        {
          id,
        },
      ),
    )
  return found
}
