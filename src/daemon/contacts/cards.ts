/** Contact cards, which go from one daemon to another: links and the owner's names, but no sightings (docs/ipc.md, section 3). */
import { Refusal } from '../../errors/refusal.ts'
import { ContactError } from './errors.ts'
import { formatHex } from '../../core/encoding/bytes.ts'
import { LinkError } from '../../core/errors.ts'
import { formatLink, parseLink, type ContactLink } from '../../core/link.ts'
import { joinEntries, type ContactEntry } from '../../core/consent.ts'
import type { ContactChange } from '../../ipc/shapes/events.ts'
import { MAX_PAGE } from '../../ipc/shapes/limits.ts'
import type { CardPage, ContactCard, ImportContactsParams, ImportedContact } from '../../ipc/shapes/cards.ts'
import type { Changes } from '../state/changes.ts'
import { foldName } from '../state/name-form.ts'
import type { State } from '../state/state.ts'
import { addLinked } from './pin.ts'
import { storedBytes } from '../state/records.ts'
import type { PersonaRecord } from '../state/persona-record.ts'
import { OWNER_SOURCE } from '../state/sources.ts'

/** A page of the contacts that have a persona, in the order of their names. */
export async function exportCards(keeper: Changes, after?: string, limit: number = MAX_PAGE): Promise<CardPage> {
  const contacts: ContactCard[] = []
  let last: string | null = null
  for await (const [folded, { kind, id }] of keeper.onDisk.names.iterate(after === undefined ? {} : { after })) {
    if (contacts.length === Math.min(limit, MAX_PAGE)) return { contacts, next: last }
    last = folded
    const persona = kind === 'persona' ? keeper.onDisk.personas.get(id) : undefined
    const entry = persona?.entry ?? null
    // Aliases lead to the same contact.
    if (persona === undefined || entry === null || foldName(entry.name) !== folded) continue
    contacts.push(cardOf(persona, entry, keeper))
  }
  return { contacts, next: null }
}

function cardOf(
  { personaId, root, minEpoch, epoch, verifiedAtSec }: PersonaRecord,
  entry: ContactEntry,
  { engine }: Changes,
): ContactCard {
  const { name, aliases, policy, blocked } = entry
  // The importer must refuse every epoch that we refuse.
  const link: ContactLink = {
    personaId: storedBytes(personaId),
    root: storedBytes(root),
    epoch: Math.max(minEpoch, epoch),
  }
  return {
    link: formatLink(link, engine),
    name,
    aliases: [...aliases],
    policy,
    blocked,
    verified: verifiedAtSec !== null,
  }
}

/** Imports cards, in one commit. A known contact keeps its entry, except that it is blocked or gets the stricter policy if the card says so. */
export async function importCards(keeper: Changes, params: ImportContactsParams): Promise<ImportedContact[]> {
  return await keeper.change(() => params.contacts.map((card) => importCard(card, params, keeper)))
}

function importCard(card: ContactCard, params: ImportContactsParams, keeper: Changes): ImportedContact {
  let personaId: string | null = null
  try {
    const link = parseLink(card.link, keeper.engine)
    personaId = formatHex(link.personaId)
    const outcome = mergeCard(link, card, params, keeper.state)
    return { name: card.name, personaId, outcome, code: null, message: null }
  } catch (error) {
    if (!(error instanceof LinkError || error instanceof Refusal)) throw error
    return { name: card.name, personaId, outcome: 'refused', code: error.code, message: error.message }
  }
}

function mergeCard(
  link: ContactLink,
  card: ContactCard,
  { again, trustVerified }: ImportContactsParams,
  state: State,
): 'added' | 'known' {
  const personaId = formatHex(link.personaId)
  const { name, aliases, policy, blocked } = card
  const theirs: ContactEntry = { name, aliases, policy, blocked, createdSec: state.nowSec }
  const verifiedAtSec = card.verified && trustVerified === true ? state.nowSec : null
  const known = state.persona(personaId)
  if (known === undefined && state.forgotten(personaId) !== undefined && again !== true) {
    const message = `you have forgotten ${name}`
    throw new ContactError('CONTACT_FORGOTTEN', message, 'confirm that you want the contact back')
  }
  if (known === undefined || known.entry === null || known.root !== formatHex(link.root)) {
    // Refuses the owner's own link, and any chain but the pinned one.
    addLinked(link, theirs, false, state)
    const added = state.persona(personaId)!
    if (verifiedAtSec !== null) state.putPersona({ ...added, verifiedAtSec })
    return 'added'
  }
  const { policy: stricter, blocked: isBlocked } = joinEntries(known.entry, theirs)
  const entry: ContactEntry = { ...known.entry, policy: stricter, blocked: isBlocked }
  state.putPersona({ ...known, entry, verifiedAtSec: known.verifiedAtSec ?? verifiedAtSec })
  state.emitContact(personaId, changesOf(known, known.entry, entry, verifiedAtSec !== null), OWNER_SOURCE)
  return 'known'
}

/** The changes that a card made to a known contact. Apps and the history get them like those of the owner's other commands. */
function changesOf(
  { verifiedAtSec }: PersonaRecord,
  was: ContactEntry,
  is: ContactEntry,
  isVerified: boolean,
): ContactChange[] {
  const changes: ContactChange[] = []
  if (is.policy !== was.policy) changes.push({ kind: 'policy', key: null, name: is.policy })
  if (isVerified && verifiedAtSec === null) changes.push({ kind: 'verified', key: null, name: null })
  if (is.blocked && !was.blocked) changes.push({ kind: 'blocked', key: null, name: is.name })
  return changes
}
