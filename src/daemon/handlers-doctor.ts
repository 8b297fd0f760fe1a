/** What answers `doctor` (docs/ipc.md, section 3): the state, gathered once for all checks. */
import type { Handlers } from '../ipc/method.ts'
import type { Methods } from '../ipc/methods.ts'
import { diagnose } from './doctor.ts'
import type { Keeper } from './keeper.ts'
import type { Profiles } from './profiles.ts'
import { OWN } from './records.ts'

export type DoctorMethods = Pick<Methods, 'doctor'>

export function doctorHandlers(keeper: Keeper, profiles: Profiles): Handlers<DoctorMethods> {
  return {
    doctor: async () => {
      const watched = await profiles.list()
      const { ownTable: table, about } = keeper
      return diagnose({
        table,
        isLocked: keeper.custody.isLocked,
        theftProtection: keeper.onDisk.own.get(OWN)?.recoveryConfirmed === true,
        clock: keeper.clock(),
        engine: keeper.engine.name,
        storeKind: about.storeKind,
        storeSchema: about.storeSchema,
        shownAtSec: new Map(table?.devices.map(({ key }) => [key, shownAtSec(keeper, key)])),
        profiles: watched,
        tox: about.tox,
      })
    },
  }
}

/** The companion of this machine shows the table while it runs; nobody reports that here. */
function shownAtSec(keeper: Keeper, key: string): number | null {
  const { tox } = keeper.about
  return tox?.key === key && tox.state === 'running' ? keeper.nowSec : keeper.shownAtSec(key)
}
