/** `persona message open` and `list`: which apps take messages, how many wait where, and who asks to send some. */
import { COMMAND_LINE_APP } from '../../core/encoding/app-name.ts'
import type { Mailbox, MessageRequest } from '../../ipc/methods/messages.ts'
import { withDaemon } from '../io/connect.ts'
import { print, type Context } from '../io/context.ts'
import { EXIT_DONE } from '../io/errors.ts'
import { escapeText } from '../io/escape.ts'
import { formatTable } from '../io/layout.ts'
import { formatRequest } from '../io/requests.ts'
import { bold } from '../io/style.ts'
import type { WithApp } from './send.ts'

/** From then on the card of the app names an inbox, so people can send messages for it. */
export async function open(context: Context, { app = COMMAND_LINE_APP }: WithApp): Promise<number> {
  const box = await withDaemon(context, (client) => client.call('message.open', { app }))
  const advice = describeNoInbox(box)
  const where = `your contacts can send you messages for ${escapeText(app)}, to ${describeInboxes(box)}`
  // A relay may keep inboxes by right only, and this call does not wait for its answer.
  print(context, box, advice.length > 0 ? advice : [where, 'to see whether the relay keeps your inbox: persona status'])
  return EXIT_DONE
}

export async function list(context: Context, { app }: WithApp): Promise<number> {
  const listed = await withDaemon(context, (client) => client.call('message.list', app === undefined ? {} : { app }))
  print(context, listed, formatList(listed, context.nowSec))
  return EXIT_DONE
}

export interface Listed {
  readonly apps: readonly Mailbox[]
  readonly requests: readonly MessageRequest[]
}

export function formatList({ apps, requests }: Listed, nowSec: number): string[] {
  return [
    ...(apps.length === 0 ? ['no app takes messages here yet; to begin: persona message open'] : formatBoxes(apps)),
    ...apps.flatMap(describeNoInbox),
    ...requests.flatMap((request) => ['', ...formatRequest(request, nowSec)]),
  ]
}

function formatBoxes(apps: readonly Mailbox[]): string[] {
  const figure = (count: number): string => (count === 0 ? '' : String(count))
  const rows = apps.map((box) => [
    box.app,
    figure(box.unread),
    figure(box.fetching),
    figure(box.waiting),
    describeInboxes(box),
  ])
  const [headings, ...lines] = formatTable(['APP', 'NEW', 'COMING', 'UNSENT', 'INBOX'], rows)
  return [bold(headings!), ...lines]
}

/** The relays by their hosts. One that the card does not name any more is read until its last card has expired. */
function describeInboxes({ inboxes }: Mailbox): string {
  if (inboxes.length === 0) return 'none'
  return inboxes
    .map(
      ({ url, named }) =>
        `${escapeText(URL.parse(url)?.host ?? url)}${named ? '' : ' (until senders know of the move)'}`,
    )
    .join(', ')
}

/** The advice for an app that nobody can send messages to; else none. */
export function describeNoInbox({ app, inboxes, stores }: Mailbox): string[] {
  if (inboxes.some(({ named }) => named)) return []
  if (stores.length > 0)
    return [`nobody can send you messages for ${app}; to name an inbox: persona app inbox ${app} URL`]
  const how = app === COMMAND_LINE_APP ? '; to begin: persona message open' : '; the app itself begins'
  return [`nobody can send you messages for ${app} yet${how}`]
}
