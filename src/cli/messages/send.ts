/** `persona message send` and `sent`: messages to people, and what became of them. */
import { COMMAND_LINE_APP } from '../../core/encoding/app-name.ts'
import type { Client } from '../../ipc/client.ts'
import { MAX_MESSAGE_BYTES, type SentMessage } from '../../ipc/methods/messages.ts'
import { MAX_PAGE } from '../../ipc/shapes/limits.ts'
import { putContent, type PieceParams } from '../contents/pieces.ts'
import { describeSent } from '../events/sent-states.ts'
import { withDaemon } from '../io/connect.ts'
import { print, remark, type Context } from '../io/context.ts'
import { CliError, EXIT_DONE, EXIT_FAILED } from '../io/errors.ts'
import { readFileBytes, readStdinBytes } from '../io/input.ts'
import { escapeText } from '../io/escape.ts'
import { countOf, formatTable, formatTime } from '../io/layout.ts'
import { lookAgain } from '../io/look-again.ts'
import { PersonaNames, personaOf } from '../io/personas.ts'
import { bold } from '../io/style.ts'

export interface WithApp {
  readonly app?: string
}

export interface SendOptions extends WithApp {
  /** Come back once every device of the recipient has it. */
  readonly wait?: true
}

/** On return the message is on disk at the daemon. */
export async function send(
  context: Context,
  who: string,
  file: string | undefined,
  { app = COMMAND_LINE_APP, wait }: SendOptions,
): Promise<number> {
  const bytes = await (file === undefined || file === '-'
    ? readStdinBytes(MAX_MESSAGE_BYTES)
    : readFileBytes(file, MAX_MESSAGE_BYTES))
  if (bytes.length === 0) {
    const what = file === undefined || file === '-' ? 'there is nothing to send' : `${escapeText(file)} is empty`
    throw new CliError('USAGE', what, { hint: 'give a file with something in it, or pipe a text in with -' })
  }
  return await withDaemon(context, async (client) => {
    const to = await personaOf(client, who, 'no message can reach them')
    const put = async (piece: PieceParams): Promise<{ number: number | null }> =>
      await client.call('message.put', { app, to, ...piece })
    const number = await putContent(bytes, put)
    const name = await new PersonaNames(client).of(to)
    if (wait === true) return await waitFor(context, client, app, number, name)
    print(context, { number }, [`sent as number ${number}; it goes to ${name} when your store can be reached`])
    return EXIT_DONE
  })
}

async function waitFor(context: Context, client: Client, app: string, number: number, name: string): Promise<number> {
  remark(context, `sent as number ${number}; waiting until ${name} has it; Ctrl-C stops only the waiting`)
  const sent = await lookAgain(client, {
    events: ['message.changed'],
    look: async () => {
      const { messages } = await client.call('message.sent', { app, after: number - 1, limit: 1 })
      return messages.find(({ state }) => state === 'received' || state === 'failed') ?? null
    },
  })
  if (sent === null)
    throw new CliError('CANCELLED', 'stopped waiting; the daemon goes on', {
      hint: 'to see later whether it was received: persona message sent',
    })
  const isReceived = sent.state === 'received'
  const outcome = isReceived ? `${name} has it, on ${countOf(sent.devices, 'device')}` : describeSent(sent)
  print(context, sent, [`message ${number}: ${outcome}`])
  return isReceived ? EXIT_DONE : EXIT_FAILED
}

export async function sent(context: Context, { app = COMMAND_LINE_APP }: WithApp): Promise<number> {
  await withDaemon(context, async (client) => {
    const messages = await allSent(client, app)
    const names = new PersonaNames(client)
    const rows: SentRow[] = []
    for (const message of context.json ? [] : messages) rows.push({ message, name: await names.of(message.to) })
    print(context, { messages }, formatSent(rows, context.nowSec))
  })
  return EXIT_DONE
}

async function allSent(client: Client, app: string): Promise<SentMessage[]> {
  const all: SentMessage[] = []
  for (let after: number | null = 0; after !== null;) {
    const page: { messages: SentMessage[]; next: number | null } = await client.call('message.sent', {
      app,
      after,
      limit: MAX_PAGE,
    })
    all.push(...page.messages)
    after = page.next
  }
  return all
}

export interface SentRow {
  readonly message: SentMessage
  /** The recipient, escaped. */
  readonly name: string
}

export function formatSent(rows: readonly SentRow[], nowSec: number): string[] {
  if (rows.length === 0) return ['nothing was sent in the last month']
  const cells = rows.map(({ message, name }) => [
    `#${message.number}`,
    name,
    formatTime(message.sentSec, nowSec),
    describeSent(message),
  ])
  const [headings, ...lines] = formatTable(['NUMBER', 'TO', 'SENT', 'STATE'], cells)
  return [bold(headings!), ...lines]
}
