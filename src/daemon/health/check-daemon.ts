/** The checks of `doctor` for engine, store and clock. */
import { notice, ok, problem, type Finding } from '../../ipc/shapes/doctor.ts'
import type { Clock } from '../state/view.ts'
import type { Examined } from './examined.ts'

export function checkDaemon({ engine, storeKind, storeSchema, clock }: Examined): Finding[] {
  return [
    engine === 'sodium'
      ? ok('ENGINE', 'libsodium is in use, and secrets lie in guarded memory')
      : notice(
          'ENGINE_PORTABLE',
          'libsodium is not used: cryptography is slower, and secrets lie in ordinary memory',
          'install the package sodium-native again, and see "engine" in the configuration',
        ),
    // The daemon has opened the store, and it opens only a whole one.
    ok('STORE', `the store is whole (${storeKind}, schema ${storeSchema})`),
    checkClock(clock),
  ]
}

/** Ages need a clock that has not run backwards. */
export function checkClock({ isWrong }: Clock): Finding {
  if (!isWrong) return ok('CLOCK', 'the clock has not run backwards')
  const message =
    'the clock of this machine is earlier than a time that the daemon has already recorded, so ages are not judged'
  return problem('CLOCK_WRONG', message, 'set the clock; if it is right now, edit your table once')
}
