/** The errors of a relay that refuses an object, or a call about one. */
import { detailsOf, RelayError, type RelayErrorCode } from './errors.ts'
import type { ObjectRefused } from './read-answer.ts'
import type { ObjectError } from './wire.ts'

const CLOCK_HINT = 'set the clock of this computer'
const OBJECT_REFUSALS: Readonly<Record<ObjectError, { code: RelayErrorCode; message: string; hint: string }>> = {
  'No such object': {
    code: 'RELAY_STRANGE',
    message: 'the relay has no place for the object',
    hint: 'check the address of the relay',
  },
  There: { code: 'RELAY_STRANGE', message: 'the relay does not name the object that it has', hint: 'take another id' },
  Busy: {
    code: 'RELAY_BUSY',
    message: 'another request sends this object to the relay',
    hint: 'wait until it has ended',
  },
  'Bad request': { code: 'RELAY_BAD_REQUEST', message: 'an object has bytes', hint: 'send some' },
  'Bad range': { code: 'RELAY_STRANGE', message: 'the object is shorter than it was', hint: 'fetch it from its begin' },
  'Too big': {
    code: 'RELAY_TOO_BIG',
    message: 'the object is larger than the relay takes',
    hint: 'send less; the address /info of the relay shows its limits',
  },
  'Too much': {
    code: 'RELAY_STORE_FULL',
    message: 'the relay keeps no more objects of this persona',
    hint: 'delete some, or use another relay',
  },
  'Too often': {
    code: 'RELAY_TOO_OFTEN',
    message: 'the relay takes no more from here now',
    hint: 'try again later',
  },
  Full: { code: 'RELAY_TOO_OFTEN', message: 'the relay is full', hint: 'try again later' },
  Token: {
    code: 'RELAY_NO_RIGHT',
    message: 'the relay keeps objects only for those who have a right',
    hint: 'put the card with a token of its operator',
  },
  Clock: { code: 'RELAY_NO_RIGHT', message: 'the relay does not take the time of the token', hint: CLOCK_HINT },
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
export function errorOfObjectRefusal(refused: ObjectRefused): RelayError {
  const { code, message, hint } = OBJECT_REFUSALS[refused.error]
  return new RelayError(code, message, { hint, details: detailsOf(refused) })
}
