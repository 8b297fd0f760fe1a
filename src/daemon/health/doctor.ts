/** `doctor`: what is not as it should be, found by small checks that know nothing of each other (docs/ipc.md, section 3). */
import { checkCompanion } from './check-companion.ts'
import { checkCustody } from './check-custody.ts'
import { checkDaemon } from './check-daemon.ts'
import { checkOwn } from './check-own.ts'
import { checkProfiles } from './check-profiles.ts'
import { checkWaiting } from './check-waiting.ts'
import type { Check, Examined } from './examined.ts'
import type { Diagnosis } from '../../ipc/shapes/doctor.ts'

const CHECKS: readonly Check[] = [checkDaemon, checkCustody, checkOwn, checkProfiles, checkCompanion, checkWaiting]

export function diagnose(examined: Examined): Diagnosis {
  return { findings: CHECKS.flatMap((check) => check(examined)) }
}
