/** Channels of the daemon itself between two devices of one persona: their app is one that no caller can use (docs/links.md, section 5). */
import { parseInvite } from '../../channel/invite/invite-text.ts'
import type { Invite } from '../../channel/invite/invite.ts'
import { LINK_APP } from '../../core/encoding/app-name.ts'
import { equalBytes, formatHex } from '../../core/encoding/bytes.ts'
import type { ChannelState } from '../../ipc/methods/channel-values.ts'
import type { Line, Lines, LineState } from '../wing/lines.ts'
import { unknownChannel } from './access.ts'
import { closeAny } from './close-any.ts'
import { ackContents, readContents } from './contents.ts'
import { ChannelsError } from './errors.ts'
import type { End } from './ends/end.ts'
import { CHANNEL } from './records/channel-record.ts'
import type { Runner, Work } from './runner.ts'
import { enterContent } from './send.ts'
import { channelViewOf } from './views.ts'

const STATES: Readonly<Record<ChannelState, LineState | null>> = {
  waiting: 'waiting',
  meeting: 'waiting',
  open: 'open',
  suspended: 'still',
  // The other side has shown the persona, and its newest card is on the way.
  unconfirmed: 'open',
  broken: 'over',
  // It says its last word.
  closing: null,
  closed: 'over',
  gone: 'over',
  // Somebody with the address of an invite and without its secret is nobody.
  held: null,
}

export function linesOf(runner: Runner): Lines {
  const { means } = runner
  const { keeper } = means
  const endOf = async (id: string): Promise<End> => {
    const { ends } = await runner.work()
    const end = ends.get(id)
    if (end === undefined || end.app !== LINK_APP) throw unknownChannel()
    return end
  }
  return {
    list: async () => {
      const work = await runner.work()
      const found: Line[] = []
      // Before the channels: an invite that somebody uses meanwhile may have no channel yet among those that are read.
      for (const { id, app, stored } of work.invites)
        if (app === LINK_APP) found.push({ id, name: stored.name, state: 'invited', device: null })
      for await (const [id, record] of keeper.onDisk.of(CHANNEL).iterate()) {
        if (record.app !== LINK_APP) continue
        const state = isComing(id, work) ? 'waiting' : STATES[channelViewOf(id, record, work, means).state]
        if (state !== null) found.push({ id, name: record.name, state, device: record.peerKey ?? null })
      }
      return found
    },
    listed: () => means.cards.ownDevices(LINK_APP),
    invite: async (name) => {
      const { invites } = await runner.work()
      return await invites.make(LINK_APP, { name, for: keeper.table().personaId })
    },
    accept: async (name, text) => {
      const { invites, joins } = await runner.work()
      const read = parseInvite(text)
      if (read.kind !== 'invite' || !isOwn(read.invite, keeper.table().personaId)) throw foreign()
      const { pub } = read.invite.address
      if ([...invites].some(({ stored }) => equalBytes(stored.place.address.pub, pub)))
        throw new ChannelsError(
          'LINK_INVITE_OWN',
          'the invite was made on this device',
          'use it on another one of yours',
        )
      await joins.begin(LINK_APP, { invite: text, name })
    },
    send: async (id, bytes, key, note) => {
      const end = await endOf(id)
      await end.run((turn) => {
        enterContent(turn, bytes, key)
        if (note !== undefined) turn.alongside.push(note)
      }, bytes.length)
    },
    read: async (id) =>
      readContents(await endOf(id), { after: 0 }, means).contents.map(({ number, content }) => ({
        number,
        bytes: new Uint8Array(Buffer.from(content, 'base64')),
      })),
    ack: async (id, upTo) => void (await ackContents(await endOf(id), upTo, means)),
    close: async (id) => void (await closeAny(id, await runner.work(), runner)),
  }
}

/** The end of a guest who has just come goes to work after its record is on disk. */
function isComing(id: string, { ends, joins }: Work): boolean {
  return [ends, joins].every((each) => each.get(id) === undefined && each.damaged.get(id) === null)
}

/** A link joins two devices of one persona, and no second persona of the same person. */
function isOwn({ app, persona, for: wanted }: Invite, ownId: string): boolean {
  return app === LINK_APP && [persona?.personaId, wanted].every((each) => each && formatHex(each) === ownId)
}

function foreign(): ChannelsError {
  return new ChannelsError(
    'LINK_INVITE_FOREIGN',
    'this is no invite for a link of your persona',
    'make one on your other device',
  )
}
