/** Errors of a relay's client. Each has one cause and says what to do. */
import { PersonadError } from '../errors/personad-error.ts'
import type { RefusedBy } from './read-answer.ts'
import type { BoxError, Refused } from './wire.ts'

export type RelayErrorCode =
  | 'RELAY_URL' // the address is not one of a relay
  | 'RELAY_UNREACHABLE' // no connection, or it broke
  | 'RELAY_SILENT' // no answer in time
  | 'RELAY_STRANGE' // the answer is not one of a relay
  | 'RELAY_TOO_OFTEN'
  | 'RELAY_TOO_BIG'
  | 'RELAY_USED'
  | 'RELAY_WRONG_ANSWER'
  | 'RELAY_BAD_REQUEST'
  | 'RELAY_BAD_AT'
  | 'RELAY_BAD_EXT'
  | 'RELAY_BAD_CARD' // the relay does not take this card, whoever puts it
  | 'RELAY_NO_RIGHT' // the relay keeps no cards or no inbox of this caller
  | 'RELAY_NO_CARD' // the relay has no card that lists the device
  | 'RELAY_NO_INBOX' // the persona has no inbox there
  | 'RELAY_NO_STRANGERS' // the owner of the inbox takes nothing from this sender
  | 'RELAY_INBOX_FULL'
  | 'RELAY_BUSY' // another request sends this object
  | 'RELAY_STORE_FULL' // the persona has no room for the object there
  | 'QUESTION_CLOSED' // it does not open with the key of the box
  | 'QUESTION_FORM' // it opens, and is no question
  | 'QUESTION_ORIGIN' // another relay asked it
  | 'QUESTION_KEY' // it was asked about another box
  | 'QUESTION_TIME' // it is too old, or from the future

export class RelayError extends PersonadError<RelayErrorCode> {
  override readonly name = 'RelayError'
}

/** The error for one word of a relay. */
export interface Refusal {
  readonly code: RelayErrorCode
  readonly message: string
  readonly hint: string
}

const REFUSALS: Readonly<Record<BoxError, Refusal>> = {
  'Too often': {
    code: 'RELAY_TOO_OFTEN',
    message: 'the relay takes no more from here now, or the box is full',
    hint: 'try again later',
  },
  'Too big': {
    code: 'RELAY_TOO_BIG',
    message: 'the message is larger than the relay takes',
    hint: 'send it in parts; the address /info of the relay shows its limits',
  },
  Used: {
    code: 'RELAY_USED',
    message: 'the owner of the box has closed it',
    hint: 'ask its owner for a new address',
  },
  'Wrong answer': {
    code: 'RELAY_WRONG_ANSWER',
    message: 'the relay does not take the answer to its question, or has no such box',
    hint: 'check the box again, for a new question',
  },
  'Bad request': {
    code: 'RELAY_BAD_REQUEST',
    message: 'the relay does not understand the request',
    hint: 'the relay may be older than this program',
  },
  'Bad at': { code: 'RELAY_BAD_AT', message: 'the relay does not take the cursor', hint: 'begin again from 0' },
  'Bad ext': {
    code: 'RELAY_BAD_EXT',
    message: 'the relay takes messages only from those who have a right to send',
    hint: 'ask the owner of the box for an address with that right',
  },
}

const AGAIN = 'try again later'

/** Those that cards, inboxes and objects have in common: of device tokens, and of a relay without room. */
export const COMMON_REFUSALS: Readonly<Record<'Too often' | 'Full' | 'Clock' | 'Request' | 'Card', Refusal>> = {
  'Too often': { code: 'RELAY_TOO_OFTEN', message: 'the relay takes no more from here now', hint: AGAIN },
  Full: { code: 'RELAY_TOO_OFTEN', message: 'the relay is full', hint: AGAIN },
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

export function errorOfRefusal(refused: Refused): RelayError {
  return refusalError(REFUSALS[refused.error], refused)
}

/** Its details are `retryAfterSec`, and `relaySec`, the relay's time, where the relay named them. */
export function refusalError(
  { code, message, hint }: Refusal,
  { retryAfter, now }: Pick<RefusedBy<string>, 'retryAfter' | 'now'>,
): RelayError {
  const details = {
    ...(retryAfter === undefined ? {} : { retryAfterSec: retryAfter }),
    ...(now === undefined ? {} : { relaySec: now }),
  }
  return new RelayError(code, message, { hint, details })
}
