/** The settings of an app of a link: contacts that the owner names stay the same people under whatever name. */
import type { LinkSettings, SettingsWish } from '../../ipc/methods/links.ts'
import type { Keeper } from '../keeper/keeper.ts'
import { currentId } from '../state/view.ts'
import { DEFAULT_A_DAY, type StoredSettings, type StoredSide } from './kinds.ts'
import { nameOf, personaNamed, type People } from './people.ts'

/** @param app whose settings these are @throws {LinksError} APP_LINK_NO_PERSONA @throws {KeeperError} NOT_FOUND | AMBIGUOUS */
export async function settingsOf(
  { provide, contacts = [], receive }: SettingsWish,
  app: string,
  people: People,
): Promise<Partial<StoredSettings>> {
  const ids = new Set<string>()
  if (provide === 'named') for (const name of contacts) ids.add(await personaNamed(name, app, people))
  return {
    ...(provide === undefined ? {} : { provide, contacts: [...ids] }),
    ...(receive === undefined ? {} : { receive: { how: receive.how, aDay: receive.aDay ?? DEFAULT_A_DAY } }),
  }
}

/** The PersonaIDs of named contacts now: some may go on under another persona. */
export function providedIds(ids: readonly string[], keeper: Keeper): readonly string[] {
  return ids.map((id) => currentId(id, keeper.onDisk))
}

export function settingsView({ app, provide, contacts, receive }: StoredSide, people: People): LinkSettings {
  const named = providedIds(contacts, people.keeper).map((persona) => ({
    persona,
    name: nameOf(persona, app, people),
  }))
  return { provide, contacts: named, receive: { ...receive } }
}
