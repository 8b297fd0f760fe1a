/**
 * The method `persona.erase` (docs/ipc.md, section 3). When it answers, the mark is on disk and the keys are gone. The rest is erased as the
 * daemon stops.
 */
import { OwnPersonaError } from './own/errors.ts'
import { rm, rmdir } from 'node:fs/promises'
import type { Handlers } from '../ipc/methods/method.ts'
import type { Methods } from '../ipc/methods/all-methods.ts'
import type { TableDevice } from '../ipc/shapes/contact.ts'
import type { Paths } from '../ipc/paths.ts'
import { beginErasing, finishErasing } from '../store/erase.ts'
import type { StateLock } from '../store/lock.ts'
import type { StatePaths } from '../store/state-dir.ts'
import { outsidePath } from '../store/witness.ts'
import { isOfHere } from './own/notes.ts'
import type { Farewell } from './rotation/leave.ts'
import type { Keeper } from './keeper/keeper.ts'
import type { AppsKey } from './sealed/apps-key.ts'
import { OWN } from './state/own-record.ts'

const NO_PERSONA_ID = '0'.repeat(64) // stands for the PersonaID if there is no persona

/**
 * @param onBegun must stop the daemon, which then calls {@link endErasing} instead of releasing the lock
 * @param farewell lets others know, as far as they can be reached, and names the rest; it must not throw
 */
export function eraseHandlers(
  keeper: Keeper,
  appsKey: Pick<AppsKey, 'erase'>,
  paths: StatePaths,
  onBegun: () => void,
  farewell: Farewell,
): Handlers<Pick<Methods, 'persona.erase'>> {
  return {
    'persona.erase': async ({ digits }) => {
      // Works without a persona too: after leaving it, the owner may want to give the device away without any traces.
      const { personaId, devices } = keeper.ownTable ?? { personaId: null, devices: [] }
      if (!(personaId ?? NO_PERSONA_ID).startsWith(digits.toUpperCase())) {
        const hint = 'check the PersonaID; nothing was erased'
        throw new OwnPersonaError('ERASE_MISMATCH', 'the persona here does not begin with these digits', hint)
      }
      const own = keeper.onDisk.own.get(OWN)
      const isLocal = ({ key }: TableDevice): boolean => own !== undefined && isOfHere(own, key)
      const unreached = await farewell()
      return await keeper.keys.inTurn(async () => {
        await beginErasing(paths)
        try {
          await Promise.all([keeper.custody.discard(), appsKey.erase()])
        } finally {
          onBegun()
        }
        return {
          personaId,
          local: devices.filter(isLocal),
          remaining: devices.filter((device) => !isLocal(device)),
          unreached,
        }
      })
    },
  }
}

/** Erases the rest. The daemon calls it last, when it uses nothing in its directories any more. @throws {StoreError} STORE_IO; the next start continues */
export async function endErasing(lock: StateLock, paths: Paths): Promise<void> {
  await finishErasing(lock.paths)
  await rm(outsidePath(paths.runDir), { force: true })
  // A directory that the service manager made stays.
  for (const directory of [paths.adminDir, paths.runDir]) await rmdir(directory).catch(() => {})
  await lock.remove()
}
