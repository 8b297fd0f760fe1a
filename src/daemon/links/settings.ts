/** The settings of an app of a link: contacts that the owner names stay the same people under whatever name. */
import type { LinkSettings, SettingsWish } from '../../ipc/methods/links.ts'
import { findContact } from '../contacts/find.ts'
import type { Keeper } from '../keeper/keeper.ts'
import { currentId } from '../state/view.ts'
import { LinksError } from './errors.ts'
import { DEFAULT_A_DAY, type StoredSettings } from './kinds.ts'

/** @throws {LinksError} APP_LINK_NO_PERSONA @throws {KeeperError} NOT_FOUND | AMBIGUOUS */
export async function settingsOf(
  { provide, contacts = [], receive }: SettingsWish,
  keeper: Keeper,
): Promise<Partial<StoredSettings>> {
  return {
    ...(provide === undefined ? {} : { provide, contacts: provide === 'named' ? await idsOf(contacts, keeper) : [] }),
    ...(receive === undefined ? {} : { receive: { how: receive.how, aDay: receive.aDay ?? DEFAULT_A_DAY } }),
  }
}

async function idsOf(names: readonly string[], keeper: Keeper): Promise<string[]> {
  const ids = new Set<string>()
  for (const name of names) {
    const { personaId } = await findContact(name, keeper.reader())
    if (personaId === null)
      throw new LinksError(
        'APP_LINK_NO_PERSONA',
        `${name} has no persona, so nobody can propose them`,
        'leave them out',
      )
    ids.add(personaId)
  }
  return [...ids]
}

/** The PersonaIDs of named contacts now: some may go on under another persona. */
export function providedIds(ids: readonly string[], keeper: Keeper): readonly string[] {
  return ids.map((id) => currentId(id, keeper.onDisk))
}

export function settingsView({ provide, contacts, receive }: StoredSettings, keeper: Keeper): LinkSettings {
  const named = providedIds(contacts, keeper).map((persona) => ({
    persona,
    name: keeper.onDisk.personas.get(persona)?.entry?.name ?? null,
  }))
  return { provide, contacts: named, receive: { ...receive } }
}
