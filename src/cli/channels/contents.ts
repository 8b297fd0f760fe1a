/** `persona channel send` and `read`: contents by hand. */
import { type ChannelView } from '../../ipc/methods/channel-values.ts'
import type { ReadContent } from '../../ipc/methods/channels.ts'
import type { Client } from '../../ipc/client.ts'
import { eachContent, joinPieces, putContent, type PieceParams } from '../contents/pieces.ts'
import { contentLines, writeBytes } from '../contents/show.ts'
import { withDaemon } from '../io/connect.ts'
import { print, remark, type Context } from '../io/context.ts'
import { CliError, EXIT_DONE } from '../io/errors.ts'
import { showName } from '../io/escape.ts'
import { readStdinBytes } from '../io/input.ts'
import { two } from '../io/layout.ts'
import { lookAgain } from '../io/look-again.ts'
import { findChannel, HAND_APP, type WithApp } from './find.ts'

const MAX_CONTENT_BYTES = 64 << 20 // format: docs/channel.md, section 7

/** On return the content is on disk at the daemon. */
export async function send(
  context: Context,
  name: string,
  text: string | undefined,
  options: WithApp,
): Promise<number> {
  const bytes = text === undefined || text === '-' ? await readStdinBytes(MAX_CONTENT_BYTES) : Buffer.from(text)
  if (bytes.length === 0)
    throw new CliError('USAGE', 'there is nothing to send', { hint: 'give a text, or pipe one in with -' })
  return await withDaemon(context, async (client) => {
    const channel = await findChannel(client, name, options)
    const put = async (piece: PieceParams): Promise<{ number: number | null }> =>
      await client.call('channel.send', { id: channel.id, ...piece })
    const number = await putContent(bytes, put)
    const who = showName(channel.name, channel.peer.persona)
    print(context, { number }, [`sent as number ${number}; it goes to ${who} when they can be reached`])
    return EXIT_DONE
  })
}

export interface ReadOptions extends WithApp {
  readonly follow?: true
  /** Leave the contents unread. */
  readonly peek?: true
  /** Print the bytes as they are. */
  readonly raw?: true
}

/** A content counts as read once it was printed. Contents of other apps are theirs, and stay unread. */
export async function read(context: Context, name: string, options: ReadOptions): Promise<number> {
  return await withDaemon(context, async (client) => {
    const channel = await findChannel(client, name, options)
    const acks = options.peek !== true && channel.app === HAND_APP
    if (options.peek !== true && !acks) remark(context, `${channel.app} reads these itself, so they stay unread here`)
    const session: Session = { context, client, channel, acks, raw: options.raw === true }
    const printed = options.follow === true ? await follow(session) : await printNew(session, 0)
    if (printed === 0) remark(context, `nothing new from ${showName(channel.name, channel.peer.persona)}`)
    return EXIT_DONE
  })
}

interface Session {
  readonly context: Context
  readonly client: Client
  readonly channel: ChannelView
  readonly acks: boolean
  readonly raw: boolean
}

/** Prints what comes until Ctrl-C. @returns the number of the last content that was printed */
async function follow(session: Session): Promise<number> {
  const { client, channel, context } = session
  remark(context, 'press Ctrl-C to stop')
  let last = 0
  await lookAgain(client, {
    events: ['channel.content', 'channel.changed'],
    see: (event) => event.event === 'lagged' || ('id' in event.data && event.data.id === channel.id),
    look: async () => {
      last = await printNew(session, last)
      return null
    },
  })
  return last === 0 ? NOTHING_YET : last
}

const NOTHING_YET = -1 // Ctrl-C at an empty channel is no result

/** @returns the number of the last content that was printed, or `after` */
async function printNew(session: Session, after: number): Promise<number> {
  const { client, channel, acks } = session
  return await eachContent<ReadContent>(
    after,
    async (from) => await client.call('channel.read', { id: channel.id, after: from }),
    async (content, before) => {
      await printContent(session, await wholeOf(session, content, before))
      // Only now: after a crash it is printed twice, and never lost.
      if (acks) await client.call('channel.ack', { id: channel.id, upTo: content.number })
    },
  )
}

/** Joins the pieces of a large content. Screens get the first piece only. */
async function wholeOf(
  { client, channel, context, raw }: Session,
  content: ReadContent,
  after: number,
): Promise<ReadContent> {
  if (!raw && !context.json) return content
  return await joinPieces(content, async (offset) => {
    const { contents } = await client.call('channel.read', { id: channel.id, after, limit: 1, offset })
    return contents[0]?.content
  })
}

async function printContent({ context, raw }: Session, content: ReadContent): Promise<void> {
  const bytes = Buffer.from(content.content, 'base64')
  if (raw && !context.json) return await writeBytes(bytes)
  print(context, content, formatContent(content, bytes))
}

/** A text line by line, with the second line and all later ones under the first. */
export function formatContent(content: Pick<ReadContent, 'number' | 'atSec' | 'bytes'>, bytes: Uint8Array): string[] {
  const at = new Date(content.atSec * 1000)
  const head = `${[at.getHours(), at.getMinutes(), at.getSeconds()].map(two).join(':')} #${content.number} `
  return contentLines(content, bytes).map((line, i) => (i === 0 ? head : ' '.repeat(head.length)) + line)
}
