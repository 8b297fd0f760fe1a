/** This device in a persona that the owner has left, or that has a successor: its keys are still here, and relays have its card. */
import type { Keeper } from '../keeper/keeper.ts'
import type { SealedRecords } from '../sealed/records.ts'
import { appDevice } from './app-device.ts'
import { APP_KEYS, publicHalves } from './app-keys.ts'
import type { AppDevice } from './cards.ts'
import { knownCards } from './kept/known.ts'
import type { CardReader } from './kept/read-card.ts'

export interface FormerMeans {
  readonly keeper: Pick<Keeper, 'onDisk' | 'engine'>
  readonly reader: CardReader
  readonly sealed: SealedRecords
}

/** @returns null where it used no such app, or the apps key is closed */
export function formerDevice(
  personaId: string,
  app: string,
  { keeper: { onDisk, engine }, reader, sealed }: FormerMeans,
): AppDevice | null {
  const card = knownCards(personaId, onDisk, reader).cards.get(app)
  const keys = sealed.key.isOpen ? sealed.onDisk(APP_KEYS).get(app) : undefined
  return card === undefined || keys === undefined ? null : appDevice(card, publicHalves(keys, engine), keys, engine)
}
