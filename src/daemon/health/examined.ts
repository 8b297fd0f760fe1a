/** The input of all checks of `doctor`. */
import type { Sighting } from '../../core/consent.ts'
import type { SealMode } from '../../crypto/seal.ts'
import type { SeedState } from '../own/seed.ts'
import type { OwnStanding } from '../own/standing.ts'
import type { Clock } from '../state/view.ts'
import type { Alarm } from '../../ipc/shapes/alarms.ts'
import type { Finding } from '../../ipc/shapes/doctor.ts'
import type { LogVerdict } from '../../ipc/shapes/log.ts'
import type { OwnTable } from '../../ipc/shapes/own.ts'

/** The state at one moment. */
export interface Examined {
  /** null before init. */
  readonly table: OwnTable | null
  readonly standing: OwnStanding
  readonly isLocked: boolean
  /** How the signing key is sealed on disk; null before init. */
  readonly sealing: SealMode | null
  readonly theftProtection: boolean
  /** Where the seed is; null before init. */
  readonly seed: SeedState | null
  readonly clock: Clock
  readonly engine: 'sodium' | 'portable'
  readonly storeKind: string
  readonly storeSchema: number
  /** The reasons why a crash could write a core dump, one sentence each; empty if it cannot. */
  readonly coreDumps: readonly string[]
  /** The last sighting of each own device with the own blob; null if there was none. */
  readonly shown: ReadonlyMap<string, Sighting | null>
  readonly alarms: readonly Alarm[]
  readonly history: LogVerdict
  /** The number of decisions that wait for the owner: on contacts, and on apps that ask for more. */
  readonly waiting: { readonly contacts: number; readonly apps: number }
}

/** One check. It returns a finding for everything that it looked at, including what is well. */
export type Check = (examined: Examined) => Finding[]
