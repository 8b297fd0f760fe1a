/** `persona message read`: messages that have come. */
import { COMMAND_LINE_APP } from '../../core/encoding/app-name.ts'
import type { Client } from '../../ipc/client.ts'
import type { ReadMessage } from '../../ipc/methods/messages.ts'
import { eachContent, joinPieces } from '../contents/pieces.ts'
import { contentLines, writeBytes } from '../contents/show.ts'
import { describeCause } from '../events/sent-states.ts'
import { withDaemon } from '../io/connect.ts'
import { print, remark, type Context } from '../io/context.ts'
import { EXIT_DONE } from '../io/errors.ts'
import { countOf, formatTime } from '../io/layout.ts'
import { lookAgain } from '../io/look-again.ts'
import { PersonaNames } from '../io/personas.ts'
import { describeNoInbox } from './list.ts'
import type { WithApp } from './send.ts'

export interface ReadOptions extends WithApp {
  readonly follow?: true
  /** Delete at the daemon what was printed. */
  readonly ack?: true
  /** Print the bytes as they are. */
  readonly raw?: true
}

interface Session {
  readonly context: Context
  readonly client: Client
  readonly app: string
  readonly names: PersonaNames
  readonly ownId: string | null
  readonly options: ReadOptions
}

export async function read(context: Context, options: ReadOptions): Promise<number> {
  const { app = COMMAND_LINE_APP, follow: follows } = options
  return await withDaemon(context, async (client) => {
    const { persona } = await client.call('status')
    const names = new PersonaNames(client)
    const session: Session = { context, client, app, names, ownId: persona?.personaId ?? null, options }
    const { apps } = await client.call('message.list', { app })
    for (const line of apps.flatMap(describeNoInbox)) remark(context, line)
    if (follows === true) await follow(session)
    else if ((await printNew(session, 0)) === 0) remark(context, `no new message for ${app}`)
    return EXIT_DONE
  })
}

/** Prints what comes until Ctrl-C. */
async function follow(session: Session): Promise<void> {
  const { client, context, app } = session
  remark(context, 'press Ctrl-C to stop')
  let last = 0
  await lookAgain(client, {
    events: ['message.arrived'],
    see: (event) => event.event === 'lagged' || (event.event === 'message.arrived' && event.data.app === app),
    look: async () => {
      last = await printNew(session, last)
      return null
    },
  })
}

/** @returns the number of the last message that was printed, or `after` */
async function printNew(session: Session, after: number): Promise<number> {
  const { client, app, options } = session
  return await eachContent<ReadMessage>(
    after,
    async (from) => {
      const { messages, next } = await client.call('message.read', { app, after: from })
      return { contents: messages, next }
    },
    async (message, before) => {
      await printMessage(session, await wholeOf(session, message, before))
      // Only now: after a crash it is printed twice, and never lost.
      if (options.ack === true) await client.call('message.ack', { app, upTo: message.number })
    },
  )
}

/** Joins the pieces of a large message. Screens get the first piece only. */
async function wholeOf(
  { client, app, context, options }: Session,
  message: ReadMessage,
  after: number,
): Promise<ReadMessage> {
  if (options.raw !== true && !context.json) return message
  return await joinPieces(message, async (offset) => {
    const { messages } = await client.call('message.read', { app, after, limit: 1, offset })
    return messages[0]?.content
  })
}

async function printMessage({ context, names, ownId, options }: Session, message: ReadMessage): Promise<void> {
  const bytes = Buffer.from(message.content, 'base64')
  if (options.raw === true && !context.json) return await writeBytes(bytes)
  const who = context.json
    ? ''
    : message.from === ownId
      ? `you to ${await names.of(message.to)}, by another device`
      : await names.of(message.from)
  print(context, message, formatMessage(message, bytes, who, Math.floor(Date.now() / 1000)))
}

/** @param bytes of the content, or of its first piece @param who the sender, escaped */
export function formatMessage(message: ReadMessage, bytes: Uint8Array, who: string, nowSec: number): string[] {
  const { number, missing, failed, sentSec } = message
  const gap = `${countOf(missing, 'earlier message')} of the same device ${missing === 1 ? 'has' : 'have'} not come`
  const lines = failed === null ? contentLines(message, bytes) : [`(it cannot be read: ${describeCause(failed)})`]
  return [
    `#${number} ${who}, ${formatTime(sentSec, nowSec)}`,
    ...(missing === 0 ? [] : [`  (${gap})`]),
    ...lines.map((line) => `  ${line}`),
  ]
}
