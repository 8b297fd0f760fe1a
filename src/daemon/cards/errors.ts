/** Why the own persona does not show itself in an app. */
import { Refusal } from '../../errors/refusal.ts'

export type CardsErrorCode =
  | 'CARD_TAKEN_OUT' // another device of the owner, or a thief, took this device out of the card
  | 'CARD_FULL' // the card lists as many devices as it may
  | 'CARD_APPS_FULL' // the persona has cards for as many apps as it may
  | 'CARD_NONE' // this device uses no such app as the persona

export class CardsError extends Refusal<CardsErrorCode> {
  override readonly name = 'CardsError'
}
