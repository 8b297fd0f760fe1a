/** What answers the methods about the daemon itself: its status, and the events of a connection (docs/ipc.md, section 3). */
import { EVENT_NAMES } from '../ipc/events.ts'
import type { Handlers } from '../ipc/method.ts'
import type { Methods } from '../ipc/methods.ts'
import type { DaemonStatus } from '../ipc/shapes.ts'
import type { Keeper } from './keeper.ts'
import { OWN } from './records.ts'
import { makeStatus } from './status.ts'

export type GeneralMethods = Pick<Methods, 'status' | 'subscribe' | 'unsubscribe'>

export function generalHandlers(keeper: Keeper): Handlers<GeneralMethods> {
  return {
    status: () => status(keeper),
    subscribe: ({ events }, caller) => {
      const names = events ?? [...EVENT_NAMES]
      caller.subscribe(names)
      return { events: names }
    },
    unsubscribe: (_, caller) => {
      caller.unsubscribe()
      return {}
    },
  }
}

function status(keeper: Keeper): DaemonStatus {
  const { custody, engine } = keeper
  const own = keeper.onDisk.own.get(OWN)
  return makeStatus(keeper.about, {
    engine: engine.name,
    table: own === undefined ? null : keeper.table(),
    isLocked: custody.isLocked,
    theftProtection: own?.recoveryConfirmed === true,
    counts: keeper.counts(),
    clock: keeper.clock(),
  })
}
