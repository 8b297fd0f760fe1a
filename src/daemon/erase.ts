/** What answers `persona.erase` (docs/ipc.md, section 3): the mark is on disk and the keys are gone when it answers; the rest goes as the daemon ends. */
import { OwnPersonaError } from './own/errors.ts'
import { rmdir } from 'node:fs/promises'
import type { Handlers } from '../ipc/methods/method.ts'
import type { Methods } from '../ipc/methods/table.ts'
import type { TableDevice } from '../ipc/shapes/contact.ts'
import type { Paths } from '../ipc/paths.ts'
import { beginErasing, finishErasing } from '../store/erase.ts'
import type { StateLock } from '../store/lock.ts'
import type { StatePaths } from '../store/state-dir.ts'
import { isOfHere } from './own/notes.ts'
import type { Keeper } from './keeper/keeper.ts'
import { OWN } from './state/records.ts'

const NO_PERSONA_ID = '0'.repeat(64) // what is said in the place of a persona that is not there

/** @param onBegun the daemon is to stop, and to call {@link endErasing} instead of giving the lock free */
export function eraseHandlers(
  keeper: Keeper,
  paths: StatePaths,
  onBegun: () => void,
): Handlers<Pick<Methods, 'persona.erase'>> {
  return {
    'persona.erase': async ({ digits }) => {
      // Who gave the persona up may still want to give the device away, with nobody's name on it.
      const { personaId, devices } = keeper.ownTable ?? { personaId: null, devices: [] }
      if (!(personaId ?? NO_PERSONA_ID).startsWith(digits.toUpperCase())) {
        const hint = 'check the PersonaID; nothing was erased'
        throw new OwnPersonaError('ERASE_MISMATCH', 'the persona here does not begin with these digits', hint)
      }
      const own = keeper.onDisk.own.get(OWN)
      const isLocal = ({ key }: TableDevice): boolean => own !== undefined && isOfHere(own, key)
      return await keeper.keys.inTurn(async () => {
        await beginErasing(paths)
        try {
          await keeper.custody.discard()
        } finally {
          onBegun()
        }
        return {
          personaId,
          local: devices.filter(isLocal),
          remaining: devices.filter((device) => !isLocal(device)),
        }
      })
    },
  }
}

/** The last thing that a daemon does: nothing in its directories is used any more. @throws {StoreError} STORE_IO: the next start goes on */
export async function endErasing(lock: StateLock, { runDir, adminDir }: Paths): Promise<void> {
  await finishErasing(lock.paths)
  // The service manager keeps the one that it made.
  for (const directory of [adminDir, runDir]) await rmdir(directory).catch(() => {})
  await lock.remove()
}
