/** `doctor`: finds problems with small, independent checks (docs/ipc.md, section 3). */
import { checkCustody } from './check-custody.ts'
import { checkDaemon } from './check-daemon.ts'
import { checkOwn } from './check-own.ts'
import { checkWaiting } from './check-waiting.ts'
import type { Check, Examined } from './examined.ts'
import type { Diagnosis, Finding } from '../../ipc/shapes/doctor.ts'

const CHECKS: readonly Check[] = [checkDaemon, checkCustody, checkOwn]

/** @param ofWings the findings of the wings */
export function diagnose(examined: Examined, ofWings: readonly Finding[]): Diagnosis {
  return { findings: [...CHECKS.flatMap((check) => check(examined)), ...ofWings, ...checkWaiting(examined)] }
}
