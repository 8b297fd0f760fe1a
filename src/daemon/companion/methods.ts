/** Answers the methods of the companion, where the configuration has one (docs/ipc.md, section 3). */
import { CompanionError } from './errors.ts'
import type { Handlers } from '../../ipc/methods/method.ts'
import type { ToxMethods } from '../../ipc/methods/companion.ts'
import type { Companion } from './companion.ts'

/** @param companion null if there is none: each method then throws TOX_DISABLED */
export function toxHandlers(companion: Companion | null): Handlers<ToxMethods> {
  const enabled = (): Companion => {
    if (companion !== null) return companion
    throw new CompanionError(
      'TOX_DISABLED',
      'the configuration of the daemon has no companion',
      'set tox.enabled to true and restart the daemon',
    )
  }
  return {
    'tox.up': ({ name }) => enabled().up(name),
    'tox.down': () => enabled().down(),
    'tox.peers': () => enabled().peers(),
    'tox.add': async ({ id }) => ({ key: await enabled().add(id) }),
  }
}
