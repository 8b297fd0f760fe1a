/** `persona contact add`: adds a contact from a contact link, before any of their tables was seen (docs/format.md, section 13). */
import type { Client } from '../../ipc/client.ts'
import type { AddContactParams, AddedContact } from '../../ipc/shapes/links.ts'
import { hasCode, withDaemon } from '../io/connect.ts'
import { print, tell, type Context } from '../io/context.ts'
import { describeFailure, EXIT_DONE } from '../io/errors.ts'
import { escapeText, showName } from '../io/escape.ts'
import { MAX_TEXT_BYTES, readStdin } from '../io/input.ts'
import { askLine, isInteractive } from '../io/prompt.ts'

export interface AddContactOptions {
  readonly name?: string
  /** Accept the chain of the link without asking, even if another one is pinned. */
  readonly repin?: true
}

/** @param given the link, or `-` to read it from stdin */
export async function add(context: Context, given: string, options: AddContactOptions): Promise<number> {
  const link = given === '-' ? await readStdin(MAX_TEXT_BYTES) : given
  const params: AddContactParams = {
    link,
    ...(options.name === undefined ? {} : { name: options.name }),
    ...(options.repin === undefined ? {} : { repin: true }),
  }
  const added = await withDaemon(context, (client) => addOrAsk(client, params))
  print(context, added, formatAdded(added, context.verbose))
  return EXIT_DONE
}

/** Asks at the terminal before it replaces a pinned chain. A verified chain is replaced only with `--repin`. */
async function addOrAsk(client: Client, params: AddContactParams): Promise<AddedContact> {
  try {
    return await client.call('contact.add', params)
  } catch (error) {
    if (!hasCode(error, 'CHAIN_DIFFERS') || isVerified(error) || !isInteractive()) throw error
    tell(`${escapeText(describeFailure(error).message)}\n`)
    tell('If you accept this link, nothing seen from the other chain of keys counts any more.\n')
    const answer = await askLine('Type "yes" to accept it if the contact gave you the link: ')
    if (answer.trim().toLowerCase() !== 'yes') throw error
    return await client.call('contact.add', { ...params, repin: true })
  }
}

function isVerified(error: unknown): boolean {
  const details = error instanceof Error && 'details' in error ? error.details : null
  return typeof details === 'object' && details !== null && 'verified' in details && details.verified === true
}

export function formatAdded({ outcome, contact }: AddedContact, verbose = false): string[] {
  const who = showName(contact.name, contact.personaId)
  const wait = 'you see their devices once one of them shows a table'
  const epoch = verbose ? ` (epoch ${contact.minEpoch})` : ''
  const next =
    contact.verifiedAtSec === null
      ? [`to check that nobody forged the link: persona contact verify ${contact.personaId?.slice(0, 8)}`]
      : []
  switch (outcome) {
    case 'added':
      return [`added ${who}; ${wait}`, ...next]
    case 'known':
      return [`${who} is already a contact, with the same chain of keys`, ...next]
    case 'raised':
      return [
        `${who}: the key in this link is newer; tables signed by earlier keys are now refused${epoch}`,
        ...(contact.epoch === null ? [`this includes the table seen so far; ${wait}`] : []),
        ...next,
      ]
    case 'lowered':
      return [`${who}: tables are now accepted from the key in this link on${epoch}`, ...next]
    case 'repinned':
      return [
        `${who} now has the chain of keys in this link; the other chain no longer counts and is kept as evidence`,
        contact.epoch === null
          ? wait
          : 'an earlier refused table of this chain is now accepted; each device counts once it shows that table again',
        ...next,
      ]
  }
}
