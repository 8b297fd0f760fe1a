/**
 * Joins friends without a persona that are one person, by the owner's word, and takes one out again (docs/ipc.md, section 3, contact.join).
 * All of it inside of a change.
 */
import { joinedEntry, joinedWith, joining, untie, untied, type Joined } from '../state/joined.ts'
import { KeeperError } from '../state/errors.ts'
import type { State } from '../state/state.ts'
import { OWNER_SOURCE } from '../state/sources.ts'
import { isMeant } from '../personas/query.ts'
import { ContactError } from './errors.ts'

export const MAX_JOINED = 16 // sanity: accounts of one person; each is read whenever the contact is shown

/** All friends that are one contact with this one, the first of them first. */
export function joinedHere(key: string, state: State): Joined[] {
  return joinedWith(key, (each) => state.records.devices.get(each))
}

/**
 * The friends of the second contact become friends of the first, whose name stays. The strictest policy and any block are then those of all.
 * @param key @param other keys of two friends without a persona
 * @throws {ContactError} ALREADY_JOINED | TOO_MANY_JOINED
 */
export function joinContacts(key: string, other: string, state: State): void {
  const [kept, added] = [joinedHere(key, state), joinedHere(other, state)]
  const all = [...kept, ...added]
  const [first, ...others] = all
  const entry = joinedEntry(all)
  if (first === undefined || entry === null || added.length === 0) throw gone()
  if (kept.some((one) => one.key === added[0]!.key)) {
    const message = `the two are one contact already, ${first.device.entry.name}`
    throw new ContactError('ALREADY_JOINED', message, 'look at the contact')
  }
  if (all.length > MAX_JOINED) {
    const message = `${first.device.entry.name} would have ${all.length} Tox accounts, and a contact without a persona has ${MAX_JOINED} at most`
    throw new ContactError('TOO_MANY_JOINED', message, 'split an old account from the contact first')
  }
  const { policy, blocked } = entry
  for (const { key: each, device } of others)
    state.putDevice(each, { ...untied(device), joinedTo: first.key, entry: { ...device.entry, policy, blocked } })
  const leader = { ...first.device, entry: { ...first.device.entry, policy, blocked } }
  state.putDevice(
    first.key,
    joining(
      leader,
      others.map((one) => one.key),
    ),
  )
  const changes = added.map((one) => ({ kind: 'joined', key: one.key, name: one.device.entry.name }) as const)
  state.emitContact(first.key, changes, OWNER_SOURCE)
}

/**
 * Takes a friend out of a joined contact. It has its own name again; policy and block stay as they are.
 * @param key of any of its friends
 * @param name the new name of the one that goes; null for the name that it had
 * @returns the key of the one that goes
 * @throws {KeeperError} NOT_FOUND | AMBIGUOUS | NAME_TAKEN
 */
export function splitJoined(key: string, query: string, name: string | null, state: State): string {
  const all = joinedHere(key, state)
  const meant = all.filter((one) => isMeant(query, { name: one.device.entry.name, key: one.key }))
  if (meant.length > 1) {
    const message = `"${query}" fits more than one Tox account of ${all[0]!.device.entry.name}`
    throw new KeeperError('AMBIGUOUS', message, 'give more digits of the key')
  }
  const [going] = meant
  if (going === undefined) {
    const message = `${all[0]?.device.entry.name ?? 'the contact'} has no Tox account "${query}"`
    throw new KeeperError('NOT_FOUND', message, 'look at the contact', { what: 'contact-device' })
  }
  const leadsTo = { kind: 'device', id: going.key } as const
  const entry = name === null ? going.device.entry : state.names.rename(going.device.entry, name, leadsTo)
  untie(going.key, state)
  state.putDevice(going.key, { ...state.device(going.key), entry })
  const [stays] = all.filter((one) => one.key !== going.key)
  state.emitContact(stays!.key, [{ kind: 'split', key: going.key, name: entry.name }], OWNER_SOURCE)
  return going.key
}

function gone(): KeeperError {
  return new KeeperError('NOT_FOUND', 'one of the two contacts is gone', 'list the contacts', { what: 'contact' })
}
