/** Channels in `status` and `doctor`: how many there are, and which need the owner. */
import { LINK_APP } from '../../core/encoding/app-name.ts'
import type { ChannelsStatus } from '../../ipc/methods/channels.ts'
import type { ChannelState } from '../../ipc/methods/channel-values.ts'
import { notice, ok, problem, type Finding } from '../../ipc/shapes/doctor.ts'
import type { End } from './ends/end.ts'
import { CHANNEL } from './records/channel-record.ts'
import type { DamagedBecause } from './records/damaged.ts'
import type { Runner } from './runner.ts'
import { shownState } from './views.ts'

/** The words for codes of carriers and of broken channels. */
const WHY: Readonly<Record<string, string>> = {
  CARRIER_AWAY: 'the folder, the relay or the network of the records cannot be reached',
  CARRIER_FULL: 'the folder, the relay or the record takes nothing more now',
  CARRIER_READ_ONLY: 'nothing can be written in the folder',
  CARRIER_DENIED: 'the relay, the folder or the record takes nothing from here',
  CARRIER_STRANGE: 'the relay or the record gives what it never should',
  RESTORED: 'the state here is a restored or copied one',
  ACK_AHEAD: 'the state here is an old one',
  PEER: 'the other side cannot go on',
  NUMBER_TWICE: 'the other side went back to an old state',
  CLOSED_BODIES: 'nothing of the other side can be opened any more',
  COMMITMENT: 'the first message was not that of the guest who was answered',
}

const HELD: readonly ChannelState[] = ['held', 'suspended', 'unconfirmed']

export function channelsStatus({ known, means }: Runner): ChannelsStatus {
  const { ends, joins, invites } = known
  const isOfApp = ({ app }: { readonly app: string }): boolean => app !== LINK_APP
  const counts = new Map<ChannelState, number>()
  const count = (state: ChannelState): void => void counts.set(state, (counts.get(state) ?? 0) + 1)
  for (const end of ends) if (isOfApp(end)) count(shownState(end, means).state)
  for (const join of joins) if (isOfApp(join)) count(join.state)
  const of = (...states: readonly ChannelState[]): number =>
    states.reduce((sum, state) => sum + (counts.get(state) ?? 0), 0)
  return {
    appsLocked: !means.sealed.key.isOpen,
    invites: [...invites].filter(isOfApp).length,
    waiting: of('waiting', 'meeting'),
    open: of('open'),
    held: of(...HELD),
    broken: of('broken') + ends.damaged.count + joins.damaged.count + invites.damaged.count,
  }
}

export function channelFindings(runner: Runner): Finding[] {
  const { known } = runner
  const { open, waiting, held, broken } = channelsStatus(runner)
  const found = [...[...known.ends].flatMap((end) => findingOf(end, runner) ?? []), ...damagedFindings(runner)]
  if (found.length > 0 || open + waiting + held + broken === 0) return found
  const are = open === 1 ? '1 channel is open' : `${open} channels are open`
  return [ok('CHANNELS', waiting === 0 ? are : `${are}; ${waiting} more without an answer of the other side yet`)]
}

function findingOf(end: End, { means }: Runner): Finding | null {
  // The links between apps tell of theirs.
  if (end.app === LINK_APP) return null
  const { state, reason } = shownState(end, means)
  const name = nameOf(end.id, means)
  const channel = `the channel with ${name}`
  const about = { id: end.id, channel: name }
  if (state === 'broken')
    return problem(
      'CHANNEL_BROKEN',
      `${channel} cannot go on: ${whyOf(reason ?? '')}`,
      'close it, and make a new one by an invite',
      about,
    )
  if (state === 'held') {
    const message = `somebody came with the invite for ${name}, but without its secret part: nothing is sent to them`
    return notice('CHANNEL_HELD', message, 'compare the words with the person that you invited', about)
  }
  if (state === 'suspended' && reason === 'CARD') {
    const message = `${channel} stands still: their persona does not list the device at its other end any more`
    return notice('CHANNEL_SUSPENDED', message, 'ask them by another way; the channel closes after 30 days', about)
  }
  if (state === 'unconfirmed') {
    const message = `${channel} is unconfirmed: their newest card, or their new key, has not reached their device yet`
    const hint = 'ask them to start their daemon; otherwise the channel stands still after seven days'
    return notice('CHANNEL_UNCONFIRMED', message, hint, about)
  }
  if (state === 'open' && end.obstacle !== null)
    return notice(
      'CHANNEL_WAITING',
      `nothing reaches ${name} now: ${whyOf(end.obstacle)}`,
      'the daemon goes on trying',
      about,
    )
  return null
}

function damagedFindings({ known: { ends, joins, invites }, means }: Runner): Finding[] {
  const finding = (what: string, id: string, because: DamagedBecause): Finding => {
    const isLater = because === 'STATE_VERSION'
    const why = isLater ? 'a newer version of this program wrote it' : 'it is damaged'
    const hint = isLater ? 'install the newer version again' : 'close it, and make a new one by an invite'
    const about = { id, channel: id, reason: because }
    return problem('CHANNEL_DAMAGED', `the record of ${what} cannot be read: ${why}`, hint, about)
  }
  return [
    ...[...ends.damaged, ...joins.damaged].map(([id, because]) =>
      finding(`the channel with ${nameOf(id, means)}`, id, because),
    ),
    ...[...invites.damaged].map(([id, because]) => finding(`the invite ${id}`, id, because)),
  ]
}

function whyOf(code: string): string {
  return WHY[code] ?? code
}

/** The name that the owner gave the peer. */
export function nameOf(id: string, { keeper }: Runner['means']): string {
  return keeper.onDisk.of(CHANNEL).get(id)?.name ?? id
}
