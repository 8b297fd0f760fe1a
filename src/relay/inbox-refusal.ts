/** The errors of a relay that refuses a call of an inbox. */
import { COMMON_REFUSALS, refusalError, type Refusal, type RelayError } from './errors.ts'
import type { InboxRefused } from './read-answer.ts'
import type { InboxError } from './wire.ts'

const INBOX_REFUSALS: Readonly<Record<InboxError, Refusal>> = {
  ...COMMON_REFUSALS,
  'No such inbox': {
    code: 'RELAY_NO_INBOX',
    message: 'the relay has no inbox of this persona for the app',
    hint: 'read the newest card of the persona',
  },
  'No strangers': {
    code: 'RELAY_NO_STRANGERS',
    message: 'the owner of the inbox takes entries only of senders whom they allowed',
    hint: 'ask them to allow this persona',
  },
  'Inbox full': {
    code: 'RELAY_INBOX_FULL',
    message: 'the inbox has no room for this sender now',
    hint: 'try again later',
  },
  'Too many senders': {
    code: 'RELAY_NO_RIGHT',
    message: 'the relay keeps no further senders for this inbox',
    hint: 'forget some who are allowed or blocked',
  },
  'Bad request': {
    code: 'RELAY_BAD_REQUEST',
    message: 'the relay does not understand the request',
    hint: 'the relay may be older than this program',
  },
  'Too big': {
    code: 'RELAY_TOO_BIG',
    message: 'the entry is larger than the relay takes',
    hint: 'seal it to fewer devices; the address /info of the relay shows its limits',
  },
  Token: {
    code: 'RELAY_NO_RIGHT',
    message: 'the relay keeps inboxes only for those who have a right',
    hint: 'put the card with a token of its operator',
  },
}

export function errorOfInboxRefusal(refused: InboxRefused): RelayError {
  return refusalError(INBOX_REFUSALS[refused.error], refused)
}
