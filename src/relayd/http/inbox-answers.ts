/** The answers of `/inbox/...` (docs/inbox.md): statuses of HTTP, as for cards. */
import type { InboxRequest, InboxService, ListAnswer, OwnerAnswer, PostAnswer } from '../inbox/inbox-service.ts'
import { jsonAnswer, type Answer } from './answers.ts'
import { deviceRefusal, refusal, tooOften } from './refusals.ts'

const FULL_SEC = 3600 // sanity: an inbox has room once a device of its owner comes, or the oldest entry ends

interface Outcome {
  readonly outcome: string
  readonly answer: Answer
}

/** Answers a call that is no stream. */
export async function answerInbox(
  part: Exclude<InboxRequest['part'], 'events'>,
  inboxes: InboxService,
  request: InboxRequest,
): Promise<Outcome> {
  switch (part) {
    case 'entries':
      if (request.method === 'POST') return outcomeOf(await inboxes.post(request))
      return outcomeOfList(await inboxes.list(request))
    case 'ack':
      return outcomeOf(await inboxes.acknowledge(request))
    case 'senders':
      return outcomeOf(await inboxes.setSenders(request))
  }
}

function outcomeOf(given: PostAnswer | OwnerAnswer): Outcome {
  return { outcome: given.outcome, answer: plainAnswer(given) }
}

function outcomeOfList(list: ListAnswer): Outcome {
  if (list.outcome !== 'listed') return outcomeOf(list)
  return { outcome: 'listed', answer: jsonAnswer({ ok: true, entries: list.entries, next: list.next }) }
}

/** The answer without entries. */
export function plainAnswer(given: PostAnswer | OwnerAnswer): Answer {
  switch (given.outcome) {
    case 'taken':
      return jsonAnswer({ ok: true }, 202)
    case 'done':
      return jsonAnswer({ ok: true })
    case 'none':
      return refusal(404, 'No such inbox')
    case 'no strangers':
      return refusal(403, 'No strangers')
    case 'full':
      return refusal(429, 'Inbox full', { retryAfter: FULL_SEC }, ['Retry-After', String(FULL_SEC)])
    case 'crowded':
      return refusal(403, 'Too many senders')
    case 'disk':
      return refusal(507, 'Full')
    case 'busy':
      return tooOften(given.retryAfterSec)
    case 'request form':
      return refusal(400, 'Bad request')
    case 'token':
    case 'request':
    case 'card':
    case 'clock':
      return deviceRefusal(given)
  }
}

/** @param bytes that the body may have */
export function tooBigForInbox(bytes: number): Answer {
  return refusal(413, 'Too big', { bytes })
}
