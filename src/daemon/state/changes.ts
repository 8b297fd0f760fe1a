/** The part of the keeper that a procedure of several changes uses. */
import type { CryptoEngine } from '../../crypto/engine.ts'
import type { Records } from './records.ts'
import type { State } from './state.ts'

export interface Changes {
  readonly state: State
  readonly onDisk: Records
  readonly engine: CryptoEngine
  change<T>(decide: () => T): Promise<T>
}
