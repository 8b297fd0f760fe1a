/** `persona chat list` and `forget`: the chats that are kept, and those that could begin. */
import { nameOf, personaOf } from '../../core/encoding/chat-content.ts'
import { CHAT_APP } from '../../core/encoding/app-name.ts'
import type { Client } from '../../ipc/client.ts'
import type { ChatView } from '../../ipc/methods/chat.ts'
import { listAll } from '../channels/find.ts'
import { channelState } from '../channels/states.ts'
import { withDaemon } from '../io/connect.ts'
import { print, type Context } from '../io/context.ts'
import { EXIT_DONE } from '../io/errors.ts'
import { countOf, formatTable, formatTime } from '../io/layout.ts'
import { escapeText, showName } from '../io/escape.ts'
import { PersonaNames } from '../io/personas.ts'
import { bold } from '../io/style.ts'
import { takeIncoming } from './incoming.ts'
import { findPeer, peerOf, showPeer } from './peers.ts'

interface ListedChat extends Omit<ChatView, 'lastSec'> {
  /** As people see it, escaped. */
  readonly shown: string
  readonly lastSec: number | null
  readonly state: string
}

export async function list(context: Context): Promise<number> {
  const { chats, rows } = await withDaemon(context, async (client) => {
    const { persona } = await client.call('status')
    // Marks may wait, which are no new lines.
    await takeIncoming(client, persona?.personaId ?? null)
    const { chats } = await client.call('chat.list', {})
    return { chats, rows: await listed(client, chats) }
  })
  print(context, { chats }, formatChats(rows, context.nowSec))
  return EXIT_DONE
}

async function listed(client: Client, kept: readonly ChatView[]): Promise<ListedChat[]> {
  const { channels, invites } = await listAll(client, { app: CHAT_APP })
  const rows = new Map<string, ListedChat>()
  const names = new PersonaNames(client)
  for (const view of kept) {
    const persona = personaOf(view.chat)
    const shown = persona === null ? escapeText(nameOf(view.chat)) : await names.of(persona)
    rows.set(view.chat, { ...view, shown, state: '' })
  }
  for (const channel of channels) {
    const peer = peerOf(channel, channels)
    const row = rows.get(peer.chat) ?? noLines(peer.chat, '')
    const unread = row.unread + channel.unread
    rows.set(peer.chat, { ...row, unread, shown: showPeer(peer), state: channelState(channel) })
  }
  const open = invites.map(({ id, name }) => ({ ...noLines(id, 'invited'), shown: showName(name, null) }))
  return [...rows.values(), ...open]
}

function noLines(chat: string, state: string): ListedChat {
  return { chat, lines: 0, unread: 0, unsent: 0, lastSec: null, shown: '', state }
}

export function formatChats(rows: readonly ListedChat[], nowSec: number): string[] {
  if (rows.length === 0) return ['no chats; to begin one: persona chat invite NAME']
  const figure = (count: number): string => (count === 0 ? '' : String(count))
  const cells = rows.map(({ shown, unread, unsent, lastSec, state }) => [
    shown,
    figure(unread),
    figure(unsent),
    lastSec === null ? '' : formatTime(lastSec, nowSec),
    state,
  ])
  const [headings, ...lines] = formatTable(['NAME', 'NEW', 'UNSENT', 'LAST LINE', 'CHANNEL'], cells)
  return [bold(headings!), ...lines]
}

/** Deletes the lines of a chat here. Channels stay, and so does everything at the other side. */
export async function forget(context: Context, name: string): Promise<number> {
  const { peer, forgotten } = await withDaemon(context, async (client) => {
    const peer = await findPeer(client, name)
    return { peer, forgotten: await client.call('chat.forget', { chat: peer.chat }) }
  })
  const what = `deleted ${countOf(forgotten.lines, 'line')} of the chat with ${showPeer(peer)} from this device`
  print(context, forgotten, [what])
  return EXIT_DONE
}
