/** `persona channel send` and `read`: contents by hand. */
import { once } from 'node:events'
import { MAX_PIECE_BYTES } from '../../ipc/methods/app-params.ts'
import { type ChannelView } from '../../ipc/methods/channel-values.ts'
import type { ReadContent } from '../../ipc/methods/channels.ts'
import type { Client } from '../../ipc/client.ts'
import { concatBytes, decodeUtf8 } from '../../core/encoding/bytes.ts'
import { withDaemon } from '../io/connect.ts'
import { print, remark, type Context } from '../io/context.ts'
import { CliError, EXIT_DONE } from '../io/errors.ts'
import { escapeText, showName } from '../io/escape.ts'
import { interrupted } from '../io/interrupts.ts'
import { countOf, two } from '../io/layout.ts'
import { isInteractive } from '../io/prompt.ts'
import { findChannel, HAND_APP, type WithApp } from './find.ts'

const MAX_CONTENT_BYTES = 64 << 20 // format: docs/channel.md, section 7

/** On return the content is on disk at the daemon. */
export async function send(
  context: Context,
  name: string,
  text: string | undefined,
  options: WithApp,
): Promise<number> {
  const bytes = text === undefined || text === '-' ? await readAll() : Buffer.from(text)
  if (bytes.length === 0)
    throw new CliError('USAGE', 'there is nothing to send', { hint: 'give a text, or pipe one in with -' })
  return await withDaemon(context, async (client) => {
    const channel = await findChannel(client, name, options)
    const number = await sendBytes(client, channel.id, bytes)
    const who = showName(channel.name, channel.peer.persona)
    print(context, { number }, [`sent as number ${number}; it goes to ${who} when they can be reached`])
    return EXIT_DONE
  })
}

/** @throws {CliError} INPUT_TOO_LONG */
async function readAll(): Promise<Uint8Array> {
  if (isInteractive()) process.stderr.write('Type the text, then press Enter and Ctrl-D.\n')
  const parts: Uint8Array[] = []
  let length = 0
  for await (const part of process.stdin as AsyncIterable<Uint8Array>) {
    length += part.length
    if (length > MAX_CONTENT_BYTES)
      throw new CliError('INPUT_TOO_LONG', 'one content has at most 64 MiB', { hint: 'send it in parts' })
    parts.push(part)
  }
  return concatBytes(...parts)
}

async function sendBytes(client: Client, id: string, bytes: Uint8Array): Promise<number> {
  const piece = (offset: number): string => base64(bytes.subarray(offset, offset + MAX_PIECE_BYTES))
  if (bytes.length <= MAX_PIECE_BYTES) return (await client.call('channel.send', { id, content: piece(0) })).number!
  const upload = crypto.randomUUID()
  for (let offset = 0; ; offset += MAX_PIECE_BYTES) {
    const sent = { id, content: piece(offset), upload, total: bytes.length, offset }
    const { number } = await client.call('channel.send', sent)
    if (number !== null) return number
  }
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')
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
  let ring = (): void => {}
  await client.subscribe(['channel.content', 'channel.changed'], (event) => {
    if (event.event === 'lagged' || ('id' in event.data && event.data.id === channel.id)) ring()
  })
  remark(context, 'press Ctrl-C to stop')
  const stopped = interrupted()
  for (let last = 0; ;) {
    const rung = new Promise<typeof RUNG>((resolve) => {
      ring = () => resolve(RUNG)
    })
    last = await printNew(session, last)
    const end = await Promise.race([rung, stopped, client.closed])
    if (end === null) return last === 0 ? NOTHING_YET : last
    if (end !== RUNG) throw end
  }
}

const RUNG = Symbol('rung')
const NOTHING_YET = -1 // Ctrl-C at an empty channel is no result

/** @returns the number of the last content that was printed, or `after` */
async function printNew(session: Session, after: number): Promise<number> {
  const { client, channel, acks } = session
  let last = after
  for (let from: number | null = after; from !== null;) {
    const { contents, next }: { contents: ReadContent[]; next: number | null } = await client.call('channel.read', {
      id: channel.id,
      after: from,
    })
    for (const content of contents) {
      await printContent(session, await wholeOf(session, content, last))
      last = content.number
      // Only now: after a crash it is printed twice, and never lost.
      if (acks) await client.call('channel.ack', { id: channel.id, upTo: last })
    }
    from = next
  }
  return last
}

/** Joins the pieces of a large content. Screens get the first piece only. */
async function wholeOf(
  { client, channel, context, raw }: Session,
  content: ReadContent,
  after: number,
): Promise<ReadContent> {
  if (!raw && !context.json) return content
  const parts = [Buffer.from(content.content, 'base64')]
  for (let at = parts[0]!.length; at < content.bytes;) {
    const { contents } = await client.call('channel.read', { id: channel.id, after, limit: 1, offset: at })
    const part = Buffer.from(contents[0]?.content ?? '', 'base64')
    if (part.length === 0) throw new CliError('OUTPUT_FAILED', `content ${content.number} ends before its length`)
    parts.push(part)
    at += part.length
  }
  return { ...content, content: Buffer.concat(parts).toString('base64') }
}

async function printContent({ context, raw }: Session, content: ReadContent): Promise<void> {
  const bytes = Buffer.from(content.content, 'base64')
  if (raw && !context.json) {
    if (!process.stdout.write(bytes)) await once(process.stdout, 'drain')
    return
  }
  print(context, content, formatContent(content, bytes))
}

/** A text line by line, with the second line and all later ones under the first. */
export function formatContent(content: Pick<ReadContent, 'number' | 'atSec' | 'bytes'>, bytes: Uint8Array): string[] {
  const at = new Date(content.atSec * 1000)
  const head = `${[at.getHours(), at.getMinutes(), at.getSeconds()].map(two).join(':')} #${content.number} `
  const text = decodeUtf8(bytes)
  if (text === null || content.bytes > bytes.length)
    return [`${head}(${countOf(content.bytes, 'byte')} that are no text; print them with --raw)`]
  const lines = text.replace(/\r?\n$/, '').split(/\r?\n/)
  return lines.map((line, i) => (i === 0 ? head : ' '.repeat(head.length)) + escapeText(line))
}
