/** The answers of `/inbox/...` (docs/inbox.md): statuses of HTTP, as for cards. */
import type {
  InboxRefusal,
  InboxRequest,
  InboxService,
  ListAnswer,
  OwnerAnswer,
  PostAnswer,
} from '../inbox/inbox-service.ts'
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
      return request.method === 'POST'
        ? outcomeOf(await inboxes.post(request), answerToEntry)
        : outcomeOf(await inboxes.list(request), answerToList)
    case 'ack':
      return outcomeOf(await inboxes.acknowledge(request), answerToOwner)
    case 'senders':
      return outcomeOf(await inboxes.setSenders(request), answerToOwner)
  }
}

function outcomeOf<Given extends { readonly outcome: string }>(
  given: Given,
  answerTo: (given: Given) => Answer,
): Outcome {
  return { outcome: given.outcome, answer: answerTo(given) }
}

export function answerToEntry(post: PostAnswer): Answer {
  switch (post.outcome) {
    case 'taken':
      return jsonAnswer({ ok: true }, 202)
    case 'none':
      return refusal(404, 'No such inbox')
    case 'no strangers':
      return refusal(403, 'No strangers')
    case 'full':
      return refusal(429, 'Inbox full', { retryAfter: FULL_SEC }, ['Retry-After', String(FULL_SEC)])
    case 'disk':
      return refusal(507, 'Full')
    default:
      return inboxRefusal(post)
  }
}

export function answerToList(list: ListAnswer): Answer {
  if (list.outcome !== 'listed') return inboxRefusal(list)
  return jsonAnswer({ ok: true, entries: list.entries, next: list.next })
}

export function answerToOwner(owner: OwnerAnswer): Answer {
  switch (owner.outcome) {
    case 'done':
      return jsonAnswer({ ok: true })
    case 'crowded':
      return refusal(403, 'Too many senders')
    case 'disk':
      return refusal(507, 'Full')
    default:
      return inboxRefusal(owner)
  }
}

/** @param bytes that the body may have */
export function tooBigForInbox(bytes: number): Answer {
  return refusal(413, 'Too big', { bytes })
}

export function inboxRefusal(refused: InboxRefusal): Answer {
  switch (refused.outcome) {
    case 'busy':
      return tooOften(refused.retryAfterSec)
    case 'request form':
      return refusal(400, 'Bad request')
    default:
      return deviceRefusal(refused)
  }
}
