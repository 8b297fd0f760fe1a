/** The errors of a relay that refuses an object, or a call about one. */
import { COMMON_REFUSALS, refusalError, type Refusal, type RelayError } from './errors.ts'
import type { ObjectRefused } from './read-answer.ts'
import type { ObjectError } from './wire.ts'

const OBJECT_REFUSALS: Readonly<Record<ObjectError, Refusal>> = {
  ...COMMON_REFUSALS,
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
  Token: {
    code: 'RELAY_NO_RIGHT',
    message: 'the relay keeps objects only for those who have a right',
    hint: 'put the card with a token of its operator',
  },
}

export function errorOfObjectRefusal(refused: ObjectRefused): RelayError {
  return refusalError(OBJECT_REFUSALS[refused.error], refused)
}
