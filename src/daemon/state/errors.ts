/** Refusals that every part of the daemon shares; each folder has its own beside its code (docs/ipc.md, "Errors"). */
import { Refusal } from '../../errors/refusal.ts'

export type KeeperErrorCode =
  | 'NO_PERSONA'
  | 'PERSONA_EXISTS'
  | 'NOT_FOUND'
  | 'AMBIGUOUS'
  | 'NAME_TAKEN' // by another contact
  | 'CURSOR_AHEAD' // a subscriber has seen events that this store does not have
  | 'REPLAY_ENDED' // the connection closes, or a later subscription of it ended this one

export class KeeperError extends Refusal<KeeperErrorCode> {
  override readonly name = 'KeeperError'
}

/** Every method that needs a persona throws this before there is one. */
export function noPersona(): KeeperError {
  return new KeeperError('NO_PERSONA', 'there is no persona here yet', 'create one first')
}

/** Every method that creates or imports a persona throws this if there is one already. */
export function personaExists(personaId: string): KeeperError {
  const hint = 'one daemon keeps one persona'
  return new KeeperError('PERSONA_EXISTS', `this daemon already keeps a persona: ${personaId}`, hint)
}
