/** Refusals that every part of the daemon shares; each folder has its own beside its code (docs/ipc.md, "Errors"). */
import { Refusal } from '../../errors/refusal.ts'

export type KeeperErrorCode =
  | 'NO_PERSONA'
  | 'PERSONA_EXISTS'
  | 'NOT_FOUND'
  | 'AMBIGUOUS'
  | 'NAME_TAKEN' // by another contact
  | 'CURSOR_AHEAD' // a subscriber was told more than this store knows of

export class KeeperError extends Refusal<KeeperErrorCode> {
  override readonly name = 'KeeperError'
}

/** What every method that needs a persona answers before there is one. */
export function noPersona(): KeeperError {
  return new KeeperError('NO_PERSONA', 'there is no persona here yet', 'create one first')
}

/** What every method that makes a persona, or brings one here, answers where there is one. */
export function personaExists(personaId: string): KeeperError {
  const hint = 'one daemon keeps one persona'
  return new KeeperError('PERSONA_EXISTS', `this daemon already keeps a persona: ${personaId}`, hint)
}
