/** Calls of a wing as the owner, who would make them by a command. It knows the methods of the other wings by their table alone. */
import type { Methods } from '../../ipc/methods/all-methods.ts'
import type { Caller, Handlers, ParamsOf, ResultOf } from '../../ipc/methods/method.ts'

export interface OwnerCalls {
  /** @throws the error of the method, as the method throws it */
  call: <Name extends keyof Methods>(method: Name, params: ParamsOf<Methods[Name]>) => Promise<ResultOf<Methods[Name]>>
}

/** Before the methods are there. */
export function noCalls(): OwnerCalls {
  return { call: () => Promise.reject(new Error('no method answers yet')) }
}

/** @param handlers those of the whole daemon */
export function callsOf(handlers: Handlers<Methods>): OwnerCalls['call'] {
  return async (method, params) => await handlers[method](params, OWNER)
}

/** It has no connection, so it hears of nothing. */
const OWNER: Caller = {
  id: 0,
  role: 'admin',
  isOpen: true,
  subscribe: () => {},
  replay: () => Promise.resolve(false),
  unsubscribe: () => {},
}
