/** Channels and invites as apps and the owner see them (docs/ipc.md, section 3, channel). */
import { formatHex } from '../../core/encoding/bytes.ts'
import { wordAt } from '../../crypto/word-list.ts'
import type { ChannelView, InviteView } from '../../ipc/methods/channel-values.ts'
import { standingOf } from './card-watch.ts'
import { wholeUpTo } from './contents.ts'
import type { End } from './ends/end.ts'
import type { GuestJoin } from './meet/guest-join.ts'
import type { HostInvite } from './meet/host-invite.ts'
import type { Means } from './ends/means.ts'
import type { ChannelRecord } from './records/channel-record.ts'
import type { Work } from './runner.ts'

export function wordsOf(indices: readonly number[] | null): string[] | null {
  return indices === null ? null : indices.map(wordAt)
}

/** Shows a channel: an end, a guest that waits, or what is left of a channel that was restored. */
export function channelViewOf(id: string, record: ChannelRecord, { ends, joins }: Work, means: Means): ChannelView {
  const end = ends.get(id)
  if (end !== undefined) return endView(end, record, means)
  const join = joins.get(id)
  if (join !== undefined) return joinView(join, record)
  return { ...base(id, record), state: 'broken', reason: ends.damaged.get(id) ?? joins.damaged.get(id) ?? 'RESTORED' }
}

/** An open end whose peer has rotated, and whose new card has not come, is unconfirmed. */
export function shownState({ id, summary }: End, means: Means): Pick<ChannelView, 'state' | 'reason'> {
  const { state, reason } = summary
  const isUnconfirmed = state === 'open' && standingOf(id, means) === 'unconfirmed'
  return isUnconfirmed ? { state: 'unconfirmed', reason: 'CARD' } : { state, reason }
}

function base(id: string, record: ChannelRecord): ChannelView {
  return {
    id,
    app: record.app,
    name: record.name,
    peer: { persona: record.peer, name: record.peerName },
    role: record.role,
    introduced: record.introduced ?? null,
    state: 'waiting',
    reason: null,
    words: null,
    verified: record.areWordsCompared,
    madeSec: record.madeSec,
    unread: 0,
    received: 0,
    waiting: 0,
    lastReceivedSec: null,
    lastDeliveredSec: null,
    carriers: [],
    direct: null,
    refused: 0,
  }
}

function endView(end: End, record: ChannelRecord, means: Means): ChannelView {
  const state = end.peek()
  const { channel, places, lastReceivedSec, lastDeliveredSec, ackedIn } = state
  return {
    ...base(end.id, record),
    ...shownState(end, means),
    words: wordsOf(channel.words),
    unread: wholeUpTo(state) - ackedIn,
    received: wholeUpTo(state),
    waiting: channel.outbox.length,
    lastReceivedSec,
    lastDeliveredSec,
    direct: end.direct,
    carriers: (places.next ?? places.current).address.where.map(({ url }) => url),
    refused: channel.refused,
  }
}

function joinView(join: GuestJoin, record: ChannelRecord): ChannelView {
  const { place, guest } = join.stored
  return {
    ...base(join.id, record),
    state: join.state,
    reason: join.reason,
    carriers: place.address.where.map(({ url }) => url),
    refused: guest.refused,
  }
}

export function inviteViewOf({ id, stored }: HostInvite): InviteView {
  const { name, place, host } = stored
  const { app, expiresAtSec, for: wanted } = host.invite
  return {
    id,
    app,
    name,
    expiresAtSec,
    for: wanted === undefined ? null : formatHex(wanted),
    where: place.address.where.map(({ url }) => url),
    refused: host.refused,
  }
}
