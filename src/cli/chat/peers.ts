/** The people of chats: each is known by a persona, or by the name of a channel where there is none. */
import { chatOf } from '../../core/encoding/chat-content.ts'
import { CHAT_APP } from '../../core/encoding/app-name.ts'
import type { Client } from '../../ipc/client.ts'
import type { ChannelView } from '../../ipc/methods/channel-values.ts'
import { parseQuery } from '../io/keys.ts'
import { CliError } from '../io/errors.ts'
import { escapeText, showName } from '../io/escape.ts'
import { folded, listAll, unused } from '../channels/find.ts'

export interface Peer {
  /** Names the chat at the daemon. */
  readonly chat: string
  /** The local name. */
  readonly name: string
  /** PersonaID; null for a peer without a persona. */
  readonly persona: string | null
  /** Channels of the chat with them, in any state. */
  readonly channels: readonly ChannelView[]
}

/** The peer at the other end of a channel, with all other channels to them. */
export function peerOf({ name, peer: { persona } }: ChannelView, all: readonly ChannelView[]): Peer {
  const isTheirs = (other: ChannelView): boolean =>
    persona === null
      ? other.peer.persona === null && folded(other.name) === folded(name)
      : other.peer.persona === persona
  return { chat: chatOf(persona, name), name, persona, channels: all.filter(isTheirs) }
}

/** The end of a key stands beside a name that belongs to a persona. */
export function showPeer({ name, persona }: Pick<Peer, 'name' | 'persona'>): string {
  return showName(name, persona)
}

export async function chatChannels(client: Client): Promise<readonly ChannelView[]> {
  return (await listAll(client, { app: CHAT_APP })).channels
}

/**
 * The peer with this name: that of a channel of chats, of a contact, or of a chat that is kept.
 * @throws {CliError} CHAT_UNKNOWN | INVITE_UNUSED
 */
export async function findPeer(client: Client, name: string): Promise<Peer> {
  const { channels, invites } = await listAll(client, { app: CHAT_APP })
  const isNamed = (each: { readonly id: string; readonly name: string }): boolean =>
    each.id === name || folded(each.name) === folded(name)
  const channel = channels.find(isNamed)
  if (channel !== undefined) return peerOf(channel, channels)
  const { contact } = await client.call('lookup', { query: parseQuery(name) })
  const persona = contact?.personaId ?? null
  if (contact !== null && persona !== null) {
    const theirs = channels.filter(({ peer }) => peer.persona === persona)
    return { chat: chatOf(persona, contact.name), name: contact.name, persona, channels: theirs }
  }
  const chat = chatOf(null, name)
  const { chats } = await client.call('chat.list', {})
  if (chats.some((kept) => kept.chat === chat)) return { chat, name, persona: null, channels: [] }
  if (invites.some(isNamed)) throw unused(name)
  throw new CliError(
    'CHAT_UNKNOWN',
    `there is no chat with ${escapeText(name)}, and no contact of this name has a persona`,
    { details: { name } },
  )
}
