/** The methods that change contacts: rename, block, forget, split, export and import (docs/ipc.md, section 3). */
import { ContactError } from '../contacts/errors.ts'
import type { ContactEntry } from '../../core/consent.ts'
import type { Handlers } from '../../ipc/methods/method.ts'
import type { Methods } from '../../ipc/methods/all-methods.ts'
import type { Contact } from '../../ipc/shapes/contact.ts'
import { exportCards, importCards } from '../contacts/cards.ts'
import { findContact, gone } from '../contacts/find.ts'
import { forgetContact, forgetProvisional } from '../contacts/forget.ts'
import { joinContacts, joinedHere, splitJoined } from '../contacts/join.ts'
import type { Keeper } from '../keeper/keeper.ts'
import type { State } from '../state/state.ts'
import type { NameRecord } from '../state/local-records.ts'
import { splitDevice } from '../contacts/split.ts'
import { keyOfProvisional } from '../state/view.ts'
import { OWNER_SOURCE } from '../state/sources.ts'

export type EntryMethods = Pick<
  Methods,
  | 'contact.rename'
  | 'contact.forget'
  | 'contact.block'
  | 'contact.unblock'
  | 'contact.join'
  | 'contact.split'
  | 'contact.export'
  | 'contact.import'
>

export function entryHandlers(keeper: Keeper): Handlers<EntryMethods> {
  return {
    'contact.rename': async ({ contact, name }) =>
      await editEntry(keeper, contact, 'called', (entry, leadsTo, state) => state.names.rename(entry, name, leadsTo)),
    'contact.block': async ({ contact }) =>
      await editEntry(keeper, contact, 'blocked', (entry) => ({ ...entry, blocked: true })),
    'contact.unblock': async ({ contact }) =>
      await editEntry(keeper, contact, 'unblocked', (entry) => ({ ...entry, blocked: false })),
    'contact.forget': async ({ contact }) => await forget(keeper, contact),
    'contact.join': async ({ contact, other }) => await join(keeper, contact, other),
    'contact.split': async ({ contact, device, name }) => await split(keeper, contact, device, name ?? null),
    'contact.export': async ({ after, limit }) => await exportCards(keeper, after, limit),
    'contact.import': async (params) => ({ results: await importCards(keeper, params) }),
  }
}

/** Finds the record with the entry of a contact. @throws {KeeperError} NOT_FOUND | AMBIGUOUS {ContactError} CONTACT_IS_OWN */
async function entryOf(keeper: Keeper, query: string): Promise<NameRecord> {
  const contact = await findContact(query, keeper.reader())
  const { kind, personaId } = contact
  if (kind === 'own') throw new ContactError('CONTACT_IS_OWN', 'this is your own persona', 'choose a contact')
  if (personaId !== null) return { kind: 'persona', id: personaId }
  return { kind: 'device', id: keyOfProvisional(contact) }
}

async function editEntry(
  keeper: Keeper,
  query: string,
  kind: 'called' | 'blocked' | 'unblocked',
  edit: (entry: ContactEntry, leadsTo: NameRecord, state: State) => ContactEntry,
): Promise<Contact> {
  const leadsTo = await entryOf(keeper, query)
  await keeper.change(() => {
    const { state } = keeper
    const { id } = leadsTo
    if (leadsTo.kind === 'persona') {
      const persona = state.persona(id)
      if (persona?.entry == null) throw gone(query)
      const entry = edit(persona.entry, leadsTo, state)
      if (isUnchanged(entry, persona.entry)) return
      state.putPersona({ ...persona, entry })
      state.emitContact(id, [{ kind, key: null, name: entry.name }], OWNER_SOURCE)
      return
    }
    const device = state.device(id)
    if (device.entry === null) throw gone(query)
    const entry = edit(device.entry, leadsTo, state)
    if (isUnchanged(entry, device.entry)) return
    state.putDevice(id, { ...device, entry })
    // A name is one friend's, but a block is the whole contact's.
    for (const one of joinedHere(id, state).slice(1))
      state.putDevice(one.key, { ...one.device, entry: { ...one.device.entry, blocked: entry.blocked } })
    state.emitContact(id, [{ kind, key: null, name: entry.name }], OWNER_SOURCE)
  })
  return await findContact(leadsTo.id, keeper.reader())
}

/** Whether an edit changed nothing, so that it causes no event. */
function isUnchanged(a: ContactEntry, b: ContactEntry): boolean {
  return a.name === b.name && a.blocked === b.blocked
}

async function forget(keeper: Keeper, query: string): Promise<Record<string, never>> {
  const { kind, id } = await entryOf(keeper, query)
  await keeper.change(() => {
    const { state } = keeper
    const persona = kind === 'persona' ? state.persona(id) : undefined
    if (persona !== undefined) forgetContact(persona, state)
    else if (kind === 'device' && state.device(id).entry !== null)
      for (const { key } of joinedHere(id, state).toReversed()) forgetProvisional(key, state)
    else throw gone(query)
  })
  return {}
}

/** The second contact becomes a part of the first. */
async function join(keeper: Keeper, query: string, other: string): Promise<Contact> {
  const [kept, added] = [await findContact(query, keeper.reader()), await findContact(other, keeper.reader())]
  for (const { kind, name } of [kept, added]) {
    if (kind === 'own') throw new ContactError('CONTACT_IS_OWN', 'this is your own persona', 'choose two contacts')
    if (kind === 'provisional') continue
    const message = `${name} has a persona, and a device joins a persona only by showing a table that lists it`
    throw new ContactError('CONTACT_HAS_PERSONA', message, `ask ${name} to add the account as a device`)
  }
  const key = keyOfProvisional(kept)
  await keeper.change(() => joinContacts(key, keyOfProvisional(added), keeper.state))
  return await findContact(key, keeper.reader())
}

async function split(keeper: Keeper, query: string, device: string, name: string | null): Promise<Contact> {
  const contact = await findContact(query, keeper.reader())
  const { personaId, name: who } = contact
  if (personaId === null && contact.devices.length + contact.others.length > 1) {
    const key = await keeper.change(() => splitJoined(keyOfProvisional(contact), device, name, keeper.state))
    return await findContact(key, keeper.reader())
  }
  if (personaId === null) {
    const message = `${who} has no persona: it is a single device`
    throw new ContactError('CONTACT_PROVISIONAL', message, 'there is nothing to split')
  }
  const key = await keeper.change(() => {
    const persona = keeper.state.persona(personaId)
    if (persona === undefined) throw gone(query)
    return splitDevice(persona, device, name, keeper.state)
  })
  return await findContact(key, keeper.reader())
}
