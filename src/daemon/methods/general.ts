/** The methods of the daemon itself: status, event subscriptions and the history (docs/ipc.md, section 3). */
import type { EventName } from '../../ipc/methods/events.ts'
import { MAX_PAGE } from '../../ipc/shapes/limits.ts'
import type { Caller, Handlers } from '../../ipc/methods/method.ts'
import type { Methods } from '../../ipc/methods/all-methods.ts'
import type { DaemonStatus } from '../../ipc/methods/status.ts'
import { alarmCursor } from '../personas/alarms.ts'
import { KeeperError } from '../state/errors.ts'
import { findContact } from '../contacts/find.ts'
import { listHistory, tipOf, verifyHistory } from '../state/history.ts'
import type { Keeper } from '../keeper/keeper.ts'
import { isProtected, NO_STANDING, standingOf } from '../own/standing.ts'
import { ownOf } from '../state/view.ts'
import type { Apps } from '../apps/apps.ts'
import { notAllowed, Replays } from './replays.ts'
import { makeStatus, type About } from '../health/status.ts'

const DEFAULT_LOG_PAGE = 50

export type GeneralMethods = Pick<Methods, 'status' | 'subscribe' | 'unsubscribe' | 'log.list' | 'log.verify'>

/** @param eventNames of all events */
export function generalHandlers(
  keeper: Keeper,
  apps: Apps,
  about: () => About,
  eventNames: readonly EventName[],
): Handlers<GeneralMethods> {
  const replays = new Replays(keeper, apps)
  return {
    status: () => status(keeper, about),
    subscribe: async ({ events, after }, caller) => {
      const names = events ?? eventNames.filter((name) => apps.mayAsk(caller, name))
      if (!names.every((name) => apps.mayAsk(caller, name))) throw notAllowed('admin')
      const from = after ?? tipOf(keeper.onDisk).number
      await checkCursor(keeper, apps, caller, from)
      return { events: names, cursor: await replays.subscribe(caller, names, from) }
    },
    unsubscribe: (_, caller) => {
      replays.end(caller)
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

/** @throws {KeeperError} CURSOR_AHEAD, which also raises an alarm: it may be the only sign that an older store was restored */
async function checkCursor(keeper: Keeper, apps: Apps, caller: Caller, after: number): Promise<void> {
  const last = tipOf(keeper.onDisk).number
  if (after <= last) return
  const source = apps.sourceOf(caller)
  await keeper.change(() => alarmCursor(after, last, source, keeper.state))
  const message = `there is no event ${after} here; the last one is ${last}`
  throw new KeeperError(
    'CURSOR_AHEAD',
    message,
    'an older store may have been restored: read the state again, then subscribe without "after"',
  )
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
    theftProtection: isProtected(found?.own, found?.persona),
    standing:
      found === null ? NO_STANDING : standingOf(found.own, found.persona, custody.isLocked ? null : custody.epochs()),
    counts: keeper.counts(),
    clock: keeper.clock(),
  })
}
