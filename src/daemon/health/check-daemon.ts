/** What `doctor` says of engine, store and clock. */
import { notice, ok, problem, type Finding } from '../../ipc/shapes/doctor.ts'
import type { Examined } from './examined.ts'

export function checkDaemon({ engine, storeKind, storeSchema, clock }: Examined): Finding[] {
  return [
    engine === 'sodium'
      ? ok('ENGINE', 'cryptography is done by libsodium, and secrets lie in guarded memory')
      : notice(
          'ENGINE_PORTABLE',
          'libsodium is not used: cryptography is slower, and secrets lie in ordinary memory',
          'install the package sodium-native again, and see "engine" in the configuration',
        ),
    // A daemon that runs has opened it, and does not open what is not whole.
    ok('STORE', `the store is whole (${storeKind}, schema ${storeSchema})`),
    clock.isWrong
      ? problem(
          'CLOCK_WRONG',
          'the clock of this machine is before a time it once told, so ages are not judged',
          'set the clock; if it is right now, an edit of your table says so',
        )
      : ok('CLOCK', 'the clock has not gone back'),
  ]
}
