/** The methods of the daemon itself: status, event subscriptions and the history (docs/ipc.md, section 3). */
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { EventName } from '../../ipc/methods/events.ts'
import { MAX_PAGE } from '../../ipc/shapes/limits.ts'
import type { Caller, Handlers } from '../../ipc/methods/method.ts'
import type { Methods } from '../../ipc/methods/table.ts'
import type { DaemonStatus } from '../../ipc/methods/status.ts'
import { lagged } from '../../ipc/wire/rpc.ts'
import { alarmCursor } from '../personas/alarms.ts'
import { KeeperError } from '../state/errors.ts'
import { findContact } from '../contacts/find.ts'
import { listHistory, replayEvent, tipOf, verifyHistory } from '../state/history.ts'
import type { Keeper } from '../keeper/keeper.ts'
import { NO_STANDING, standingOf } from '../own/standing.ts'
import { ownOf } from '../state/view.ts'
import type { Apps } from '../apps/sessions.ts'
import { makeStatus, type About } from '../health/status.ts'

const DEFAULT_LOG_PAGE = 50
const REPLAYED_A_TURN = 64 // sanity: takes some milliseconds; the whole history at once would block other clients for seconds

export type GeneralMethods = Pick<Methods, 'status' | 'subscribe' | 'unsubscribe' | 'log.list' | 'log.verify'>

/** @param eventNames of all events */
export function generalHandlers(
  keeper: Keeper,
  apps: Apps,
  about: () => About,
  eventNames: readonly EventName[],
): Handlers<GeneralMethods> {
  return {
    status: () => status(keeper, about),
    subscribe: async ({ events, after }, caller) => {
      const names = events ?? [...eventNames]
      const cursor = await catchUp(keeper, apps, caller, names, after ?? tipOf(keeper.onDisk).number)
      return { events: names, cursor }
    },
    unsubscribe: (_, caller) => {
      caller.unsubscribe()
      return {}
    },
    'log.list': async ({ about, before, limit }) =>
      listHistory(keeper.onDisk, {
        limit: Math.min(limit ?? DEFAULT_LOG_PAGE, MAX_PAGE),
        ...(before === undefined ? {} : { before }),
        ...(about === undefined ? {} : { about: await keysOf(about, keeper) }),
      }),
    'log.verify': () => verifyHistory(keeper.onDisk, keeper.engine),
  }
}

/**
 * Sends the events after a number, and subscribes in the same turn in which it has sent the last one, so that none is missed.
 * @returns number of the last event that was sent or skipped
 * @throws {KeeperError} CURSOR_AHEAD, which also raises an alarm: it may be the only sign that an older store was restored
 */
async function catchUp(
  keeper: Keeper,
  apps: Apps,
  caller: Caller,
  names: readonly EventName[],
  after: number,
): Promise<number> {
  const { onDisk } = keeper
  const last = tipOf(onDisk).number
  if (after > last) {
    const source = apps.sourceOf(caller)
    await keeper.change(() => alarmCursor(after, last, source, keeper.state))
    const message = `there is no event ${after} here; the last one is ${last}`
    throw new KeeperError(
      'CURSOR_AHEAD',
      message,
      'an older store may have been restored: read the state again, then subscribe without "after"',
    )
  }
  caller.unsubscribe()
  let [number, looked] = [after, 0]
  // Read the tip each time: while the client reads, new events come, and the oldest entries may go.
  for (let tip = tipOf(onDisk); number < tip.number; tip = tipOf(onDisk)) {
    const gap = tip.oldest - 1 - number
    const next = gap > 0 ? lagged(gap, number) : replayEvent(number + 1, keeper.reader())
    number += Math.max(gap, 1)
    const isWanted = next !== null && (next.event === 'lagged' || names.includes(next.event))
    if (isWanted && !(await caller.replay(next))) break
    // Skipped events and fast clients do not let others take their turn, so count them all.
    if (++looked % REPLAYED_A_TURN === 0) await nextTurn()
  }
  caller.subscribe(names, number)
  return number
}

/** The PersonaID and device keys that a log query means: a contact with all its devices, or one device. @throws {KeeperError} NOT_FOUND | AMBIGUOUS */
async function keysOf(query: string, keeper: Keeper): Promise<Set<string>> {
  const { personaId, devices, claims, others } = await findContact(query, keeper.reader())
  const keys = [...devices, ...claims, ...others].map((device) => device.key)
  return new Set(personaId === null ? keys : [personaId, ...keys])
}

function status(keeper: Keeper, about: () => About): DaemonStatus {
  const { custody, engine } = keeper
  const found = ownOf(keeper.onDisk)
  custody.expire()
  return makeStatus(about(), {
    engine: engine.name,
    table: keeper.ownTable,
    isLocked: custody.isLocked,
    theftProtection: found?.own.recoveryConfirmed === true,
    standing:
      found === null ? NO_STANDING : standingOf(found.own, found.persona, custody.isLocked ? null : custody.epochs()),
    counts: keeper.counts(),
    clock: keeper.clock(),
  })
}
