/** Follows siblings: a newer own table on some device becomes the head, and gets the own edits that it lacks (docs/format.md, section 9). Inside of a change. */
import { formatHex } from '../../core/encoding/bytes.ts'
import { replayIntents, type Replayed } from '../../core/intents.ts'
import { MAX_EPOCH, MAX_SEQ } from '../../core/limits.ts'
import type { OrderVerdict } from '../../core/order.ts'
import { listsDevice } from '../../core/table.ts'
import { consentsToPersona } from '../../core/consent.ts'
import type { VerifiedBlob } from '../../core/verify.ts'
import type { ContactChange } from '../../ipc/shapes/events.ts'
import { holdUpgrade } from '../contacts/pending.ts'
import { alarmIfContested, clearContested, noteClock } from '../personas/alarms.ts'
import { apply } from '../personas/apply.ts'
import { decide } from '../personas/decide.ts'
import type { OwnSight } from '../personas/own-sight.ts'
import type { OwnRecord } from '../state/own-record.ts'
import type { PersonaRecord } from '../state/persona-record.ts'
import { OWNER_SOURCE } from '../state/sources.ts'
import { alarmForgotten, alarmReturned, alarmRival, alarmUnlisted } from './alarms.ts'
import type { OwnHead } from './sign-table.ts'
import type { Journal } from './journal.ts'
import { isOfHere, isUnlisted, notesAfter, withMarks } from './notes.ts'
import { bringsBack, isRival } from './rivals.ts'
import { forgottenBy } from './rollback.ts'
import { fitsNameless, isFirstShownBy, rememberOwnNames, replayHead } from './own-records.ts'

const COPY_STEP_SEC = 3600 // sanity: a device shows its copy all the time, and its age is given in days, so we do not write it more often

/** Some device shows an own blob. A sibling may have written a newer one. @returns whether anything was written */
export function seeOwnBlob(
  own: OwnHead,
  journal: Journal,
  blob: VerifiedBlob,
  judged: OrderVerdict,
  sight: OwnSight,
): boolean {
  const { from, copySec, mayNote } = sight
  const { state, record: before, persona } = own
  const { verdict } = judged
  const isViolation = verdict === 'violation'
  const isCopy = isSiblingsCopy(own, blob, judged, sight)
  const isNoted =
    !isViolation &&
    noteBlob(own, journal, blob, isCopy ? freshUntilSec(blob, copySec) : null, from === '' ? 1 : COPY_STEP_SEC)
  const outcome = decide(persona, blob, judged, mayNote, state)
  const after = outcome.record
  apply(outcome, state)
  // Only for a blob that is new here. A blob that we keep already raised its alarm.
  if (after !== persona && !isViolation && !isRival(blob, before, own.past)) {
    const forgotten = forgottenBy(blob, before, own.past, persona, copySec === null ? from : null)
    if (forgotten !== null) alarmForgotten(before.personaId, forgotten, from, blob, state)
  }
  if (after.head !== persona.head && verdict !== 'refresh') follow(own, journal, persona, after, outcome.changes)
  if (own.persona.devices.some(({ key }) => key === from)) bindOrHold(own, blob, sight)
  const isReconciled = isCopy && reconcileBy(own, journal, copySec)
  return isNoted || isReconciled || after !== persona
}

/** A sibling's table is the head now. */
export function follow(
  own: OwnHead,
  journal: Journal,
  before: PersonaRecord,
  after: PersonaRecord,
  changes: readonly ContactChange[],
): void {
  const { state } = own
  for (const change of changes) if (change.kind === 'added') bindIfFree(own, change.key!)
  noteClock(after, state)
  own.past.note(own.blob)
  const { record } = own
  if (isUnlisted(record, after.devices) && !isUnlisted(record, before.devices)) alarmUnlisted(record.personaId, state)
  const notes = withMarks(record, before.devices, after.devices)
  own.put({ replayDue: true, notes: notesAfter({ ...record, notes }, changes, false, state.nowSec) })
  own.emitChanged('sibling')
  replay(own, journal)
}

/** Replays the own edits that a sibling's winning table lacks. If the table came while the key was locked, the unlock calls this. */
export function replay(own: OwnHead, journal: Journal): void {
  const { state } = own
  const record = state.own()
  if (record === undefined || !record.replayDue || own.custody.isLocked) return
  const { persona, blob: head } = own
  // This device cannot sign now: a sibling rotated the key, the last seq is used, somebody took this device out of the table, or this state
  // was put back.
  if (head.epoch !== record.epoch || head.seq >= MAX_SEQ) return
  if (record.restoredSec !== null || record.succeededBy != null || isUnlisted(record, persona.devices)) return
  own.put({ replayDue: false })
  const { devices, settings, outcomes } = replayOnto(own, journal)
  for (const outcome of outcomes) journal.end(outcome)
  if (!outcomes.some(({ outcome }) => outcome === 'replayed')) return
  const signed = own.sign(own.draft(devices, settings), true)
  own.put({ named: signed.named })
  for (const { intent, outcome } of outcomes) if (outcome === 'replayed') journal.republish(intent, signed.blob)
  own.install({ ...persona, names: rememberOwnNames(devices, persona.names) }, signed.blob, 'replay')
}

/** Replays the own intents over the head, without writing. */
function replayOnto({ record, devices, settings, blob: head, past, state }: OwnHead, journal: Journal): Replayed {
  const onto = replayHead(devices, settings, head)
  const lacking = journal.live.filter((intent) => !isFirstShownBy(onto, intent))
  return replayIntents(onto, lacking, {
    nowSec: state.nowSec,
    tombstones: new Set(record.tombstones),
    ancestor: (prev) => past.find(prev),
    fits: (list) => fitsNameless(head.epoch, list.length),
  })
}

/** The owner saw the whole table and had it signed. Edits that it does not show are overruled: signing them would publish another table. */
export function overruleEarlier(own: OwnHead, journal: Journal): void {
  own.put({ replayDue: false })
  for (const outcome of replayOnto(own, journal).outcomes) {
    if (outcome.outcome === 'kept') journal.end(outcome)
    else journal.forget(outcome.intent)
  }
}

/**
 * Whether the blob is another device's copy that shows how far the own table has come: the owner gave it, or a device shows it that it
 * lists. Copies that are behind our head do not count, because any former friend can show an old one.
 */
function isSiblingsCopy(own: OwnHead, blob: VerifiedBlob, { verdict }: OrderVerdict, sight: OwnSight): boolean {
  const { from, copySec } = sight
  if (copySec === null || isOfHere(own.record, from)) return false
  const isOfSibling = from === '' || listsDevice(blob, from)
  return isOfSibling && (verdict === 'accept' || verdict === 'refresh' || verdict === 'fork')
}

/**
 * Up to when a copy tells how far the own table has come: the time in it, not the moment of reading. An old file read now would hide a
 * rotation made since.
 */
export function freshUntilSec({ timeSec }: VerifiedBlob, seenSec: number | null): number | null {
  return seenSec === null ? null : Math.min(timeSec, seenSec)
}

/** A copy seen since a restore ends the wait. One from before it may lie in a profile that was put back as well. */
function reconcileBy(own: OwnHead, journal: Journal, copySec: number | null): boolean {
  const { restoredSec } = own.record
  if (restoredSec === null || copySec === null || copySec < restoredSec) return false
  own.put({ restoredSec: null })
  own.emitChanged('reconcile')
  replay(own, journal)
  return true
}

/**
 * Notes the facts that an own blob proves, whatever becomes of it: the highest epoch, a rotation elsewhere, the age of the last copy.
 * @param copySec how fresh the copy is; null if it is not one
 * @param stepSec write `copySec` only if it is so much later. A copy that the owner gives counts at once, because their next command may rely on it
 */
function noteBlob(
  own: OwnHead,
  journal: Journal,
  blob: VerifiedBlob,
  copySec: number | null,
  stepSec: number,
): boolean {
  const { record } = own
  const changed: Partial<OwnRecord> = {}
  if (blob.epoch > record.highestEpoch) Object.assign(changed, { highestEpoch: blob.epoch })
  // A device had the last key, so a thief of it may have named the successor. No rotation is left that could end this.
  if (blob.epoch === MAX_EPOCH && record.succeededBy != null) Object.assign(changed, { succeededBy: null })
  if (copySec !== null && copySec >= (record.copySec ?? 0) + stepSec) Object.assign(changed, { copySec })
  const rotation = rotationAfter(own, journal, blob)
  if (rotation !== record.rotation) Object.assign(changed, { rotation })
  if (Object.keys(changed).length === 0) return false
  own.put(changed)
  return true
}

/** Our last rotation with the rival that this blob is, after the alarm about it; the same object if it is none. */
function rotationAfter({ record, past, state }: OwnHead, journal: Journal, blob: VerifiedBlob): OwnRecord['rotation'] {
  if (record.rotation === null) return null
  const { returned, ...rotation } = record.rotation
  const seen = { ...rotation, rival: formatHex(blob.tableHash) }
  if (isRival(blob, record, past)) {
    alarmRival(record.personaId, state)
    return seen
  }
  if (!bringsBack(blob, record, journal.live, past)) return record.rotation
  alarmReturned(record.personaId, state)
  // The owner cannot approve away a rival that was seen before.
  return rotation.rival === null || returned ? { ...seen, returned: true } : seen
}

/**
 * A sibling lists a device. It becomes the owner's unless we know it as somebody else's. Then the owner is asked once it consents:
 * otherwise the thief of a sibling could steal the owner's contacts by listing their devices.
 */
function bindIfFree(own: OwnHead, key: string): void {
  const { bound, entry } = own.state.device(key)
  if (bound === own.record.personaId) return
  if (bound === null && entry === null) return own.bind(key)
  alarmIfContested(own.persona, key, own.state)
}

/** A listed device shows the own table. If it is known as a friend, it waits for the owner's answer. */
function bindOrHold(own: OwnHead, blob: VerifiedBlob, { from, source, isAccepted }: OwnSight): void {
  const { bound, entry, reports } = own.state.device(from)
  if (bound !== null) return
  if (entry === null) return own.bind(from)
  if (!consentsToPersona(reports, own.record.personaId)) return
  if (isAccepted !== true) return holdUpgrade(from, blob, source ?? OWNER_SOURCE, own.state)
  own.bind(from)
  clearContested(own.record.personaId, from, own.state)
}
