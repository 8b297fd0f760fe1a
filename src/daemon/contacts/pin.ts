/** Pins by the owner's word: a contact link taken, a chain exchanged for the true one, a contact verified (docs/format.md, section 13). */
import { ContactError } from './errors.ts'
import { formatHex } from '../../core/encoding/bytes.ts'
import type { Evidence } from '../../core/evidence.ts'
import type { ContactLink } from '../../core/link.ts'
import { compareTables } from '../../core/order.ts'
import { forgetPersona, type ContactEntry } from '../../core/trust.ts'
import type { VerifiedBlob } from '../../core/verify.ts'
import type { ContactChange } from '../../ipc/shapes/events.ts'
import type { AddedContact } from '../../ipc/shapes/links.ts'
import { alarmIfContested } from '../personas/alarms.ts'
import { dropHead, NO_HEAD, raiseMinEpoch, decodeStored, setHead } from '../personas/heads.ts'
import { restoreContact } from './forget.ts'
import { tidyName } from '../state/name-form.ts'
import type { State } from '../state/state.ts'
import type { PersonaRecord } from '../state/records.ts'
import { OWNER_SOURCE } from '../state/sources.ts'

const NAME_DIGITS = 8 // sanity: as many as device- has; the owner may call the contact otherwise

export interface PinWishes {
  readonly name: string | null
  /** The owner knows that another chain, or a higher epoch, is pinned, and trusts the link more. */
  readonly repin: boolean
}

/**
 * Takes a contact link. Call it inside of a change.
 * @throws {ContactError} CONTACT_IS_OWN | CHAIN_DIFFERS {KeeperError} NAME_TAKEN
 */
export function pinLink(link: ContactLink, { name, repin }: PinWishes, state: State): AddedContact['outcome'] {
  const personaId = formatHex(link.personaId)
  const root = formatHex(link.root)
  const known = state.persona(personaId)
  checkNotOwn(link, state)
  if (known === undefined) {
    if (name !== null) state.names.checkFree(name, { kind: 'persona', id: personaId })
    const called = name ?? `persona-${personaId.slice(0, NAME_DIGITS).toLowerCase()}`
    const { defaultPolicy: policy, nowSec: createdSec } = state
    addLinked(link, { name: called, aliases: [], policy, blocked: false, createdSec }, repin, state)
    return 'added'
  }
  if (known.root !== root && !repin) throw chainDiffers(known)
  const named = name === null || known.entry === null ? known : renamed(known, name, state)
  const { persona, changes, outcome } =
    known.root === root ? pinEpoch(named, link.epoch, repin, state) : pinChain(named, root, link.epoch, state)
  if (persona !== known) state.putPersona(persona)
  state.emitContact(personaId, changes, OWNER_SOURCE)
  return outcome
}

/**
 * A persona that is no contact becomes one, under this entry; of one that was forgotten the pin and the head are those of before. Call it
 * inside of a change.
 * @param entry whose name, where it is another contact's, gets a number
 * @throws {ContactError} CONTACT_IS_OWN | CHAIN_DIFFERS
 */
export function addLinked(link: ContactLink, entry: ContactEntry, repin: boolean, state: State): void {
  const personaId = formatHex(link.personaId)
  const root = formatHex(link.root)
  const forgotten = state.forgotten(personaId)
  const before = state.persona(personaId) ?? forgotten
  checkNotOwn(link, state)
  if (before !== undefined && before.root !== root && !repin) throw chainDiffers(before)
  const tidy = { ...entry, name: tidyName(entry.name), aliases: entry.aliases.map(tidyName) }
  const linked = unseen(link, state.names.adopt(tidy, { kind: 'persona', id: personaId }))
  state.putPersona(forgotten === undefined ? linked : recalled(linked, forgotten, state))
  state.emitContact(personaId, [{ kind: 'created', key: null, name: linked.entry?.name ?? null }], OWNER_SOURCE)
}

function recalled(linked: PersonaRecord, forgotten: PersonaRecord, state: State): PersonaRecord {
  const { root, minEpoch, entry } = linked
  const kept = { ...forgotten, entry }
  if (root !== forgotten.root) return pinChain(kept, root, minEpoch, state).persona
  return restoreContact(raiseMinEpoch(kept, minEpoch, state).persona, state)
}

function checkNotOwn(link: ContactLink, state: State): void {
  const personaId = formatHex(link.personaId)
  if (personaId === state.own()?.personaId)
    throw ownLinkRefused(state.persona(personaId)?.root === formatHex(link.root))
}

/** The owner compared, with his own eyes, what names the chain that is pinned. Call it inside of a change. */
export function markVerified(persona: PersonaRecord, state: State): void {
  state.putPersona({ ...persona, verifiedAtSec: state.nowSec })
  if (persona.verifiedAtSec === null)
    state.emitContact(persona.personaId, [{ kind: 'verified', key: null, name: null }], OWNER_SOURCE)
}

/** All that is known of it is the link. */
function unseen(link: ContactLink, entry: ContactEntry): PersonaRecord {
  return {
    personaId: formatHex(link.personaId),
    root: formatHex(link.root),
    minEpoch: link.epoch,
    ...NO_HEAD,
    names: [],
    others: [],
    evidence: [],
    verifiedAtSec: null,
    entry,
  }
}

function renamed(persona: PersonaRecord, name: string, state: State): PersonaRecord {
  const { entry, personaId } = persona
  if (entry === null || entry.name === name) return persona
  return { ...persona, entry: state.names.rename(entry, name, { kind: 'persona', id: personaId }) }
}

interface Pinned {
  readonly persona: PersonaRecord
  readonly changes: readonly ContactChange[]
  readonly outcome: AddedContact['outcome']
}

/** The chain is the one that is pinned. */
function pinEpoch(persona: PersonaRecord, epoch: number, repin: boolean, state: State): Pinned {
  if (epoch > persona.minEpoch) return { ...raiseMinEpoch(persona, epoch, state), outcome: 'raised' }
  if (epoch === persona.minEpoch || !repin) return { persona, changes: [], outcome: 'known' }
  return { persona: { ...persona, minEpoch: epoch }, changes: [], outcome: 'lowered' }
}

/**
 * Another chain is the true one: nothing that was seen of the one before counts, neither its head nor what devices showed of it. What was
 * refused as a violation until now is judged anew.
 */
function pinChain(persona: PersonaRecord, root: string, minEpoch: number, state: State): Pinned {
  const dropped = dropHead(
    { ...persona, evidence: persona.evidence.map((piece) => seenFrom(root, piece)) },
    'violation',
    state,
  )
  for (const key of new Set([...persona.devices.map((device) => device.key), ...persona.others])) {
    const device = state.device(key)
    state.putDevice(key, { ...device, reports: forgetPersona(device.reports, persona.personaId) })
  }
  const pinned: PersonaRecord = { ...dropped.persona, root, minEpoch, verifiedAtSec: null }
  const head = bestOf(pinned, state)
  const taken = head === null ? { persona: pinned, changes: [] } : setHead(pinned, head, state)
  for (const { key } of taken.persona.devices) alarmIfContested(taken.persona, key, state)
  const repinned: ContactChange = { kind: 'repinned', key: null, name: null }
  return { persona: taken.persona, changes: [repinned, ...dropped.changes, ...taken.changes], outcome: 'repinned' }
}

/** A piece of evidence as it counts once this root is the pinned one. */
function seenFrom(root: string, piece: Evidence): Evidence {
  if (piece.root !== root) return { ...piece, kind: 'violation' }
  return piece.kind === 'violation' ? { ...piece, kind: 'stale' } : piece
}

/** The best table of the pinned chain among the evidence. */
function bestOf(persona: PersonaRecord, state: State): VerifiedBlob | null {
  let best: VerifiedBlob | null = null
  for (const piece of persona.evidence) {
    if (piece.root !== persona.root || piece.epoch < persona.minEpoch) continue
    const blob = decodeStored(piece.blob, state)
    if (blob.content.ok && (best === null || compareTables(blob, best) > 0)) best = blob
  }
  return best
}

function ownLinkRefused(isOwnChain: boolean): ContactError {
  if (isOwnChain) return new ContactError('CONTACT_IS_OWN', 'this is your own contact link', 'give it to somebody else')
  const message = 'this link names your PersonaID with another chain of keys: who made it has your first key'
  return new ContactError(
    'CONTACT_IS_OWN',
    message,
    'warn those to whom it was given, and give them yours: persona link',
  )
}

function chainDiffers({ entry, personaId, verifiedAtSec }: PersonaRecord): ContactError {
  const name = entry?.name ?? personaId
  const isVerified = verifiedAtSec !== null
  const known = isVerified ? 'the one that you verified' : 'the one that is pinned'
  const message = `the link names another chain of keys for ${name} than ${known}: one of the two was made by somebody who stole the first key`
  const hint = `ask ${name} where you know whom you speak to; if the link is right, take it with --repin`
  return new ContactError('CHAIN_DIFFERS', message, hint, { contact: name, verified: isVerified })
}
