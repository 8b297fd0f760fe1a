/** The people whom an app can provide, by the names under which the owner knows them: contacts, and those with whom the app has a channel. */
import { findContact } from '../contacts/find.ts'
import type { Keeper } from '../keeper/keeper.ts'
import { KeeperError } from '../state/errors.ts'
import { foldName } from '../state/name-form.ts'
import { currentId } from '../state/view.ts'
import type { PersonaChannel } from '../wing/introductions.ts'
import { LinksError } from './errors.ts'

export interface People {
  readonly keeper: Keeper
  readonly channels: readonly Pick<PersonaChannel, 'app' | 'persona' | 'name'>[]
}

/**
 * The persona of a contact, or of somebody with whom the app has a channel, by a name or a PersonaID.
 * @throws {LinksError} APP_LINK_NO_PERSONA @throws {KeeperError} NOT_FOUND | AMBIGUOUS
 */
export async function personaNamed(query: string, app: string, { keeper, channels }: People): Promise<string> {
  const [name, id] = [foldName(query), query.toUpperCase()]
  const met = channels.filter((each) => each.app === app && (foldName(each.name) === name || each.persona === id))
  const ids = new Set(met.map(({ persona }) => currentId(persona, keeper.onDisk)))
  const contact = await findContact(query, keeper.reader()).catch((error: unknown) => {
    if (!(error instanceof KeeperError) || error.code !== 'NOT_FOUND') throw error
    return null
  })
  if (contact?.personaId) ids.add(contact.personaId)
  const [persona] = ids
  if (ids.size > 1)
    throw new KeeperError('AMBIGUOUS', `several people are named "${query}"`, 'give the PersonaID of the one you mean')
  if (persona !== undefined) return persona
  if (contact !== null)
    throw new LinksError('APP_LINK_NO_PERSONA', `${query} has no persona, so nobody can propose them`, 'leave them out')
  const message = `no contact of yours is named "${query}", and nobody in ${app} either`
  throw new KeeperError('NOT_FOUND', message, 'check the name', { what: 'person' })
}

/** The name under which the owner knows a persona: that of the contact, else that in the app; null without either. */
export function nameOf(persona: string, app: string, { keeper, channels }: People): string | null {
  const { onDisk } = keeper
  const met = channels.find((each) => each.app === app && currentId(each.persona, onDisk) === persona)
  return onDisk.personas.get(persona)?.entry?.name ?? met?.name ?? null
}
