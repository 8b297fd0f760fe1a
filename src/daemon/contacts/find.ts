/** Finding who is meant: by key, by name, by a prefix of either key (docs/ipc.md, section 3, lookup). Reads what is on disk. */
import { encodeUtf8 } from '../../core/encoding/bytes.ts'
import { keyPrefix } from '../personas/query.ts'
import { KeeperError } from '../state/errors.ts'
import { foldName } from '../state/name-form.ts'
import { contactOf, personaContact, whoHas, type Reader } from '../state/view.ts'
import type { Contact, LookupResult } from '../../ipc/shapes/contact.ts'

const PAGE_CHARS = 262_144 // sanity: JSON of a page; with one more contact, of at most some 400 kB, still one frame

const MAX_CANDIDATES = 2 // one more than a prefix may fit

const MAX_FOLDED_BYTES = 400 // sanity: a name is 64 characters, each at most 6 bytes when folded, and a number

const NOBODY = { contact: null, device: null, claimedBy: [] }

/**
 * Who a query means. A whole key is never taken for a name; a shorter one that fits both a name and a key is refused as ambiguous.
 * @throws {KeeperError} AMBIGUOUS
 */
export function lookup(query: string, reader: Reader): LookupResult | Promise<LookupResult> {
  const digits = query.toUpperCase()
  // What clients ask all the time is answered at once.
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

/** The one contact that a name or key means. @throws {KeeperError} NOT_FOUND | AMBIGUOUS */
export async function findContact(query: string, reader: Reader): Promise<Contact> {
  const { contact } = await lookup(query, reader)
  if (contact !== null) return contact
  const hint = /^…?[\dA-F]{4,63}$/i.test(query)
    ? 'search for a key by its first digits, not its last'
    : 'check the name, or list the contacts'
  throw new KeeperError('NOT_FOUND', `no contact is named "${query}"`, hint, { what: 'contact' })
}

/** The contact was there when it was looked for, and is not when it is to be changed. */
export function gone(query: string): KeeperError {
  return new KeeperError('NOT_FOUND', `the contact "${query}" is gone`, 'list the contacts', { what: 'contact' })
}

function byKey(query: string, key: string, reader: Reader): LookupResult {
  const persona = reader.records.personas.get(key)
  if (persona !== undefined) {
    const contact = personaContact(persona, reader)
    return { query, by: 'persona', contact, device: null, claimedBy: [] }
  }
  const found = whoHas(key, reader)
  const isKnown = found.contact !== null || found.claimedBy.length > 0
  return { query, by: isKnown ? 'device' : 'none', ...found }
}

function lookupName(query: string, reader: Reader): LookupResult | null {
  const { records } = reader
  const folded = foldName(query)
  if (encodeUtf8(folded).length > MAX_FOLDED_BYTES) return null
  const leadsTo = records.names.get(folded)
  if (leadsTo === undefined) return null
  if (leadsTo.kind === 'device') return { query, by: 'name', ...whoHas(leadsTo.id, reader) }
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

/** A page of contacts in the order of their folded names, each once, under its own name; fewer than `limit` where they are large. */
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
