/** Takes what has come by channels and messages into the lines that the daemon keeps. A copy that came by another way changes nothing. */
import { chatOf, decodeContent, type ChatContent } from '../../core/encoding/chat-content.ts'
import { CHAT_APP } from '../../core/encoding/app-name.ts'
import type { Client } from '../../ipc/client.ts'
import type { ChannelView } from '../../ipc/methods/channel-values.ts'
import type { ReadContent } from '../../ipc/methods/channels.ts'
import type { ReadMessage } from '../../ipc/methods/messages.ts'
import { eachContent, type FirstPiece } from '../contents/pieces.ts'
import { hasCode } from '../io/errors.ts'
import { countOf } from '../io/layout.ts'
import { chatChannels, peerOf } from './peers.ts'

/** Called once a line of a chat is on disk, and before the daemon hears that it was taken: a person waits for it. */
type OnKept = (chat: string) => Promise<void>

/**
 * Takes all that waits. A content is acknowledged once its line is on disk: after a crash it comes again, and its id makes it one.
 * @returns the channels of chats
 */
export async function takeIncoming(
  client: Client,
  ownId: string | null,
  onKept: OnKept = async () => {},
): Promise<readonly ChannelView[]> {
  const channels = await chatChannels(client)
  for (const channel of channels)
    if (channel.unread > 0) await takeContents(client, channel.id, peerOf(channel, channels).chat, onKept)
  if (ownId !== null) await takeMessages(client, ownId, onKept)
  return channels
}

/** Takes what waits in one channel, as {@link takeIncoming} does. */
async function takeContents(client: Client, id: string, chat: string, onKept: OnKept): Promise<void> {
  await eachContent<ReadContent>(
    0,
    async (after) => await client.call('channel.read', { id, after }),
    async (content) => {
      await take(client, { chat, mine: false, atSec: content.atSec, otherId: `${id}-${content.number}` }, content)
      await onKept(chat)
      await client.call('channel.ack', { id, upTo: content.number })
    },
  )
}

async function takeMessages(client: Client, ownId: string, onKept: OnKept): Promise<void> {
  await eachContent<ReadMessage>(
    0,
    async (after) => {
      const { messages, next } = await client.call('message.read', { app: CHAT_APP, after })
      return { contents: messages, next }
    },
    async (message) => {
      const mine = message.from === ownId
      const chat = chatOf(mine ? message.to : message.from, '')
      const place = { chat, mine, atSec: message.atSec, otherId: `message-${message.number}` }
      if (message.failed === null) await take(client, place, message)
      else await keepOther(client, place, `(a message that cannot be read: ${message.failed})`)
      await onKept(chat)
      await client.call('message.ack', { app: CHAT_APP, upTo: message.number })
    },
  )
}

interface Place {
  readonly chat: string
  /** It came from another own device. */
  readonly mine: boolean
  readonly atSec: number
  /** The id of a line that stands in for something else. */
  readonly otherId: string
}

async function take(client: Client, place: Place, content: FirstPiece): Promise<void> {
  const bytes = Buffer.from(content.content, 'base64')
  const read = bytes.length < content.bytes ? null : decodeContent(bytes)
  if (read === null) await keepOther(client, place, `(${countOf(content.bytes, 'byte')} that are no line)`)
  else await takeRead(client, place, read)
}

async function takeRead(client: Client, { chat, mine }: Place, { line, read }: ChatContent): Promise<void> {
  if (line !== null) {
    const { id, text, sentSec } = line
    await client.call('chat.keep', { chat, id, mine, text, sentSec, state: mine ? 'sent' : 'there' })
  }
  if (read === null) return
  try {
    // The reader of a line is never its writer.
    await client.call('chat.mark', { chat, ids: [read], state: 'read', earlier: true, mine: !mine })
  } catch (error) {
    // Another device has written the line, and its copy is not here yet.
    if (!hasCode(error, 'CHAT_LINE_UNKNOWN')) throw error
  }
}

async function keepOther(client: Client, { chat, mine, atSec, otherId }: Place, text: string): Promise<void> {
  await client.call('chat.keep', { chat, id: otherId, mine, text, sentSec: atSec, state: mine ? 'sent' : 'there' })
}
