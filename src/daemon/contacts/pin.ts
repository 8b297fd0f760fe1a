/** Pins, which the owner sets: by a contact link, by exchanging a chain for the true one, by verifying a contact (docs/format.md, section 13). */
import { formatHex } from '../../core/encoding/bytes.ts'
import type { Evidence } from '../../core/evidence.ts'
import type { ContactLink } from '../../core/link.ts'
import { compareTables } from '../../core/order.ts'
import { forgetPersona, type ContactEntry } from '../../core/consent.ts'
import type { VerifiedBlob } from '../../core/verify.ts'
import type { ContactChange } from '../../ipc/shapes/events.ts'
import type { AddedContact } from '../../ipc/shapes/links.ts'
import { alarmIfContested } from '../personas/alarms.ts'
import { apply } from '../personas/apply.ts'
import { decide, decideDrop, decideMinEpoch, NO_HEAD } from '../personas/decide.ts'
import { join, recordOnly, type Outcome } from '../personas/outcome.ts'
import { decodeStored } from '../personas/heads.ts'
import { ContactError } from './errors.ts'
import { restoreContact } from './forget.ts'
import { tidyName } from '../state/name-form.ts'
import type { State } from '../state/state.ts'
import type { PersonaRecord } from '../state/persona-record.ts'
import { OWNER_SOURCE } from '../state/sources.ts'

const NAME_DIGITS = 8 // sanity: as many as device- has; the owner can rename the contact

export interface PinWishes {
  readonly name: string | null
  /** The owner trusts the link more than the chain or the higher epoch that is pinned. */
  readonly repin: boolean
}

/**
 * Pins a contact link. Inside of a change.
 * @throws {ContactError} CONTACT_IS_OWN | CHAIN_DIFFERS {KeeperError} NAME_TAKEN
 */
export function pinLink(link: ContactLink, { name, repin }: PinWishes, state: State): AddedContact['outcome'] {
  const personaId = formatHex(link.personaId)
  const root = formatHex(link.root)
  const known = state.persona(personaId)
  checkNotOwn(link, state)
  if (known === undefined) {
    if (name !== null) state.names.checkFree(name, { kind: 'persona', id: personaId })
    // The maker of the link chose its name. It is made unique, as the name of a Tox friend is.
    const newName = name ?? link.name ?? `persona-${personaId.slice(0, NAME_DIGITS).toLowerCase()}`
    const { defaultPolicy: policy, nowSec: createdSec } = state
    addLinked(link, { name: newName, aliases: [], policy, blocked: false, createdSec }, repin, state)
    return 'added'
  }
  if (known.root !== root && !repin) throw chainDiffers(known)
  const named = name === null || known.entry === null ? known : renamed(known, name, state)
  const { pinned, outcome } =
    known.root === root ? pinEpoch(named, link.epoch, repin, state) : pinChain(named, root, link.epoch, state)
  apply({ ...pinned, before: known }, state)
  state.emitContact(personaId, pinned.changes, OWNER_SOURCE)
  return outcome
}

/**
 * Makes a contact of a persona that is not one, under this entry. A forgotten persona comes back with its pin and head. Inside of a change.
 * @param entry its name gets a number if another contact has it
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
  const linked = unseen(link, state.names.import(tidy, { kind: 'persona', id: personaId }))
  if (forgotten === undefined) state.putPersona(linked)
  else apply(returned(linked, forgotten, state), state)
  state.emitContact(personaId, [{ kind: 'created', key: null, name: linked.entry?.name ?? null }], OWNER_SOURCE)
}

/** A forgotten persona becomes a contact again, by this link. */
function returned({ root, minEpoch, entry }: PersonaRecord, forgotten: PersonaRecord, state: State): Outcome {
  // The owner who adds the old persona of a successor is asked again.
  const { replacedBy: _replacedBy, ...rest } = forgotten
  const kept = { ...rest, entry }
  if (root !== forgotten.root) return pinChain(kept, root, minEpoch, state).pinned
  const raised = decideMinEpoch(kept, minEpoch, state)
  return { ...join(raised, restoreContact(raised.record, state)), before: forgotten }
}

function checkNotOwn(link: ContactLink, state: State): void {
  const personaId = formatHex(link.personaId)
  if (personaId === state.own()?.personaId)
    throw ownLinkRefused(state.persona(personaId)?.root === formatHex(link.root))
}

/** The owner compared the safety number or link of the pinned chain with their own eyes. Inside of a change. */
export function markVerified(persona: PersonaRecord, state: State): void {
  state.putPersona({ ...persona, verifiedAtSec: state.nowSec })
  if (persona.verifiedAtSec === null)
    state.emitContact(persona.personaId, [{ kind: 'verified', key: null, name: null }], OWNER_SOURCE)
}

/** The record while we have only the link. */
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
  readonly pinned: Outcome
  readonly outcome: AddedContact['outcome']
}

/** The link names the pinned chain. */
function pinEpoch(persona: PersonaRecord, epoch: number, repin: boolean, state: State): Pinned {
  if (epoch > persona.minEpoch) return { pinned: decideMinEpoch(persona, epoch, state), outcome: 'raised' }
  if (epoch === persona.minEpoch || !repin) return { pinned: recordOnly(persona, persona), outcome: 'known' }
  return { pinned: recordOnly(persona, { ...persona, minEpoch: epoch }), outcome: 'lowered' }
}

/**
 * Another chain is the true one. Nothing that we saw of the old one counts: neither its head nor the reports of its devices. Blobs that we
 * refused as violations until now are judged again.
 */
function pinChain(persona: PersonaRecord, root: string, minEpoch: number, state: State): Pinned {
  const evidence = persona.evidence.map((piece) => seenFrom(root, piece))
  const dropped = decideDrop({ ...persona, evidence }, 'violation', state)
  for (const key of new Set([...persona.devices.map((device) => device.key), ...persona.others])) {
    const device = state.device(key)
    state.putDevice(key, { ...device, reports: forgetPersona(device.reports, persona.personaId) })
  }
  const empty: PersonaRecord = { ...dropped.record, root, minEpoch, verifiedAtSec: null }
  const head = bestOf(empty, state)
  const headed = head === null ? recordOnly(empty, empty) : decide(empty, head, { verdict: 'new' }, true, state)
  for (const { key } of headed.record.devices) alarmIfContested(headed.record, key, state)
  const pinned = join(dropped, headed)
  const repinned: ContactChange = { kind: 'repinned', key: null, name: null }
  return { pinned: { ...pinned, before: persona, changes: [repinned, ...pinned.changes] }, outcome: 'repinned' }
}

/** The meaning of a piece of evidence once this root is pinned. */
function seenFrom(root: string, piece: Evidence): Evidence {
  if (piece.root !== root) return { ...piece, kind: 'violation' }
  return piece.kind === 'violation' ? { ...piece, kind: 'stale' } : piece
}

/** The highest table of the pinned chain among the evidence. */
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
  const message = 'this link names your PersonaID with another key chain: whoever made it has your first key'
  return new ContactError('CONTACT_IS_OWN', message, 'warn everybody who got this link, and give them your own', {
    wants: 'own link',
  })
}

function chainDiffers({ entry, personaId, verifiedAtSec }: PersonaRecord): ContactError {
  const name = entry?.name ?? personaId
  const isVerified = verifiedAtSec !== null
  const known = isVerified ? 'the one that you verified' : 'the one that is pinned'
  const message = `the link names a key chain for ${name} that differs from ${known}: somebody who stole the first key made one of the two`
  const hint = `ask ${name} in a way that proves who you talk to; if the link is right, pin its chain instead`
  return new ContactError('CHAIN_DIFFERS', message, hint, { contact: name, verified: isVerified })
}
