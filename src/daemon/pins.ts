/** Pins by the owner's word: a contact link taken, a chain exchanged for the true one, a contact verified (docs/format.md, section 13). */
import { formatHex } from '../core/bytes.ts'
import type { Evidence } from '../core/evidence.ts'
import type { ContactLink } from '../core/link.ts'
import { compareTables } from '../core/order.ts'
import { forgetPersona } from '../core/trust.ts'
import type { VerifiedBlob } from '../core/verify.ts'
import type { ContactChange } from '../ipc/events.ts'
import type { AddedContact } from '../ipc/shapes-links.ts'
import { alarmIfContested } from './alarms.ts'
import { KeeperError } from './errors.ts'
import { dropHead, raiseMinEpoch, recall, takeHead } from './heads.ts'
import type { Ledger } from './ledger.ts'
import type { PersonaRecord } from './records.ts'

const NAME_DIGITS = 8 // sanity: as many as device- has; the owner may call the contact otherwise
const OWNER_SOURCE = 'owner'

export interface PinWishes {
  readonly name: string | null
  /** The owner knows that another chain, or a higher epoch, is pinned, and trusts the link more. */
  readonly repin: boolean
}

/**
 * Takes a contact link. Call it inside of a change.
 * @throws {KeeperError} CONTACT_IS_OWN | CHAIN_DIFFERS | NAME_TAKEN
 */
export function pinLink(link: ContactLink, { name, repin }: PinWishes, ledger: Ledger): AddedContact['outcome'] {
  const personaId = formatHex(link.personaId)
  const root = formatHex(link.root)
  const known = ledger.persona(personaId)
  if (personaId === ledger.own()?.personaId) throw ownLinkRefused(known?.root === root)
  if (known === undefined) {
    ledger.putPersona(linked(link, name ?? `persona-${personaId.slice(0, NAME_DIGITS).toLowerCase()}`, name, ledger))
    ledger.tellContact(personaId, [{ kind: 'created', key: null, name }], OWNER_SOURCE)
    return 'added'
  }
  if (known.root !== root && !repin) throw chainDiffers(known)
  const named = name === null || known.entry === null ? known : renamed(known, name, ledger)
  const { persona, changes, outcome } =
    known.root === root ? pinEpoch(named, link.epoch, repin, ledger) : pinChain(named, root, link.epoch, ledger)
  if (persona !== known) ledger.putPersona(persona)
  ledger.tellContact(personaId, changes, OWNER_SOURCE)
  return outcome
}

/** The owner compared, with his own eyes, what names the chain that is pinned. Call it inside of a change. */
export function markVerified(persona: PersonaRecord, ledger: Ledger): void {
  ledger.putPersona({ ...persona, verifiedAtSec: ledger.nowSec })
  if (persona.verifiedAtSec === null)
    ledger.tellContact(persona.personaId, [{ kind: 'verified', key: null, name: null }], OWNER_SOURCE)
}

function linked(link: ContactLink, name: string, wanted: string | null, ledger: Ledger): PersonaRecord {
  const personaId = formatHex(link.personaId)
  const leadsTo = { kind: 'persona', id: personaId } as const
  if (wanted !== null) ledger.checkFree(wanted, leadsTo)
  return {
    personaId,
    root: formatHex(link.root),
    minEpoch: link.epoch,
    head: null,
    epoch: 0,
    seq: 0,
    timeSec: 0,
    devices: [],
    needsNewerPersona: false,
    pending: null,
    held: null,
    names: [],
    others: [],
    evidence: [],
    verifiedAtSec: null,
    entry: ledger.newEntry(name, leadsTo),
  }
}

function renamed(persona: PersonaRecord, name: string, ledger: Ledger): PersonaRecord {
  const { entry, personaId } = persona
  if (entry === null || entry.name === name) return persona
  return { ...persona, entry: ledger.renameEntry(entry, name, { kind: 'persona', id: personaId }) }
}

interface Pinned {
  readonly persona: PersonaRecord
  readonly changes: readonly ContactChange[]
  readonly outcome: AddedContact['outcome']
}

/** The chain is the one that is pinned. */
function pinEpoch(persona: PersonaRecord, epoch: number, repin: boolean, ledger: Ledger): Pinned {
  if (epoch > persona.minEpoch) return { ...raiseMinEpoch(persona, epoch, ledger), outcome: 'raised' }
  if (epoch === persona.minEpoch || !repin) return { persona, changes: [], outcome: 'known' }
  return { persona: { ...persona, minEpoch: epoch }, changes: [], outcome: 'lowered' }
}

/**
 * Another chain is the true one: nothing that was seen of the one before counts, neither its head nor what devices showed of it. What was
 * refused as a violation until now is judged anew.
 */
function pinChain(persona: PersonaRecord, root: string, minEpoch: number, ledger: Ledger): Pinned {
  const dropped = dropHead(
    { ...persona, evidence: persona.evidence.map((piece) => seenFrom(root, piece)) },
    'violation',
    ledger,
  )
  for (const key of new Set([...persona.devices.map((device) => device.key), ...persona.others])) {
    const device = ledger.device(key)
    ledger.putDevice(key, { ...device, reports: forgetPersona(device.reports, persona.personaId) })
  }
  const pinned: PersonaRecord = { ...dropped.persona, root, minEpoch, verifiedAtSec: null }
  const head = bestOf(pinned, ledger)
  const taken = head === null ? { persona: pinned, changes: [] } : takeHead(pinned, head, ledger)
  for (const { key } of taken.persona.devices) alarmIfContested(taken.persona, key, ledger)
  const repinned: ContactChange = { kind: 'repinned', key: null, name: null }
  return { persona: taken.persona, changes: [repinned, ...dropped.changes, ...taken.changes], outcome: 'repinned' }
}

/** A piece of evidence as it counts once this root is the pinned one. */
function seenFrom(root: string, piece: Evidence): Evidence {
  if (piece.root !== root) return { ...piece, kind: 'violation' }
  return piece.kind === 'violation' ? { ...piece, kind: 'stale' } : piece
}

/** The best table of the pinned chain among the evidence. */
function bestOf(persona: PersonaRecord, ledger: Ledger): VerifiedBlob | null {
  let best: VerifiedBlob | null = null
  for (const piece of persona.evidence) {
    if (piece.root !== persona.root || piece.epoch < persona.minEpoch) continue
    const blob = recall(piece.blob, ledger)
    if (blob.content.ok && (best === null || compareTables(blob, best) > 0)) best = blob
  }
  return best
}

function ownLinkRefused(isOwnChain: boolean): KeeperError {
  if (isOwnChain) return new KeeperError('CONTACT_IS_OWN', 'this is your own contact link', 'give it to somebody else')
  const message = 'this link names your PersonaID with another chain of keys: who made it has your first key'
  return new KeeperError(
    'CONTACT_IS_OWN',
    message,
    'warn those to whom it was given, and give them yours: persona link',
  )
}

function chainDiffers({ entry, personaId, verifiedAtSec }: PersonaRecord): KeeperError {
  const name = entry?.name ?? personaId
  const isVerified = verifiedAtSec !== null
  const known = isVerified ? 'the one that you verified' : 'the one that is pinned'
  const message = `the link names another chain of keys for ${name} than ${known}: one of the two was made by somebody who stole the first key`
  const hint = `ask ${name} where you know whom you speak to; if the link is right, take it with --repin`
  return new KeeperError('CHAIN_DIFFERS', message, hint, { contact: name, verified: isVerified })
}
