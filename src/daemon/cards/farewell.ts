/** The owner leaves the persona or erases everything: the last cards list this device no more, and their stores get them (docs/card.md, section 5). */
import type { Unreached } from '../../ipc/shapes/rotation.ts'
import { within, type Clock } from '../../process/pulse.ts'
import type { Keeper } from '../keeper/keeper.ts'
import { storedBytes } from '../state/records.ts'
import { ownOf } from '../state/view.ts'
import { knownCards, listsKey } from './kept/known.ts'
import { ownApps } from './own-record.ts'
import type { CardReader } from './kept/read-card.ts'
import { leaveCards } from './sign-own.ts'
import type { StoreRounds } from './stores.ts'

/** Nobody waits longer for others to learn that the owner leaves: first the wings, and then the cards. */
export const FAREWELL_MS = 5000 // sanity: a relay that works answers within a second

export interface LastCards {
  readonly personaId: string
  /** Apps whose card could not be signed without this device. */
  readonly unsigned: readonly string[]
  /** null without a way to the network. */
  readonly rounds: StoreRounds | null
  readonly clock: Clock
}

/**
 * Signs the last cards, without this device, before everything is erased. It never rejects.
 * @returns the apps whose card still lists it: the key is locked or may not sign, or the disk fails
 */
export async function signLastCards(keeper: Keeper, reader: CardReader): Promise<string[]> {
  const now = ownOf(keeper.onDisk)
  if (now === null) return []
  const apps = ownApps(now, keeper.onDisk)?.apps ?? []
  const { state, custody } = keeper
  const signing = keeper.change(() => leaveCards(now, { state, custody, reader }))
  // A full disk must not keep the owner from erasing.
  await signing.catch(() => {})
  const { cards } = knownCards(now.own.personaId, keeper.onDisk, reader)
  return apps.flatMap(({ app, sig }) => {
    const card = cards.get(app)
    return card !== undefined && listsKey(card, storedBytes(sig)) ? [app] : []
  })
}

/** Puts the last cards to their stores. It never rejects. @returns the cards that still list this device somewhere */
export async function putLastCards({ personaId, unsigned, rounds, clock }: LastCards): Promise<Unreached[]> {
  const left = unsigned.map((app): Unreached => ({ kind: 'card', id: '', app, name: '' }))
  if (rounds === null) return left
  await within(clock, FAREWELL_MS, rounds.putCards(personaId))
  const signed = rounds.notPut(personaId).filter(({ app }) => !unsigned.includes(app))
  return [...left, ...signed.map(({ app, url }): Unreached => ({ kind: 'card', id: url, app, name: url }))]
}
