/** Messages in `status` and `doctor`: how many wait where, and what needs the owner. */
import type { MessagesStatus } from '../../ipc/methods/messages.ts'
import { notice, ok, type Finding } from '../../ipc/shapes/doctor.ts'
import type { Messages } from './messages.ts'
import { proposedFor } from './proposed.ts'
import { appsOf, figuresOf, mailboxOf, requestsOf } from './views.ts'

/** The last figures: `status` must not wait for the disk. */
export const NO_MESSAGES: Omit<MessagesStatus, 'appsLocked'> = {
  unread: 0,
  fetching: 0,
  waiting: 0,
  requests: 0,
  proposals: 0,
}

/** @throws {CustodyError} APPS_LOCKED */
export async function messageFigures(messages: Messages): Promise<Omit<MessagesStatus, 'appsLocked'>> {
  const apps = await appsOf(messages)
  const boxes = apps.map((app) => figuresOf(app, messages))
  const sum = (of: 'unread' | 'fetching' | 'waiting'): number => boxes.reduce((all, box) => all + box[of], 0)
  const requests = (await requestsOf(null, messages)).length
  const proposals = apps.filter((app) => proposedFor(app, messages.means) !== null).length
  return { unread: sum('unread'), fetching: sum('fetching'), waiting: sum('waiting'), requests, proposals }
}

/** The words for codes of relays. */
const WHY: Readonly<Record<string, string>> = {
  RELAY_UNREACHABLE: 'it cannot be reached',
  RELAY_SILENT: 'it does not answer',
  RELAY_STRANGE: 'its answers are not those of a relay',
  RELAY_NO_RIGHT: 'it keeps no inbox and no store for this persona without a token',
  RELAY_NO_INBOX: 'the recipient has no inbox there',
  RELAY_INBOX_FULL: 'the inbox of the recipient is full',
  RELAY_STORE_FULL: 'it has no room for the message',
  RELAY_TOO_OFTEN: 'it takes no more now',
  RELAY_NO_CARD: 'it does not take the card of this app',
  MESSAGE_NO_INBOX: 'the card of the recipient names no inbox now',
  MESSAGE_NO_DEVICE: 'the device that it is for is in no card now',
  MESSAGES_FULL: 'it does not take what this device acknowledges',
}

/** Only a right needs the owner. */
function adviceFor(reason: string): string {
  return reason === 'RELAY_NO_RIGHT'
    ? 'ask its operator for a token, and add the relay again with it'
    : 'the daemon goes on trying'
}

/** Those of inboxes and of what waits, in memory. */
export function relayFindings({ inboxes, queue }: Messages): Finding[] {
  return inboxes.apps.flatMap((app) => [
    ...[...queue.failures(app)].map(([reason, count]) => {
      const are = count === 1 ? '1 message or receipt waits' : `${count} messages and receipts wait`
      const message = `${are} for a relay: ${WHY[reason] ?? reason}`
      return notice('MESSAGES_WAITING', message, adviceFor(reason), { app, reason })
    }),
    ...inboxes.of(app).flatMap(({ url, problem }) => {
      if (problem === null) return []
      const message = `messages for ${app} cannot be read from ${url} now: ${WHY[problem] ?? problem}`
      return [notice('MESSAGES_UNREACHABLE', message, adviceFor(problem), { app, url, reason: problem })]
    }),
  ])
}

/** For `doctor`. */
export async function messageFindings(messages: Messages): Promise<Finding[]> {
  if (!messages.isOpen) return []
  const boxes = (await appsOf(messages)).map((app) => mailboxOf(app, messages))
  const found = [...relayFindings(messages), ...boxes.flatMap(placeFindings)]
  const requests = (await requestsOf(null, messages)).length
  if (requests > 0) {
    const people = requests === 1 ? 'somebody who is no contact sends' : `${requests} people who are no contacts send`
    const message = `${people} messages; nothing of theirs was fetched`
    found.push(notice('MESSAGE_REQUESTS', message, 'look who asks, and answer', { requests: String(requests) }))
  }
  const inUse = boxes.filter(({ inboxes }) => inboxes.length > 0)
  if (found.length > 0 || inUse.length === 0) return found
  return [ok('MESSAGES', `messages of ${inUse.length === 1 ? '1 app' : `${inUse.length} apps`} are read`)]
}

/** One relay as inbox and store sees where each message lies, and who fetches it. */
function placeFindings({ app, inboxes, stores }: ReturnType<typeof mailboxOf>): Finding[] {
  const both = stores.filter((store) => inboxes.some(({ url, named }) => named && url === store))
  const [url] = both
  if (url === undefined) return []
  const message = `${url} is inbox and store of ${app}: its operator can see which message an entry leads to`
  return [notice('MESSAGES_ONE_RELAY', message, 'name another relay as the store, or leave it so', { app, url })]
}
