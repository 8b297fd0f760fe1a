/** Errors of a relay's client. Each has one cause and says what to do. */
import { PersonadError } from '../errors/personad-error.ts'
import type { CardRefused } from './read-answer.ts'
import type { BoxError, CardError, Refused } from './wire.ts'

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
  | 'RELAY_NO_RIGHT' // the relay keeps no cards of this caller
  | 'QUESTION_CLOSED' // it does not open with the key of the box
  | 'QUESTION_FORM' // it opens, and is no question
  | 'QUESTION_ORIGIN' // another relay asked it
  | 'QUESTION_KEY' // it was asked about another box
  | 'QUESTION_TIME' // it is too old, or from the future

export class RelayError extends PersonadError<RelayErrorCode> {
  override readonly name = 'RelayError'
}

const REFUSALS: Readonly<Record<BoxError, { code: RelayErrorCode; message: string; hint: string }>> = {
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

/** The error of a refusal. `details.retryAfterSec` is there where the relay named it. */
export function errorOfRefusal({ error, retryAfter }: Refused): RelayError {
  const { code, message, hint } = REFUSALS[error]
  const details = retryAfter === undefined ? {} : { retryAfterSec: retryAfter }
  return new RelayError(code, message, { hint, details })
}

const BAD_CARD = 'the relay does not take the card'
const CARD_REFUSALS: Readonly<Record<CardError, { code: RelayErrorCode; message: string; hint: string }>> = {
  'No such card': {
    code: 'RELAY_STRANGE',
    message: 'the relay has no place for the card',
    hint: 'check the address of the relay',
  },
  Newer: { code: 'RELAY_STRANGE', message: 'the relay does not show its newer card', hint: 'read it from there' },
  Held: { code: 'RELAY_STRANGE', message: 'the relay does not show its own card', hint: 'read it from there' },
  Disputed: {
    code: 'RELAY_BAD_CARD',
    message: 'the relay has a card of another chain of this persona',
    hint: 'the first key of the persona may be in wrong hands',
  },
  Ended: { code: 'RELAY_BAD_CARD', message: `${BAD_CARD}: its epoch is over`, hint: 'read the newest table' },
  'Bad card': {
    code: 'RELAY_BAD_CARD',
    message: `${BAD_CARD}: it does not verify there`,
    hint: 'the relay may be older than this program',
  },
  'Bad at': { code: 'RELAY_BAD_CARD', message: `${BAD_CARD}: its place is another one`, hint: 'compute it again' },
  Expired: {
    code: 'RELAY_BAD_CARD',
    message: `${BAD_CARD}: it has expired`,
    hint: 'sign it again, and check the clock of this computer',
  },
  'Too big': { code: 'RELAY_TOO_BIG', message: 'the card is larger than the relay takes', hint: 'shorten it' },
  'Too often': {
    code: 'RELAY_TOO_OFTEN',
    message: 'the relay takes no more from here now',
    hint: 'try again later, or ask its operator for a token',
  },
  'Too many apps': {
    code: 'RELAY_NO_RIGHT',
    message: 'the relay keeps no cards of further apps of this persona',
    hint: 'use another relay for the app',
  },
  Full: { code: 'RELAY_TOO_OFTEN', message: 'the relay is full', hint: 'try again later' },
  Token: {
    code: 'RELAY_NO_RIGHT',
    message: 'the relay keeps cards only for those who have a right',
    hint: 'ask its operator for a token',
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
  Card: { code: 'RELAY_NO_RIGHT', message: 'the card does not list the device', hint: 'put the newest card' },
}

/** The error of a refused card. `details.retryAfterSec` is there where the relay named it. */
export function errorOfCardRefusal({ error, retryAfter }: CardRefused): RelayError {
  const { code, message, hint } = CARD_REFUSALS[error]
  const details = retryAfter === undefined ? {} : { retryAfterSec: retryAfter }
  return new RelayError(code, message, { hint, details })
}
