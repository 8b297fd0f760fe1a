/** `persona contact rename|block|unblock|forget|split`: what the owner decides about the people he knows. */
import type { Client } from '../../ipc/client.ts'
import type { Contact } from '../../ipc/shapes/contact.ts'
import { withDaemon } from '../io/connect.ts'
import { print, type Context } from '../io/context.ts'
import { EXIT_DONE } from '../io/errors.ts'
import { escapeText, keyTail, showName } from '../io/escape.ts'
import { parseQuery } from '../io/keys.ts'

async function edit(
  context: Context,
  call: (client: Client) => Promise<Contact>,
  said: (contact: Contact) => string[],
): Promise<number> {
  const contact = await withDaemon(context, call)
  print(context, contact, said(contact))
  return EXIT_DONE
}

function who(contact: Contact): string {
  return showName(contact.name, contact.personaId ?? contact.active ?? contact.others[0]?.key ?? null)
}

export async function rename(context: Context, old: string, name: string): Promise<number> {
  return await edit(
    context,
    (client) => client.call('contact.rename', { contact: parseQuery(old), name }),
    (contact) => [`${escapeText(old)} is called ${who(contact)} now`],
  )
}

export async function block(context: Context, name: string): Promise<number> {
  return await edit(
    context,
    (client) => client.call('contact.block', { contact: parseQuery(name) }),
    (contact) => [
      `${who(contact)} is blocked: apps get none of its devices, and nothing is told of it`,
      'what its devices show is kept all the same: persona contact unblock NAME',
    ],
  )
}

export async function unblock(context: Context, name: string): Promise<number> {
  return await edit(
    context,
    (client) => client.call('contact.unblock', { contact: parseQuery(name) }),
    (contact) => [`${who(contact)} is no longer blocked`],
  )
}

export async function forget(context: Context, name: string): Promise<number> {
  await withDaemon(context, (client) => client.call('contact.forget', { contact: parseQuery(name) }))
  print(context, {}, [
    `${escapeText(name)} is forgotten: names, policy, verification, and what its devices showed`,
    'the chain of keys and newest table of its persona, if any, are kept out of sight, so that nobody passes for it later',
    'who is still among your Tox friends comes back when seen; to hear nothing more: persona contact block NAME',
  ])
  return EXIT_DONE
}

export interface SplitOptions {
  /** What the device is called from then on. */
  readonly name?: string
}

export async function split(context: Context, name: string, device: string, options: SplitOptions): Promise<number> {
  const named = options.name === undefined ? {} : { name: options.name }
  return await edit(
    context,
    (client) => client.call('contact.split', { contact: parseQuery(name), device: parseQuery(device), ...named }),
    (contact) => [
      `${keyTail(contact.active ?? '')} is no device of ${escapeText(name)} any more, and is called ${who(contact)}`,
      'whose it is next it says itself, by the table that it shows',
    ],
  )
}
