/** The refusals of the companion. */
import { Refusal } from '../../errors/refusal.ts'

export type CompanionErrorCode =
  | 'TOX_DISABLED' // the configuration has no companion
  | 'TOX_BOOTSTRAP_FILE' // the file of nodes cannot be read
  | 'NO_COMPANION' // it was not created yet
  | 'TOO_MANY_PEERS'

export class CompanionError extends Refusal<CompanionErrorCode> {
  override readonly name = 'CompanionError'
}
