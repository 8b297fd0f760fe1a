/** `doctor`: what is not as it should be, found by small checks that know nothing of each other (docs/ipc.md, section 3). */
import type { Diagnosis, Finding } from '../ipc/shapes-doctor.ts'
import type { OwnTable, ProfileList } from '../ipc/shapes.ts'
import type { ToxStatus } from '../ipc/shapes-tox.ts'
import { checkCompanion } from './doctor-companion.ts'
import { checkDaemon } from './doctor-daemon.ts'
import { checkOwn } from './doctor-own.ts'
import { checkProfiles } from './doctor-profiles.ts'
import type { Clock } from './view.ts'

/** The state at one moment, as all checks see it. */
export interface Examined {
  /** null before init. */
  readonly table: OwnTable | null
  readonly isLocked: boolean
  readonly theftProtection: boolean
  readonly clock: Clock
  readonly engine: 'sodium' | 'portable'
  readonly storeKind: string
  readonly storeSchema: number
  /** When each own device was last seen showing the own blob, unix seconds, by ToxPk; null for one that was never seen with the own blob. */
  readonly shownAtSec: ReadonlyMap<string, number | null>
  readonly profiles: ProfileList
  /** Of the companion; null where the configuration has none. */
  readonly tox: ToxStatus | null
}

/** One check: everything that it looked at, also what is well. */
export type Check = (examined: Examined) => Finding[]

const CHECKS: readonly Check[] = [checkDaemon, checkOwn, checkProfiles, checkCompanion]

export function diagnose(examined: Examined): Diagnosis {
  return { findings: CHECKS.flatMap((check) => check(examined)) }
}
