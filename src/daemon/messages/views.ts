/** Messages as apps and the owner see them (docs/ipc.md, section 3, message). */
import type { Mailbox, MessageRequest, SentMessage } from '../../ipc/methods/messages.ts'
import { onDisk } from './records/means.ts'
import type { Messages } from './messages.ts'
import { proposedFor } from './proposed.ts'
import { countsOf } from './records/counts.ts'
import { appIn } from './records/ids.ts'
import { numbered } from '../sealed/numbered.ts'
import { COUNTS, INBOXES, PROPOSAL, REQUEST, SENT } from './records/kinds.ts'
import { inboxUrls } from './records/known-inboxes.ts'
import { reachOf } from './sending/sent-states.ts'

const DEFAULT_LIMIT = 100

/** Sent messages after a number. */
export function sentPage(
  app: string,
  { after = 0, limit = DEFAULT_LIMIT }: { readonly after?: number; readonly limit?: number },
  { means, queue }: Messages,
): { messages: SentMessage[]; next: number | null } {
  const messages: SentMessage[] = []
  const last = countsOf(app, means).sent
  let number = after + 1
  for (; number <= last && messages.length < limit; number++) {
    const sent = onDisk(means, SENT).get(numbered(app, number))
    if (sent === undefined) continue
    const { to, key, state, sentSec, bytes } = sent
    const reason = sent.reason ?? queue.reasonOf(app, number)
    messages.push({ number, app, to, key, state, reason, sentSec, bytes, ...reachOf(sent) })
  }
  return { messages, next: number <= last ? number - 1 : null }
}

/** The apps of this device that use messages. */
export async function appsOf({ means }: Messages): Promise<string[]> {
  const ids = [INBOXES, COUNTS, PROPOSAL].map((kind) => Array.fromAsync(onDisk<unknown>(means, kind).ids()))
  return [...new Set((await Promise.all(ids)).flat())].toSorted()
}

/** The numbers of an app, without a look at its card: they are counted with each event. */
export function figuresOf(app: string, { means, queue }: Messages): Pick<Mailbox, 'unread' | 'fetching' | 'waiting'> {
  const { arrived, acked } = countsOf(app, means)
  return {
    unread: arrived - acked,
    fetching: queue.count('fetch', app).jobs,
    waiting: queue.count('store', app).jobs + queue.count('post', app).jobs,
  }
}

export function mailboxOf(app: string, messages: Messages): Mailbox {
  const { means } = messages
  const card = means.cards.deviceNow(app)?.card
  return {
    app,
    inboxes: inboxUrls(app, means).map((url) => ({ url, named: card?.inboxes.includes(url) === true })),
    stores: [...(card?.stores ?? [])],
    proposed: proposedFor(app, means),
    ...figuresOf(app, messages),
  }
}

/** Those who ask to send messages to an app, or to any. */
export async function requestsOf(app: string | null, { means }: Messages): Promise<MessageRequest[]> {
  const found: MessageRequest[] = []
  for await (const [id, { persona, state, firstSec, lastSec, entries }] of onDisk(means, REQUEST).iterate(
    app === null ? '' : `${app}/`,
  ))
    if (state === 'asks') found.push({ app: appIn(id), persona, entries: entries.length, firstSec, lastSec })
  return found.toSorted((a, b) => a.firstSec - b.firstSec)
}
