/** What `status` and `doctor` say about the apps key. Nothing, while no app keeps anything. */
import { notice, ok, problem, type Finding } from '../../ipc/shapes/doctor.ts'
import { adviceFor, reasonOf } from './closed.ts'
import type { AppsKey } from './apps-key.ts'
import type { KeyChange } from './change.ts'

/** @param hasWritten whether a record was sealed since the last count */
export function appsFindings(
  { closed }: Pick<AppsKey, 'closed'>,
  { lost, counted }: Pick<KeyChange, 'lost' | 'counted'>,
  hasWritten: boolean,
): Finding[] {
  const isUsed = counted > 0 || hasWritten
  if (closed !== null && closed.why !== 'locked') {
    return [problem('APPS_KEY_UNUSABLE', `what apps keep is locked: ${reasonOf(closed)}`, adviceFor(closed))]
  }
  if (closed !== null) {
    const message = 'what apps keep is locked until the signing key is unlocked, so channels neither fetch nor send'
    return isUsed ? [notice('APPS_LOCKED', message, adviceFor(closed))] : []
  }
  if (lost === 0) return isUsed ? [ok('APPS_KEY', 'what apps keep is sealed by a key that changes daily')] : []
  const message = `no key here opens ${lost} of ${counted} sealed records of apps: the file "apps" is not the one that belongs to this store`
  return [
    problem(
      'APPS_RECORDS_LOST',
      message,
      'put back the file "apps" of this store, or close the channels that the records belong to',
    ),
  ]
}
