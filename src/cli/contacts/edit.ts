/** `persona contact rename|block|unblock|forget|join|split`: the owner's decisions about contacts. */
import type { Client } from '../../ipc/client.ts'
import type { Contact } from '../../ipc/shapes/contact.ts'
import { withDaemon } from '../io/connect.ts'
import { print, type Context } from '../io/context.ts'
import { CliError, EXIT_DONE } from '../io/errors.ts'
import { escapeText, keyTail, showName } from '../io/escape.ts'
import { parseQuery } from '../io/keys.ts'
import { countOf } from '../io/layout.ts'

const SHOWN_DIGITS = 8 // sanity: 4 bytes of a PersonaID find one contact among thousands

async function edit(
  context: Context,
  call: (client: Client) => Promise<Contact>,
  report: (contact: Contact) => string[],
): Promise<number> {
  const contact = await withDaemon(context, call)
  print(context, contact, report(contact))
  return EXIT_DONE
}

function who(contact: Contact): string {
  return showName(contact.name, contact.personaId ?? contact.active ?? contact.others[0]?.key ?? null)
}

// By digits: anybody can choose any name, and people paste this into a shell.
function digitsOf({ personaId, others, active }: Contact): string {
  return (personaId ?? active ?? others[0]?.key ?? 'NAME').slice(0, SHOWN_DIGITS)
}

export async function rename(context: Context, old: string, name: string): Promise<number> {
  return await edit(
    context,
    (client) => client.call('contact.rename', { contact: parseQuery(old), name }),
    (contact) => [`renamed ${escapeText(old)} to ${who(contact)}`],
  )
}

export async function block(context: Context, name: string): Promise<number> {
  return await edit(
    context,
    (client) => client.call('contact.block', { contact: parseQuery(name) }),
    (contact) => [
      `blocked ${who(contact)}: apps no longer get their devices or any news of them`,
      `the daemon keeps recording their tables; to unblock: persona contact unblock ${digitsOf(contact)}`,
    ],
  )
}

export async function unblock(context: Context, name: string): Promise<number> {
  return await edit(
    context,
    (client) => client.call('contact.unblock', { contact: parseQuery(name) }),
    (contact) => [`unblocked ${who(contact)}`],
  )
}

export async function forget(context: Context, name: string | undefined): Promise<number> {
  if (name === undefined) throw new CliError('USAGE', 'forget needs a contact, or --from FILE')
  await withDaemon(context, (client) => client.call('contact.forget', { contact: parseQuery(name) }))
  print(context, {}, [
    `forgot ${escapeText(name)}: names, policy, verification and everything their devices showed`,
    'hidden from you, the daemon keeps their chain of keys and newest table, so that nobody can pose as them later',
    'they come back if they are still among your Tox friends; to stop that: persona contact block NAME',
  ])
  return EXIT_DONE
}

export async function join(context: Context, name: string, other: string): Promise<number> {
  return await edit(
    context,
    (client) => client.call('contact.join', { contact: parseQuery(name), other: parseQuery(other) }),
    (contact) => [
      `${who(contact)} and ${escapeText(other)} are one contact now, with ${countOf(contact.devices.length + contact.others.length, 'Tox account')}`,
      `to undo: persona contact split ${digitsOf(contact)} ACCOUNT`,
    ],
  )
}

export interface SplitOptions {
  /** The new name of the device. */
  readonly name?: string
}

export async function split(context: Context, name: string, device: string, options: SplitOptions): Promise<number> {
  const named = options.name === undefined ? {} : { name: options.name }
  return await edit(
    context,
    (client) => client.call('contact.split', { contact: parseQuery(name), device: parseQuery(device), ...named }),
    (contact) => [
      `${keyTail(contact.active ?? '')} no longer belongs to ${escapeText(name)}; it is now the contact ${who(contact)}`,
      'the next table that it shows decides who owns it',
    ],
  )
}
