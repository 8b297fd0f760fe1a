/** PersonaIDs of the people that a command names, and names for the PersonaIDs that the daemon gives. */
import type { Client } from '../../ipc/client.ts'
import { CliError } from './errors.ts'
import { showName } from './escape.ts'
import { parseQuery } from './keys.ts'

/**
 * The PersonaID of a contact, or the one that stands there.
 * @param need what cannot be done without a persona, as the end of a sentence
 * @throws {RpcError} NOT_FOUND {CliError} USAGE for a contact without a persona
 */
export async function personaOf(client: Client, who: string, need: string): Promise<string> {
  if (/^[0-9A-Fa-f]{64}$/.test(who)) return who.toUpperCase()
  const { personaId, name } = await client.call('contact.show', { contact: parseQuery(who) })
  if (personaId !== null) return personaId
  throw new CliError('USAGE', `${showName(name, null)} has no persona yet, so ${need}`)
}

/** The names of people, as they are shown. Each is asked for once. */
export class PersonaNames {
  readonly #client: Client
  readonly #names = new Map<string, string>()

  constructor(client: Client) {
    this.#client = client
  }

  /** The name with the end of the PersonaID. Somebody who is no contact is `somebody`. */
  async of(personaId: string): Promise<string> {
    const known = this.#names.get(personaId)
    if (known !== undefined) return known
    const { contact } = await this.#client.call('lookup', { query: personaId })
    const name = showName(contact?.name ?? 'somebody', personaId)
    this.#names.set(personaId, name)
    return name
  }
}
