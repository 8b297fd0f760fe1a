/** The errors of a relay that refuses a card. They stand alone, since most clients put none. */
import { COMMON_REFUSALS, refusalError, type Refusal, type RelayError } from './errors.ts'
import type { CardRefused } from './read-answer.ts'
import type { CardError } from './wire.ts'

const BAD_CARD = 'the relay does not take the card'
const CARD_REFUSALS: Readonly<Record<CardError, Refusal>> = {
  ...COMMON_REFUSALS,
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
  Token: {
    code: 'RELAY_NO_RIGHT',
    message: 'the relay keeps cards only for those who have a right',
    hint: 'ask its operator for a token',
  },
  Card: { code: 'RELAY_NO_RIGHT', message: 'the card does not list the device', hint: 'put the newest card' },
}

export function errorOfCardRefusal(refused: CardRefused): RelayError {
  return refusalError(CARD_REFUSALS[refused.error], refused)
}
