/** Why the own persona does not show itself in an app. */
import { Refusal } from '../../errors/refusal.ts'
import { MAX_APPS } from './kept/records.ts'

export type CardsErrorCode =
  | 'CARD_TAKEN_OUT' // another device of the owner, or a thief, took this device out of the card
  | 'CARD_FULL' // the card lists as many devices as it may
  | 'CARD_APPS_FULL' // the persona has cards for as many apps as it may
  | 'CARD_NONE' // this device uses no such app as the persona

export class CardsError extends Refusal<CardsErrorCode> {
  override readonly name = 'CardsError'
}

export function takenOut(app: string): CardsError {
  const message = `another of your devices, or somebody who has its key, took this device out of your card for ${app}`
  const hint =
    'put this device back if you did not take it out and trust your devices; rotate the key if one was stolen'
  return new CardsError('CARD_TAKEN_OUT', message, hint, { app })
}

export function noneFor(app: string): CardsError {
  const message = `this device uses no app ${JSON.stringify(app)} as your persona`
  return new CardsError('CARD_NONE', message, 'list your cards for the names of the apps', { app })
}

export function full(app: string): CardsError {
  const message = `your card for ${app} lists as many devices as it may`
  return new CardsError('CARD_FULL', message, 'rotate the key: the new card lists only devices that you approved', {
    app,
  })
}

export function tooMany(): CardsError {
  const message = `your persona has cards for ${MAX_APPS} apps, and may have no more`
  return new CardsError('CARD_APPS_FULL', message, 'use the app without your persona')
}
