/**
 * Joins records of a snapshot with what is known here (docs/backup.md): heads by the order, never lower; pins stay; entries joined; what
 * was seen counts as seen by the source. All of it runs inside of a change, and taking a record twice is the same as once.
 */
import { admitDevices } from '../../core/diff.ts'
import { addEvidence } from '../../core/evidence.ts'
import {
  consentsToPersona,
  joinEntries,
  newestSighting,
  clampReports,
  reportBare,
  reportToken,
  type DeviceReports,
  type ContactEntry,
} from '../../core/trust.ts'
import type { ContactChange } from '../../ipc/shapes/events.ts'
import { alarmIfContested } from '../personas/alarms.ts'
import {
  applyVerdict,
  headOf,
  judgeAgainst,
  newPersona,
  noteClaim,
  offeredDevices,
  noteClock,
  raiseMinEpoch,
  decodeStored,
  setHead,
} from '../personas/heads.ts'
import { restoreContact } from '../contacts/forget.ts'
import type { State } from '../state/state.ts'
import {
  MAX_CLAIMANTS,
  MAX_KNOWN_NAMES,
  MAX_OTHERS,
  type DeviceRecord,
  type NameRecord,
  type PersonaRecord,
} from '../state/records.ts'

/** Where a snapshot comes from. */
export interface Origin {
  /** Of what its devices were seen to show: `sibling:NAME`; null for this persona's own past, whose reports keep their sources. */
  readonly source: string | null
  /** The owner's PersonaID, also before there is the owner's record; null for contacts without an owner. */
  readonly ownId: string | null
}

/** A contact, or what is known of the owner's own persona when `entry` is null. */
export function mergePersona(told: PersonaRecord, origin: Origin, state: State): PersonaRecord {
  const leadsTo = { kind: 'persona', id: told.personaId } as const
  const isOwn = told.personaId === origin.ownId
  const known = state.persona(told.personaId) ?? (isOwn ? recalled(told, state) : undefined)
  // No contact link is needed of oneself, and by one a thief would have the owner's tables refused.
  const incoming = isOwn ? { ...told, minEpoch: 0 } : told
  // Whom the owner forgot here no snapshot brings back.
  if (known === undefined && !isOwn && state.forgotten(incoming.personaId) !== undefined) return incoming
  const { persona, changes } =
    known === undefined
      ? meet(incoming, origin, state)
      : follow(isOwn ? { ...known, minEpoch: 0 } : known, incoming, state)
  // Nobody is asked of the own table.
  const accepted =
    isOwn && persona.pending !== null && persona.head !== null
      ? setHead(persona, decodeStored(persona.head, state), state, true).persona
      : persona
  const entry = isOwn ? null : joinWith(known?.entry ?? null, incoming.entry, leadsTo, state)
  if (isOwn && known?.entry != null) state.names.drop(known.entry)
  const merged = { ...accepted, entry }
  state.putPersona(merged)
  if (merged.head !== known?.head) noteClock(merged, state)
  state.emitContact(merged.personaId, changes, origin.source ?? 'backup')
  return merged
}

/** The owner's own persona, if it was a contact here that was forgotten: older tables of it pass for no newer ones. */
function recalled({ personaId, root }: PersonaRecord, state: State): PersonaRecord | undefined {
  const forgotten = state.known(personaId, root)
  return forgotten === undefined ? undefined : restoreContact(forgotten, state)
}

type Merged = { persona: PersonaRecord; changes: readonly ContactChange[] }

function meet(incoming: PersonaRecord, { source }: Origin, state: State): Merged {
  const { minEpoch, held, names, others, evidence, verifiedAtSec, entry } = incoming
  const created: ContactChange = { kind: 'created', key: null, name: entry?.name ?? null }
  const head = headOf(incoming, state)
  if (head === null) return { persona: { ...incoming, epoch: 0, seq: 0, timeSec: 0 }, changes: [created] }
  // What the policy has let through is the owner's word, and is no more than this: everything else follows from the head.
  const { pending } = incoming
  const offered = offeredDevices(incoming, head)
  // Of what a sibling says that it let through, only what the persona itself has signed.
  const letThrough = source === null ? incoming.devices : admitDevices('ask', incoming.devices, false, offered)
  const devices = pending === null ? offered : letThrough
  for (const { key } of devices) noteClaim(incoming.personaId, key, state)
  const kept = { minEpoch, held, names, others, evidence, verifiedAtSec, entry, devices, pending }
  return { persona: { ...newPersona(head), ...kept }, changes: [created] }
}

function follow(known: PersonaRecord, incoming: PersonaRecord, state: State): Merged {
  const isSameChain = incoming.root === known.root
  const pinned = raiseMinEpoch(known, isSameChain ? incoming.minEpoch : 0, state)
  const taken = incoming.head === null ? pinned : takeBlob(pinned, incoming.head, state)
  // Another chain for this PersonaID is a violation, which applyVerdict has recorded; of who says it nothing else is taken.
  if (!isSameChain) return taken
  const held = incoming.held === null ? taken : takeBlob(taken, incoming.held, state)
  return { persona: mergeKnown(held.persona, incoming), changes: held.changes }
}

/** What is known of a persona beside its head. */
export function mergeKnown(persona: PersonaRecord, incoming: PersonaRecord): PersonaRecord {
  const named = new Set(persona.names.map(([key]) => key))
  const listed = new Set(persona.devices.map(({ key }) => key))
  return {
    ...persona,
    names: [...persona.names, ...incoming.names.filter(([key]) => !named.has(key))].slice(0, MAX_KNOWN_NAMES),
    others: union(persona.others, incoming.others, MAX_OTHERS).filter((key) => !listed.has(key)),
    evidence: incoming.evidence.reduce(addEvidence, persona.evidence),
    verifiedAtSec: persona.verifiedAtSec ?? incoming.verifiedAtSec,
  }
}

function takeBlob(before: Merged, text: string, state: State): Merged {
  const blob = decodeStored(text, state)
  const { persona, changes } = applyVerdict(
    before.persona,
    blob,
    judgeAgainst(before.persona, blob, state),
    true,
    state,
  )
  return { persona, changes: [...before.changes, ...changes] }
}

/** What was seen of a device, whose it is, and the entry that it has by itself. */
export function mergeDevice(key: string, incoming: DeviceRecord, origin: Origin, state: State): void {
  const local = state.device(key)
  const isNew = local.reports.length === 0 && local.bound === null && local.entry === null
  const reports = mergeReports(local.reports, incoming.reports, origin.source, state.nowSec)
  const bound = local.bound ?? (mayBind(incoming.bound, { ...local, reports }, origin, state) ? incoming.bound : null)
  const seenAtSec = Math.max(local.seenAtSec ?? 0, Math.min(incoming.seenAtSec ?? 0, state.nowSec))
  const isListed = local.claimedBy.includes(bound ?? '')
  const merged: DeviceRecord = {
    reports: isNew && origin.source === null ? incoming.reports : reports,
    bound,
    left: local.bound === null && bound !== null && !isListed ? incoming.left : local.left,
    claimedBy: origin.source === null ? mergeClaims(incoming, local, origin, state) : local.claimedBy,
    entry: local.entry,
    pending: bound === null ? (local.pending ?? incoming.pending) : null,
    seenAtSec: local.seenAtSec === null && incoming.seenAtSec === null ? null : seenAtSec,
    heardAtSec: isNew && origin.source === null ? incoming.heardAtSec : local.heardAtSec,
  }
  state.putDevice(key, { ...merged, entry: settleEntry(key, merged, incoming.entry, origin, state) })
  if (bound === null || incoming.bound === null || bound === incoming.bound) return
  const claimant = state.persona(incoming.bound)
  if (claimant?.devices.some((device) => device.key === key) === true) alarmIfContested(claimant, key, state)
}

/** The entry that stays with the device: one that belongs to somebody has none, and what it had becomes its persona's. */
function settleEntry(
  key: string,
  { bound, entry: local }: DeviceRecord,
  incoming: ContactEntry | null,
  origin: Origin,
  state: State,
): ContactEntry | null {
  if (bound === null) return joinWith(local, incoming, { kind: 'device', id: key }, state)
  if (bound === origin.ownId) {
    if (local !== null) state.names.drop(local)
    return null
  }
  const persona = state.persona(bound)
  if (persona === undefined) return local
  const leadsTo = { kind: 'persona', id: bound } as const
  const moved = local === null ? persona.entry : moveTo(persona.entry, local, leadsTo, state)
  const entry = joinWith(moved, incoming, leadsTo, state)
  if (entry !== persona.entry) state.putPersona({ ...persona, entry })
  return null
}

function moveTo(kept: ContactEntry | null, local: ContactEntry, leadsTo: NameRecord, state: State): ContactEntry {
  return kept === null ? state.names.move(local, leadsTo) : state.names.join(kept, local, leadsTo)
}

function joinWith(
  local: ContactEntry | null,
  incoming: ContactEntry | null,
  leadsTo: NameRecord,
  state: State,
): ContactEntry | null {
  if (incoming === null) return local
  const joined = local === null ? incoming : joinEntries(local, incoming)
  return local !== null && isSame(local, joined) ? local : state.names.adopt(joined, leadsTo, local)
}

function isSame(a: ContactEntry, b: ContactEntry): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}

function isKnown(personaId: string | null, { ownId }: Origin, state: State): boolean {
  return personaId !== null && (personaId === ownId || state.persona(personaId) !== undefined)
}

/**
 * Whose a device is, as the snapshot says. A friend who stands for himself here needs his own word for that, and the policy of his entry:
 * otherwise the thief of a sibling could take him from the owner.
 */
function mayBind(personaId: string | null, local: DeviceRecord, origin: Origin, state: State): boolean {
  if (personaId === null || !isKnown(personaId, origin, state)) return false
  const { entry, reports } = local
  if (origin.source === null || entry === null) return true
  const seenHere = reports.filter(({ source }) => source !== origin.source)
  return personaId === origin.ownId
    ? consentsToPersona(seenHere, personaId)
    : entry.policy === 'auto' && consentsToPersona(reports, personaId)
}

// Who lists a device follows from the heads, which were taken before; the order of the claimants, of which many may be lost, does not.
function mergeClaims(incoming: DeviceRecord, local: DeviceRecord, origin: Origin, state: State): readonly string[] {
  const known = incoming.claimedBy.filter((id) => isKnown(id, origin, state))
  return union(known, local.claimedBy, MAX_CLAIMANTS)
}

/** A sibling's reports count as what that sibling saw, however many sources it had itself. */
function mergeReports(
  local: DeviceReports,
  incoming: DeviceReports,
  source: string | null,
  nowSec: number,
): DeviceReports {
  const told = clampReports(incoming, nowSec)
  if (source !== null) return report(local, source, told)
  return told.toReversed().reduce((reports, one) => report(reports, one.source, [one]), local)
}

function report(reports: DeviceReports, source: string, told: DeviceReports): DeviceReports {
  const token = newestSighting(told)
  let reported = token === null ? reports : reportToken(reports, source, token)
  for (const { bare } of told) {
    if (bare === null) continue
    reported = reportBare(reportBare(reported, source, bare.firstSec), source, bare.lastSec)
  }
  return reported
}

function union(first: readonly string[], second: readonly string[], limit: number): readonly string[] {
  return [...new Set([...first, ...second])].slice(0, limit)
}
