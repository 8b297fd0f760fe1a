/** The methods about the state, from all folders. Build them once: some keep a transfer in progress. */
import { EVENT_NAMES, type EventName } from '../ipc/methods/events.ts'
import type { Handlers } from '../ipc/methods/method.ts'
import type { Methods, WingMethods } from '../ipc/methods/all-methods.ts'
import type { CardsMethods } from '../ipc/methods/cards.ts'
import type { RelayMethods } from '../ipc/methods/relays.ts'
import { appHandlers } from './apps/methods.ts'
import type { Apps } from './apps/apps.ts'
import type { About } from './health/status.ts'
import type { Keeper } from './keeper/keeper.ts'
import { alarmHandlers } from './methods/alarms.ts'
import { contactHandlers } from './methods/contacts.ts'
import { custodyHandlers } from './methods/custody.ts'
import { entryHandlers } from './methods/entries.ts'
import { generalHandlers } from './methods/general.ts'
import { linkHandlers } from './methods/links.ts'
import { ownHandlers } from './methods/own.ts'
import { pendingHandlers } from './methods/pending.ts'
import { rotationHandlers } from './methods/rotation.ts'
import { siblingHandlers } from './methods/sibling.ts'
import { pairingHandlers } from './pairing/methods.ts'
import type { Farewell } from './rotation/leave.ts'
import { backupHandlers } from './snapshot/methods.ts'
import { NO_MORE_SECRETS, type MoreSecrets } from './snapshot/more-secrets.ts'

/** The methods about the state. Relays, cards and wings answer their own. */
export type KeeperMethods = Omit<
  Methods,
  'doctor' | 'persona.erase' | keyof RelayMethods | keyof CardsMethods | keyof WingMethods
>

/**
 * @param about the daemon's own part of `status`
 * @param eventNames the names of all events
 * @param more secrets that a backup has beside the signing keys
 * @param farewell for whoever leaves the persona
 */
export function keeperHandlers(
  keeper: Keeper,
  apps: Apps,
  about: () => About,
  eventNames: readonly EventName[] = EVENT_NAMES,
  more: MoreSecrets = NO_MORE_SECRETS,
  farewell: Farewell = () => Promise.resolve([]),
): Handlers<KeeperMethods> {
  return {
    ...generalHandlers(keeper, apps, about, eventNames),
    ...contactHandlers(keeper, apps),
    ...appHandlers(keeper, apps),
    ...linkHandlers(keeper),
    ...entryHandlers(keeper),
    ...pendingHandlers(keeper),
    ...alarmHandlers(keeper),
    ...ownHandlers(keeper),
    ...custodyHandlers(keeper),
    ...backupHandlers(keeper, more),
    ...rotationHandlers(keeper, farewell),
    ...siblingHandlers(keeper),
    ...pairingHandlers(keeper),
  }
}
