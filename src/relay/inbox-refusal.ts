/** The errors of a relay that refuses a call of an inbox. */
import { detailsOf, RelayError, type RelayErrorCode } from './errors.ts'
import type { InboxRefused } from './read-answer.ts'
import type { InboxError } from './wire.ts'

const INBOX_REFUSALS: Readonly<Record<InboxError, { code: RelayErrorCode; message: string; hint: string }>> = {
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
  'Too often': {
    code: 'RELAY_TOO_OFTEN',
    message: 'the relay takes no more from here now',
    hint: 'try again later',
  },
  Full: { code: 'RELAY_TOO_OFTEN', message: 'the relay is full', hint: 'try again later' },
  Token: {
    code: 'RELAY_NO_RIGHT',
    message: 'the relay keeps inboxes only for those who have a right',
    hint: 'put the card with a token of its operator',
  },
  Clock: {
    code: 'RELAY_NO_RIGHT',
    message: 'the relay does not take the time of the token',
    hint: 'set the clock of this computer',
  },
  Request: {
    code: 'RELAY_NO_RIGHT',
    message: 'the relay reads another request than the token names',
    hint: 'a proxy may change the path; the relay may have another address',
  },
  Card: {
    code: 'RELAY_NO_CARD',
    message: 'the relay has no card that lists this device',
    hint: 'put the newest card there, and call again',
  },
}

/** The error of a refused call. See {@link detailsOf}. */
export function errorOfInboxRefusal(refused: InboxRefused): RelayError {
  const { code, message, hint } = INBOX_REFUSALS[refused.error]
  return new RelayError(code, message, { hint, details: detailsOf(refused) })
}
