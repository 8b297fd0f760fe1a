/** Finds a contact by a key, a name, or the first digits of a key (docs/ipc.md, section 3, lookup). Reads the state on disk. */
import { encodeUtf8 } from '../../core/encoding/bytes.ts'
import { keyPrefix } from '../personas/query.ts'
import { KeeperError } from '../state/errors.ts'
import { foldName, visibleName } from '../state/name-form.ts'
import { contactOf, currentId, ownOf, personaContact, holderOf, type Reader } from '../state/view.ts'
import type { Contact, LookupResult } from '../../ipc/shapes/contact.ts'

const PAGE_CHARS = 262_144 // sanity: JSON of a page; with one more contact, of at most some 400 kB, still one frame

const MAX_CANDIDATES = 2 // one more than may fit a prefix

const MAX_FOLDED_BYTES = 400 // sanity: a name is 64 characters, each at most 6 bytes when folded, and a number

const NOBODY = { contact: null, device: null, claimedBy: [] }

/**
 * Finds a contact or device. A whole key is never a name. A word that fits both a name and a key is ambiguous.
 * @throws {KeeperError} AMBIGUOUS
 */
export function lookup(query: string, reader: Reader): LookupResult | Promise<LookupResult> {
  const result = search(query, reader)
  return result instanceof Promise ? result.then((found) => orOwnDevice(found, reader)) : result
}

/** If the query is no contact's, it may be the nickname of a device of the owner. */
function orOwnDevice(result: LookupResult, reader: Reader): LookupResult {
  if (result.by !== 'none') return result
  const folded = foldName(result.query)
  const device = ownOf(reader.records)?.persona.devices.find(({ name }) => foldName(name) === folded)
  return device === undefined ? result : { query: result.query, by: 'name', ...holderOf(device.key, reader) }
}

function search(query: string, reader: Reader): LookupResult | Promise<LookupResult> {
  const digits = query.toUpperCase()
  // Clients look up whole keys all the time, so this path is synchronous.
  return /^[0-9A-F]{64}$/.test(digits) ? byKey(query, digits, reader) : byPart(query, reader)
}

async function byPart(query: string, reader: Reader): Promise<LookupResult> {
  const byName = lookupName(query, reader)
  const prefix = keyPrefix(query)
  if (prefix === null) return byName ?? { query, by: 'none', ...NOBODY }
  const keys = await keysBeginning(prefix, reader)
  if (keys.length + (byName === null ? 0 : 1) > 1) {
    const message = `"${query}" fits more than one key or name`
    throw new KeeperError('AMBIGUOUS', message, 'give more digits of the key, or the whole name')
  }
  return keys[0] === undefined ? (byName ?? { query, by: 'none', ...NOBODY }) : byKey(query, keys[0], reader)
}

/** Finds the one contact with this name or key. @throws {KeeperError} NOT_FOUND | AMBIGUOUS */
export async function findContact(query: string, reader: Reader): Promise<Contact> {
  const { contact } = await search(query, reader)
  if (contact !== null) return contact
  const hint = /^…?[\dA-F]{4,63}$/i.test(query)
    ? 'search for a key by its first digits, not its last'
    : 'check the name, or list the contacts'
  throw new KeeperError('NOT_FOUND', `no contact is named "${query}"`, hint, { what: 'contact' })
}

/** The contact went away between the search and the change. */
export function gone(query: string): KeeperError {
  return new KeeperError('NOT_FOUND', `the contact "${query}" is gone`, 'list the contacts', { what: 'contact' })
}

function byKey(query: string, key: string, reader: Reader): LookupResult {
  // Programs may know a contact by the persona that it had before.
  const persona = reader.records.personas.get(currentId(key, reader.records))
  if (persona !== undefined) {
    const contact = personaContact(persona, reader)
    return { query, by: 'persona', contact, device: null, claimedBy: [] }
  }
  const found = holderOf(key, reader)
  const isKnown = found.contact !== null || found.claimedBy.length > 0
  return { query, by: isKnown ? 'device' : 'none', ...found }
}

function lookupName(query: string, reader: Reader): LookupResult | null {
  const { records } = reader
  const folded = foldName(query)
  if (encodeUtf8(folded).length > MAX_FOLDED_BYTES) return null
  // Names from before invisible characters were dropped are still known as they were.
  const leadsTo = records.names.get(folded) ?? records.names.get(foldName(visibleName(query)))
  if (leadsTo === undefined) return null
  if (leadsTo.kind === 'device') return { query, by: 'name', ...holderOf(leadsTo.id, reader) }
  const persona = records.personas.get(leadsTo.id)
  if (persona === undefined) return null
  return { query, by: 'name', contact: personaContact(persona, reader), device: null, claimedBy: [] }
}

async function keysBeginning(prefix: string, reader: Reader): Promise<string[]> {
  const keys: string[] = []
  for (const collection of [reader.records.personas, reader.records.devices]) {
    for await (const [key] of collection.iterate({ prefix, limit: MAX_CANDIDATES })) keys.push(key)
  }
  return keys
}

/** A page of contacts in the order of their folded names. Each comes once, under its own name. Large contacts make a page shorter than `limit`. */
export async function listContacts(
  after: string | undefined,
  limit: number,
  reader: Reader,
  withBlocked = false,
): Promise<{ contacts: Contact[]; next: string | null }> {
  const contacts: Contact[] = []
  let last: string | null = null
  let chars = 0
  const range = after === undefined ? {} : { after }
  for await (const [folded, leadsTo] of reader.records.names.iterate(range)) {
    if (contacts.length === limit || chars > PAGE_CHARS) return { contacts, next: last }
    last = folded
    const contact = contactOf(leadsTo.id, reader)
    // Aliases lead to the same contact.
    if (contact === null || foldName(contact.name) !== folded) continue
    if (contact.blocked && !withBlocked) continue
    contacts.push(contact)
    chars += JSON.stringify(contact).length
  }
  return { contacts, next: null }
}
