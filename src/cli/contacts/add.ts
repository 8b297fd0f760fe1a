/** `persona contact add`: a persona known by its contact link, before any of its tables was seen (docs/format.md, section 13). */
import type { Client } from '../../ipc/client.ts'
import type { AddContactParams, AddedContact } from '../../ipc/shapes/links.ts'
import { hasCode, withDaemon } from '../io/connect.ts'
import { print, type Context } from '../io/context.ts'
import { describeFailure, EXIT_DONE } from '../io/errors.ts'
import { escapeText, showName } from '../io/escape.ts'
import { MAX_TEXT_BYTES, readStdin } from '../io/input.ts'
import { askLine, isInteractive } from '../io/prompt.ts'

export interface AddContactOptions {
  readonly name?: string
  /** Take the chain of the link although another is pinned, without a question. */
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
  print(context, added, formatAdded(added))
  return EXIT_DONE
}

/** Another chain than the pinned one is a question to the person at the terminal, unless the pinned one was verified: that takes an option. */
async function addOrAsk(client: Client, params: AddContactParams): Promise<AddedContact> {
  try {
    return await client.call('contact.add', params)
  } catch (error) {
    if (!hasCode(error, 'CHAIN_DIFFERS') || isVerified(error) || !isInteractive()) throw error
    process.stderr.write(`${escapeText(describeFailure(error).message)}\n`)
    process.stderr.write('If you take the chain of the link, nothing that was seen of the other one counts any more.\n')
    const answer = await askLine('Type "yes" to take it, if you had the link from the contact: ')
    if (answer.trim().toLowerCase() !== 'yes') throw error
    return await client.call('contact.add', { ...params, repin: true })
  }
}

function isVerified(error: unknown): boolean {
  const details = error instanceof Error && 'details' in error ? error.details : null
  return typeof details === 'object' && details !== null && 'verified' in details && details.verified === true
}

export function formatAdded({ outcome, contact }: AddedContact): string[] {
  const who = showName(contact.name, contact.personaId)
  const wait = 'its devices are known once one of them shows a table'
  const next =
    contact.verifiedAtSec === null
      ? [`to know that the link is not a forger's: persona contact verify ${contact.personaId?.slice(0, 8)}`]
      : []
  switch (outcome) {
    case 'added':
      return [`added ${who}: ${wait}`, ...next]
    case 'known':
      return [`${who} is known already, by the same chain of keys`, ...next]
    case 'raised':
      return [
        `${who}: tables before epoch ${contact.minEpoch} are refused from now on`,
        ...(contact.epoch === null ? [`the one that was known is among them; ${wait}`] : []),
        ...next,
      ]
    case 'lowered':
      return [`${who}: tables from epoch ${contact.minEpoch} on are taken`, ...next]
    case 'repinned':
      return [
        `${who} has the chain of keys of this link now; nothing that was seen of the other one counts, and it is kept as evidence`,
        contact.epoch === null
          ? wait
          : 'a table of it had been refused and is taken now; each device counts once it shows it again',
        ...next,
      ]
  }
}
