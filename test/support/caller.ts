import type { Caller } from '../../src/ipc/methods/method.ts'

/** One open connection, which takes every event and does nothing with it. */
export function callerAs(role: Caller['role'], id = 1): Caller {
  return {
    id,
    role,
    isOpen: true,
    subscribe: () => {},
    unsubscribe: () => {},
    replay: () => Promise.resolve(true),
  }
}
