/** The refusals of relays that the owner adds. */
import { Refusal } from '../../errors/refusal.ts'

export type RelaysErrorCode =
  | 'RELAYS_TOO_MANY'
  | 'RELAY_UNUSABLE' // it does not work as a relay from here
  | 'RELAY_WANTS_TOKEN' // it lets others send only with a right, which needs a token
  | 'RELAY_CONFIGURED' // the configuration names it

export class RelaysError extends Refusal<RelaysErrorCode> {
  override readonly name = 'RelaysError'
}
