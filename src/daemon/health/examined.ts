/** The state at one moment, as all checks of the doctor see it. */
import type { Sighting } from '../../core/trust.ts'
import type { SealMode } from '../../crypto/seal.ts'
import type { OwnStanding } from '../own/standing.ts'
import type { Clock } from '../state/view.ts'
import type { Alarm } from '../../ipc/shapes/alarms.ts'
import type { Finding } from '../../ipc/shapes/doctor.ts'
import type { LogVerdict } from '../../ipc/shapes/log.ts'
import type { OwnTable } from '../../ipc/shapes/own.ts'

/** The state at one moment, as all checks see it. */
export interface Examined {
  /** null before init. */
  readonly table: OwnTable | null
  readonly standing: OwnStanding
  readonly isLocked: boolean
  /** How the signing key is sealed on disk; null before init. */
  readonly sealing: SealMode | null
  readonly theftProtection: boolean
  /** The seed may be on this device; false only when it surely is not. */
  readonly mayHaveSeed: boolean
  readonly clock: Clock
  readonly engine: 'sodium' | 'portable'
  readonly storeKind: string
  readonly storeSchema: number
  /** Why a crash could write a core dump, a sentence each; none when it cannot. */
  readonly coreDumps: readonly string[]
  /** When each own device was last seen showing the own blob, and which table; null for one that was never seen with the own blob. */
  readonly shown: ReadonlyMap<string, Sighting | null>
  readonly alarms: readonly Alarm[]
  readonly history: LogVerdict
  /** How many answers the owner owes: about contacts, and to apps that ask for more. */
  readonly waiting: { readonly contacts: number; readonly apps: number }
}

/** One check: everything that it looked at, also what is well. */
export type Check = (examined: Examined) => Finding[]
