/** What answers `doctor` (docs/ipc.md, section 3): the state, gathered once for all checks. */
import type { Sighting } from '../../core/trust.ts'
import type { Handlers } from '../../ipc/methods/method.ts'
import type { Methods } from '../../ipc/methods/table.ts'
import { diagnose } from './doctor.ts'
import { verifyHistory } from '../state/history.ts'
import type { About } from './status.ts'
import type { Keeper } from '../keeper/keeper.ts'
import { NO_STANDING, standingOf } from '../own/standing.ts'
import type { Profiles } from '../profiles/profiles.ts'
import { OWN } from '../state/records.ts'
import { listAlarms } from '../keeper/alarms.ts'
import type { Examined } from './examined.ts'

export type DoctorMethods = Pick<Methods, 'doctor'>

/** @param coreDumps why a crash could write one: see forbidCoreDumps */
export function doctorHandlers(
  keeper: Keeper,
  profiles: Pick<Profiles, 'list'>,
  coreDumps: readonly string[],
  about: () => About,
): Handlers<DoctorMethods> {
  return {
    doctor: async () => diagnose(await examine(keeper, profiles, coreDumps, about())),
  }
}

async function examine(
  keeper: Keeper,
  profiles: Pick<Profiles, 'list'>,
  coreDumps: readonly string[],
  about: About,
): Promise<Examined> {
  const [watched, alarms, history, waiting] = [
    await profiles.list(),
    await listAlarms(keeper),
    await verifyHistory(keeper.onDisk, keeper.engine),
    await countWaiting(keeper),
  ]
  const { ownTable: table, custody, onDisk } = keeper
  const own = onDisk.own.get(OWN)
  custody.expire()
  return {
    table,
    standing:
      own === undefined
        ? NO_STANDING
        : standingOf(own, keeper.ownPersona(), custody.isLocked ? null : custody.epochs()),
    isLocked: custody.isLocked,
    sealing: custody.mode,
    theftProtection: own?.recoveryConfirmed === true,
    mayHaveSeed: keeper.own.mayHaveSeed,
    clock: keeper.clock(),
    engine: keeper.engine.name,
    storeKind: about.storeKind,
    storeSchema: about.storeSchema,
    coreDumps,
    shown: new Map(table?.devices.map(({ key }) => [key, shownBy(keeper, about, key)])),
    profiles: watched,
    tox: about.tox,
    alarms,
    history,
    waiting,
  }
}

async function countWaiting({ onDisk }: Keeper): Promise<Examined['waiting']> {
  let [contacts, apps] = [0, 0]
  for await (const [, { kinds }] of onDisk.pending.iterate()) contacts += kinds.length
  for await (const [, { asks, revoking }] of onDisk.apps.iterate()) if (asks !== null && !revoking) apps++
  return { contacts, apps }
}

/** The companion of this machine shows the table while it runs; nobody reports that here. */
function shownBy(keeper: Keeper, about: About, key: string): Sighting | null {
  const { ownTable, nowSec } = keeper
  if (about.tox?.key !== key || about.tox.state !== 'running' || ownTable === null) return keeper.shownBy(key)
  const { personaId, epoch, seq } = ownTable
  return { atSec: nowSec, personaId, lists: true, table: { epoch, seq } }
}
