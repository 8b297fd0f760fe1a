/**
 * Successors: a contact moves to the persona that its last key names (docs/format.md, section 14). Each is followed once, and only as far as
 * this device can judge the statement itself. Inside of a change.
 */
import { diffTables } from '../../core/diff.ts'
import { formatBase64url, formatHex } from '../../core/encoding/bytes.ts'
import { compareTables, type OrderVerdict } from '../../core/order.ts'
import {
  judgeStatement,
  parseStatement,
  readStatement,
  type StatementVerdict,
  type SuccessorStatement,
} from '../../core/succession/statement.ts'
import type { VerifiedBlob } from '../../core/verify.ts'
import type { ContactChange } from '../../ipc/shapes/events.ts'
import { tableDeviceOf } from '../../ipc/shapes/judge-text.ts'
import { alarmOtherSuccessor } from '../personas/alarms.ts'
import { apply } from '../personas/apply.ts'
import { decide, judgeAgainst, newPersona, NO_HEAD } from '../personas/decide.ts'
import { recordOnly, type Outcome } from '../personas/outcome.ts'
import { decodeStored, headOf } from '../personas/heads.ts'
import type { OwnHeads } from '../personas/own-sight.ts'
import { MAX_OTHERS, type PersonaRecord } from '../state/persona-record.ts'
import { storedBytes } from '../state/records.ts'
import type { State } from '../state/state.ts'
import { OWNER_SOURCE } from '../state/sources.ts'
import { currentId } from '../state/view.ts'
import { applyConsent } from './consent.ts'
import { hide, restoreContact } from './forget.ts'
import { emitSuccessor } from './pending.ts'

/** A blob that may carry a statement, and how it came. */
export interface SuccessorSight {
  readonly blob: VerifiedBlob
  readonly judged: OrderVerdict
  /** The device that shows it; null if it came in a snapshot. */
  readonly key: string | null
  readonly source: string
  /** See decide(). */
  readonly mayNote: boolean
}

/**
 * - `none`: the blob is no successor's, or nothing is left to decide.
 * - `waits`: a question waits for the owner, or the own persona has a successor. It does not become a contact of its own.
 * - `follows`: the contact has moved, with these changes.
 */
export type Succession =
  { readonly kind: 'none' | 'waits' } | { readonly kind: 'follows'; readonly changes: readonly ContactChange[] }

const NONE: Succession = { kind: 'none' }
const WAITS: Succession = { kind: 'waits' }

/** Judges the statement of a blob, if it carries one, and follows it or asks the owner. */
export function seeSuccessor(sight: SuccessorSight, own: OwnHeads, state: State): Succession {
  const { blob, judged, source, key } = sight
  const named = namedBy(blob, state)
  if (named === null || named.successorId === own.personaId) return NONE
  const { old, successorId } = named
  // The cheap answers come before the signature.
  if (old.replacedBy === successorId) return NONE
  const waiting = old.successor ?? null
  const isSame = waiting !== null && idOf(waiting.blob, state) === successorId
  if (isSame && waiting.rejected) return NONE
  if (isSame && !isNewer(sight, waiting.blob, state)) return WAITS
  const verdict = verdictOn(readStatement(blob.content.ok ? blob.content.document : []), blob, old, state)
  if (verdict !== 'proven' && verdict !== 'unproven') return NONE
  if (old.personaId === own.personaId) {
    own.succession.see(successorId, verdict)
    return WAITS
  }
  if (old.replacedBy !== undefined) {
    alarmOtherSuccessor(currentId(old.replacedBy, state.records), key, state)
    return NONE
  }
  // The owner forgot the old persona, so no name can move.
  if (old.entry === null) return NONE
  if (waiting !== null && !waiting.rejected && !isSame) {
    alarmOtherSuccessor(old.personaId, key, state)
    return WAITS
  }
  const isKnown = state.persona(successorId) !== undefined || state.forgotten(successorId) !== undefined
  if (verdict === 'proven' && old.entry.policy === 'auto' && !isKnown && judged.verdict === 'new')
    return { kind: 'follows', changes: follow(old, blob, source, state) }
  hold(old, blob, source, state)
  return WAITS
}

/**
 * A persona that arrives from a sibling may follow a contact here. Only what is known here decides that.
 * @returns whether the owner is asked about a persona that is no contact yet
 */
export function waitsForOwner({ head }: PersonaRecord, source: string, own: OwnHeads, state: State): boolean {
  if (head === null) return false
  const blob = decodeStored(head, state)
  const known = state.persona(formatHex(blob.personaId))
  const judged = judgeAgainst(known, blob, state)
  const { kind } = seeSuccessor({ blob, judged, key: null, source, mayNote: true }, own, state)
  return kind === 'waits' && known === undefined
}

/** The owner agrees that the successor of a contact takes its place. */
export function acceptSuccessor(old: PersonaRecord, state: State): void {
  follow(old, decodeStored(old.successor!.blob, state), OWNER_SOURCE, state)
}

/** The persona that the statement of a blob names, if it is known here. */
function namedBy(blob: VerifiedBlob, state: State): { old: PersonaRecord; successorId: string } | null {
  const statement = blob.content.ok ? readStatement(blob.content.document) : null
  if (statement === null) return null
  const oldId = formatHex(statement.personaId)
  const old = state.persona(oldId) ?? state.forgotten(oldId)
  return old === undefined ? null : { old, successorId: formatHex(blob.personaId) }
}

function verdictOn(
  statement: SuccessorStatement | null,
  blob: VerifiedBlob,
  old: PersonaRecord,
  state: State,
): StatementVerdict {
  if (statement === null) return 'invalid'
  const known = { root: storedBytes(old.root), minEpoch: old.minEpoch, head: headOf(old, state) }
  return judgeStatement(statement, blob, storedBytes(old.personaId), known, state.engine)
}

function idOf(blob: string, state: State): string {
  return formatHex(decodeStored(blob, state).personaId)
}

function isNewer({ blob, mayNote }: SuccessorSight, waiting: string, state: State): boolean {
  return mayNote && compareTables(blob, decodeStored(waiting, state)) > 0
}

/** The question waits with the newest table of the successor. */
function hold(old: PersonaRecord, blob: VerifiedBlob, source: string, state: State): void {
  const before = old.successor ?? null
  const isSame = before !== null && idOf(before.blob, state) === formatHex(blob.personaId)
  const successor = {
    blob: formatBase64url(blob.bytes),
    tableHash: formatHex(blob.tableHash),
    sinceSec: isSame ? before.sinceSec : state.nowSec,
    rejected: false,
  }
  const held: PersonaRecord = { ...old, successor }
  state.putPersona(held)
  if (!isSame) emitSuccessor(held, source, state)
}

/** The successor takes the place of the contact: its name, policy, block and devices. */
function follow(old: PersonaRecord, blob: VerifiedBlob, source: string, state: State): ContactChange[] {
  const personaId = formatHex(blob.personaId)
  const leadsTo = { kind: 'persona', id: personaId } as const
  const known = state.persona(personaId)
  const outcome = outcomeOf(blob, known, state)
  const { devices, epoch, seq } = outcome.record
  const entry =
    known === undefined || known.entry === null
      ? state.names.move(old.entry!, leadsTo)
      : state.names.join(known.entry, old.entry!, leadsTo)
  const left = rebindDevices(old, { personaId, epoch, seq, keys: devices.map(({ key }) => key) }, state)
  const others = [...new Set([...outcome.record.others, ...left])].slice(0, MAX_OTHERS)
  const replaces = { personaId: old.personaId, root: old.root }
  const record: PersonaRecord = { ...outcome.record, entry, others, replaces }
  state.removePersona(old.personaId, { ...hide(old), replacedBy: personaId })
  apply({ ...outcome, record }, state)
  state.emit({
    event: 'contact.replaced',
    data: { personaId: old.personaId, successor: personaId, name: entry.name },
  })
  const changes: ContactChange[] = [
    { kind: 'succeeded', key: null, name: entry.name },
    ...diffTables({ epoch, devices: old.devices }, record),
  ]
  for (const { kind, key } of known === undefined ? changes : []) {
    if (kind !== 'added') continue
    const device = tableDeviceOf(devices.find((listed) => listed.key === key)!)
    state.emit({ event: 'device.added', data: { personaId, contact: entry.name, device } })
  }
  return applyConsent(known ?? null, record, changes, { source, spoke: null }, state).emitted
}

/** The record of the successor, before the entry of the contact comes. */
function outcomeOf(blob: VerifiedBlob, known: PersonaRecord | undefined, state: State): Outcome {
  if (known !== undefined) return recordOnly(known, known)
  const forgotten = state.forgotten(formatHex(blob.personaId))
  if (forgotten !== undefined && forgotten.head !== null) return restoreContact(forgotten, state)
  return decide({ ...newPersona(blob, state), devices: [] }, blob, { verdict: 'accepted' }, true, state)
}

/**
 * The own persona came to this device, which may have left the one before it: that one does not stay a contact of its owner.
 * @param predecessor the whole statement, as another device of the owner keeps it; null to take the one of the table
 */
export function replaceFormerOwn(own: PersonaRecord, predecessor: string | null, state: State): void {
  const head = headOf(own, state)
  if (head === null) return
  const shown = head.content.ok ? readStatement(head.content.document) : null
  const statement = predecessor === null ? shown : parseStatement(predecessor)
  const old = statement === null ? undefined : state.persona(formatHex(statement.personaId))
  if (old === undefined || old.entry === null) return
  const verdict = verdictOn(statement, head, old, state)
  if (verdict !== 'proven' && verdict !== 'unproven') return
  const { personaId, epoch, seq, devices } = own
  const left = rebindDevices(old, { personaId, epoch, seq, keys: devices.map(({ key }) => key) }, state)
  state.names.drop(old.entry)
  state.removePersona(old.personaId, { ...hide(old), replacedBy: personaId })
  state.putPersona({ ...own, others: [...new Set([...own.others, ...left])].slice(0, MAX_OTHERS) })
  state.emit({ event: 'contact.forgotten', data: { personaId: old.personaId, key: null, name: old.entry.name } })
}

/** The persona that this one replaced, on another device or before a restore, must not come back as a contact of its own. */
export function noteReplaced({ personaId, replaces }: PersonaRecord, state: State): void {
  if (replaces === undefined) return
  const { personaId: oldId, root } = replaces
  if (state.persona(oldId) !== undefined || state.forgotten(oldId) !== undefined) return
  const empty = { minEpoch: 0, ...NO_HEAD, names: [], others: [], evidence: [], verifiedAtSec: null, entry: null }
  state.stage(state.records.forgotten.put(oldId, { personaId: oldId, root, ...empty, replacedBy: personaId }))
}

/** The table that the successor begins with here. */
export interface SuccessorTable {
  readonly personaId: string
  readonly epoch: number
  readonly seq: number
  /** The device keys that it lists. */
  readonly keys: readonly string[]
}

/**
 * Binds the devices of the old persona to its successor, so that nobody else gets them. They are trusted once they show its table.
 * @returns the devices that the successor does not list
 */
export function rebindDevices(old: PersonaRecord, successor: SuccessorTable, state: State): string[] {
  const { personaId, epoch, seq, keys } = successor
  const left: string[] = []
  for (const key of new Set([...old.devices.map((device) => device.key), ...old.others])) {
    const device = state.device(key)
    const claimedBy = device.claimedBy.filter((id) => id !== old.personaId)
    const isBound = device.bound === old.personaId
    const isListed = keys.includes(key)
    const gone = device.left ?? { atSec: state.nowSec, epoch, seq }
    const bound = isBound ? { bound: personaId, left: isListed ? null : gone } : {}
    state.putDevice(key, { ...device, ...bound, claimedBy })
    if (isBound && !isListed) left.push(key)
  }
  return left
}
