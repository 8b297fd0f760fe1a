/**
 * Merges records of a snapshot into the state (docs/backup.md). Heads follow the order and never sink, pins stay, entries are joined, and
 * sightings count as the source's. All of it runs inside a change. Merging a record twice is the same as once.
 */
import { admitDevices } from '../../core/diff.ts'
import { addEvidence } from '../../core/evidence.ts'
import {
  consentsToPersona,
  joinEntries,
  newestSighting,
  seenHere,
  clampReports,
  reportBare,
  reportToken,
  type DeviceReports,
  type ContactEntry,
} from '../../core/consent.ts'
import type { ContactChange } from '../../ipc/shapes/events.ts'
import { alarmIfContested, noteClock } from '../personas/alarms.ts'
import { apply } from '../personas/apply.ts'
import { decide, decideMinEpoch, judgeAgainst, newPersona, type Known } from '../personas/decide.ts'
import { join, type Outcome } from '../personas/outcome.ts'
import type { OwnHeads } from '../personas/own-sight.ts'
import { decodeStored, headOf, offeredDevices } from '../personas/heads.ts'
import { restoreContact } from '../contacts/forget.ts'
import { emitReport } from '../contacts/pending.ts'
import { withoutElsewhere, withReport } from '../state/elsewhere.ts'
import { noteReplaced, waitsForOwner } from '../contacts/successor.ts'
import { isJoined } from '../state/joined.ts'
import { visibleName } from '../state/name-form.ts'
import type { State } from '../state/state.ts'
import { MAX_CLAIMANTS, type DeviceRecord } from '../state/device-record.ts'
import { MAX_KNOWN_NAMES, MAX_OTHERS, type PersonaRecord } from '../state/persona-record.ts'
import type { NameRecord } from '../state/local-records.ts'

/** The source of a snapshot. */
export interface Origin {
  /** The source of its sightings: `sibling:NAME`; null for this persona's own past, whose reports keep their sources. */
  readonly source: string | null
  /** The owner's PersonaID, even before the owner's record exists; null for contacts without an owner. */
  readonly ownId: string | null
}

/**
 * Whether the word of the snapshot counts for what only an owner sees or does: that a device showed a table, that a link or a safety number
 * was compared. So it is for this persona's own past, and for a new device that has no persona yet and starts from its sibling. A thief may
 * have the sibling of a device that has one.
 */
export function isTrusted({ source }: Origin, state: State): boolean {
  return source === null || state.own() === undefined
}

/** Merges a contact, or the owner's own persona, whose `entry` is null. @returns the record as it is then */
export function mergePersona(arrived: PersonaRecord, origin: Origin, own: OwnHeads, state: State): PersonaRecord {
  const leadsTo = { kind: 'persona', id: arrived.personaId } as const
  const isOwn = arrived.personaId === origin.ownId
  const isOfSibling = !isOwn && origin.source !== null && !isTrusted(origin, state)
  if (isOfSibling && waitsForOwner(arrived, origin.source, own, state)) return arrived
  const known = state.persona(arrived.personaId) ?? (isOwn ? restoreOwn(arrived, state) : undefined)
  // The owner needs no contact link of their own persona, and a thief could use one to refuse the owner's tables.
  const word = isTrusted(origin, state) ? arrived : withoutSuccession(arrived)
  const incoming = withoutForeign(isOwn ? { ...word, minEpoch: 0 } : word, origin)
  // A snapshot does not bring back contacts that the owner forgot here.
  if (known === undefined && !isOwn && state.forgotten(incoming.personaId) !== undefined) return incoming
  const decided =
    known === undefined
      ? decideUnknown(incoming, origin, isTrusted(origin, state), state)
      : decideKnown(isOwn ? { ...known, minEpoch: 0 } : known, incoming, isTrusted(origin, state), state)
  const outcome = isOwn ? withOwnPending(decided, state) : decided
  const entry = isOwn ? null : joinWith(known?.entry ?? null, incoming.entry, leadsTo, state)
  if (isOwn && known?.entry != null) state.names.drop(known.entry)
  const merged =
    isOwn || isTrusted(origin, state)
      ? { ...outcome.record, entry }
      : withReport({ ...outcome.record, entry }, incoming, origin.source!, state.nowSec)
  apply({ ...outcome, record: merged }, state)
  if (isTrusted(origin, state)) noteReplaced(merged, state)
  if (merged.head !== known?.head) noteClock(merged, state)
  state.emitContact(merged.personaId, decided.changes, origin.source ?? 'backup')
  emitReport(known, merged, origin.source ?? 'backup', state)
  return merged
}

/** A report of a third device to a sibling is no report of that sibling. */
function withoutForeign(incoming: PersonaRecord, { source }: Origin): PersonaRecord {
  return source === null ? incoming : withoutElsewhere(incoming)
}

/** The word of a sibling that is not trusted names no successor. */
function withoutSuccession(arrived: PersonaRecord): PersonaRecord {
  const { successor: _successor, replaces: _replaces, ...rest } = arrived
  return rest
}

/** The owner's own persona may be a contact that was forgotten here. Its head still counts, so that older tables do not pass for newer ones. */
function restoreOwn({ personaId, root }: PersonaRecord, state: State): PersonaRecord | undefined {
  const forgotten = state.known(personaId, root)
  if (forgotten === undefined) return undefined
  const outcome = restoreContact(forgotten, state)
  apply(outcome, state)
  return outcome.record
}

function decideUnknown(incoming: PersonaRecord, { source }: Origin, isTrusted: boolean, known: Known): Outcome {
  const { held, names, others, evidence, entry } = incoming
  const verifiedAtSec = isTrusted ? incoming.verifiedAtSec : null
  const created: ContactChange = { kind: 'created', key: null, name: entry?.name ?? null }
  const head = headOf(incoming, known)
  if (head === null) {
    const minEpoch = isTrusted ? incoming.minEpoch : 0
    const record = { ...incoming, epoch: 0, seq: 0, timeSec: 0, minEpoch, verifiedAtSec }
    return { before: incoming, record, claims: [], alarms: [], changes: [created] }
  }
  // The devices that the policy let through are the only fact beside the head: the owner decided them. All others follow from the head.
  const { pending } = incoming
  const minEpoch = isTrusted ? incoming.minEpoch : Math.min(incoming.minEpoch, head.epoch)
  const offered = offeredDevices(incoming, head)
  // A sibling may let through only devices that the persona itself signed.
  const letThrough = source === null ? incoming.devices : admitDevices('ask', incoming.devices, false, offered)
  const devices = pending === null ? offered : letThrough
  const { elsewhere, successor, replaces } = incoming
  const more = {
    ...(elsewhere === undefined ? {} : { elsewhere }),
    ...(successor === undefined ? {} : { successor }),
    ...(replaces === undefined ? {} : { replaces }),
  }
  const kept = { minEpoch, held, names, others, evidence, verifiedAtSec, entry, devices, pending, ...more }
  const claims = devices.map(({ key }) => ({ key, endedBy: null }))
  return { before: incoming, record: { ...newPersona(head, known), ...kept }, claims, alarms: [], changes: [created] }
}

function decideKnown(record: PersonaRecord, incoming: PersonaRecord, isTrusted: boolean, known: Known): Outcome {
  const isSameChain = incoming.root === record.root
  const pinned = decideMinEpoch(record, isSameChain && isTrusted ? incoming.minEpoch : 0, known)
  const headed = thenBlob(pinned, incoming.head, known)
  // Another chain for this PersonaID is a violation, which is recorded by now. Nothing else of its record counts.
  if (!isSameChain) return headed
  const outcome = thenBlob(headed, incoming.held, known)
  return { ...outcome, record: mergeKnown(outcome.record, incoming, isTrusted) }
}

function thenBlob(before: Outcome, text: string | null, known: Known): Outcome {
  if (text === null) return before
  const blob = decodeStored(text, known)
  return join(before, decide(before.record, blob, judgeAgainst(before.record, blob, known), true, known))
}

/** No pending change of the own table waits for the owner: all of it counts. */
function withOwnPending(outcome: Outcome, known: Known): Outcome {
  const { pending, head } = outcome.record
  if (pending === null || head === null) return outcome
  return join(outcome, decide(outcome.record, decodeStored(head, known), { verdict: 'accepted' }, true, known))
}

/** The facts about a persona beside its head. */
export function mergeKnown(persona: PersonaRecord, incoming: PersonaRecord, isTrusted: boolean): PersonaRecord {
  const named = new Set(persona.names.map(([key]) => key))
  const listed = new Set(persona.devices.map(({ key }) => key))
  return {
    ...persona,
    names: [...persona.names, ...incoming.names.filter(([key]) => !named.has(key))].slice(0, MAX_KNOWN_NAMES),
    others: union(persona.others, incoming.others, MAX_OTHERS).filter((key) => !listed.has(key)),
    evidence: incoming.evidence.reduce(addEvidence, persona.evidence),
    verifiedAtSec: persona.verifiedAtSec ?? (isTrusted ? incoming.verifiedAtSec : null),
    ...(persona.elsewhere === undefined && incoming.elsewhere !== undefined ? { elsewhere: incoming.elsewhere } : {}),
  }
}

/** Merges the sightings of a device, its persona, and the entry that it has by itself. */
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
    ...tiesOf(local, incoming, origin, state),
  }
  state.putDevice(key, { ...merged, entry: entryAfter(key, merged, incoming.entry, origin, state) })
  if (bound === null || incoming.bound === null || bound === incoming.bound) return
  const claimant = state.persona(incoming.bound)
  if (claimant?.devices.some((device) => device.key === key) === true) alarmIfContested(claimant, key, state)
}

/** The friends with whom the owner joined it. A sibling's report joins nobody here: a thief could add a friend of theirs to the owner's. */
function tiesOf(
  local: DeviceRecord,
  incoming: DeviceRecord,
  origin: Origin,
  state: State,
): Pick<DeviceRecord, 'joins' | 'joinedTo'> {
  const { joins, joinedTo } = isJoined(local) || !isTrusted(origin, state) ? local : incoming
  return { ...(joins === undefined ? {} : { joins }), ...(joinedTo === undefined ? {} : { joinedTo }) }
}

/** The entry that stays with the device. If the device belongs to a persona, its entry moves to that persona. */
function entryAfter(
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
  arrived: ContactEntry | null,
  leadsTo: NameRecord,
  state: State,
): ContactEntry | null {
  if (arrived === null) return local
  const name = visibleName(arrived.name)
  const aliases = [...new Set(arrived.aliases.map(visibleName))].filter((alias) => alias !== name)
  const incoming = { ...arrived, name, aliases }
  const joined = local === null ? incoming : joinEntries(local, incoming)
  return local !== null && isSame(local, joined) ? local : state.names.import(joined, leadsTo, local)
}

function isSame(a: ContactEntry, b: ContactEntry): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}

function isKnown(personaId: string | null, { ownId }: Origin, state: State): boolean {
  return personaId !== null && (personaId === ownId || state.persona(personaId) !== undefined)
}

/**
 * Whether the snapshot may bind the device to this persona. A device that was not seen here is not confirmed here. Otherwise the thief of a sibling
 * could steal the owner's friends.
 */
function mayBind(personaId: string | null, local: DeviceRecord, origin: Origin, state: State): boolean {
  if (personaId === null || !isKnown(personaId, origin, state)) return false
  const { entry, reports } = local
  if (origin.source === null) return true
  // A friend with an entry here joins nobody without the owner's answer, who is asked when the device shows the table here.
  if (entry !== null) return false
  return isTrusted(origin, state) || personaId === origin.ownId || consentsToPersona(seenHere(reports), personaId)
}

// The claimants follow from the heads, which were merged before. Their order does not, and decides which are lost at the limit.
function mergeClaims(incoming: DeviceRecord, local: DeviceRecord, origin: Origin, state: State): readonly string[] {
  const known = incoming.claimedBy.filter((id) => isKnown(id, origin, state))
  return union(known, local.claimedBy, MAX_CLAIMANTS)
}

/** All reports of a sibling count as one source, however many sources it had itself. */
function mergeReports(
  local: DeviceReports,
  incoming: DeviceReports,
  source: string | null,
  nowSec: number,
): DeviceReports {
  const arrived = clampReports(incoming, nowSec)
  if (source !== null) return addReports(local, source, arrived)
  return arrived.toReversed().reduce((reports, report) => addReports(reports, report.source, [report]), local)
}

function addReports(reports: DeviceReports, source: string, arrived: DeviceReports): DeviceReports {
  const token = newestSighting(arrived)
  let reported = token === null ? reports : reportToken(reports, source, token)
  for (const { bare } of arrived) {
    if (bare === null) continue
    reported = reportBare(reportBare(reported, source, bare.firstSec), source, bare.lastSec)
  }
  return reported
}

function union(first: readonly string[], second: readonly string[], limit: number): readonly string[] {
  return [...new Set([...first, ...second])].slice(0, limit)
}
