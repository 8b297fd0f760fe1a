/**
 * The way of a friend's status message, from the text that a device shows to the events that it causes (docs/format.md, sections 8 and 10).
 * Read {@link observe} from top to bottom. Its steps are after it, in shown.ts and in report.ts.
 */
import { formatHex, parseBase64url } from '../../core/encoding/bytes.ts'
import type { OrderVerdict } from '../../core/order.ts'
import { listsDevice, fallbackName } from '../../core/table.ts'
import { formatToken } from '../../core/token.ts'
import { consentsToChain, newestSighting, reportBare, reportToken } from '../../core/consent.ts'
import type { VerifiedBlob } from '../../core/verify.ts'
import type { ContactChange } from '../../ipc/shapes/events.ts'
import type { ChangeKind, ObservationParams, ObserveResult } from '../../ipc/shapes/judged.ts'
import { tableDeviceOf } from '../../ipc/shapes/judge-text.ts'
import { apply } from '../personas/apply.ts'
import { decide, judgeAgainst, newPersona } from '../personas/decide.ts'
import type { Outcome } from '../personas/outcome.ts'
import type { OwnHeads } from '../personas/own-sight.ts'
import { isJoined } from '../state/joined.ts'
import type { DeviceRecord } from '../state/device-record.ts'
import type { PersonaRecord } from '../state/persona-record.ts'
import type { State } from '../state/state.ts'
import { applyConsent } from './consent.ts'
import { ContactError } from './errors.ts'
import { holdUpgrade, standsUpgrade } from './pending.ts'
import { seeSuccessor, type Succession } from './successor.ts'
import { chainOf, dropEntryMade, dropShort, noteShort } from './short.ts'
import { deviceKeyFault, readShown, type Shown } from './shown.ts'
import { isQuiet, noteHeard, writeReport, type Sight } from './report.ts'
import { refusedKey, resultOf } from './observed.ts'

/**
 * Judges one observation and writes everything that follows from it. Inside of a change.
 * @param isAccepted the owner accepted that the device joins the contact, whatever its policy
 * @param named a verified blob that the text names, if it is a short status
 */
export function observe(
  params: ObservationParams,
  source: string,
  own: OwnHeads,
  state: State,
  isAccepted = false,
  named: VerifiedBlob | null = null,
): ObserveResult {
  const { from: key, text, name = '' } = params
  const keyFault = deviceKeyFault(key)
  if (keyFault !== null) return refusedKey(key, keyFault)

  // Seen: a device shows a text. A report from the future would outrank everything that comes after it.
  const atSec = Math.min(params.seenAtSec ?? state.nowSec, state.nowSec)
  const before = state.device(key)
  const sight: Sight = { key, name, source, atSec, before, isQuiet: isQuiet(before, state.nowSec), isAccepted }
  const news: ChangeKind[] = []

  // Judged: the text on its own.
  const shown = readShown(text, key, before, named, state)
  if (shown.shown !== 'valid') {
    // An empty text is not a report: Tox sends one at each connect. A damaged or forged token says nothing about the device. A short status
    // that nothing here explains counts as words, until it is found.
    if (shown.shown === 'none' || shown.shown === 'short')
      news.push(...writeReport((reports) => reportBare(reports, source, atSec), false, sight, own, state))
    ensureEntry(sight, state)
    noteShown(shown, sight, state)
    return resultOf(shown, sight, null, news, state)
  }
  noteShown(shown, sight, state)

  // Judged: the blob against the head of its persona.
  const { blob } = shown
  const personaId = formatHex(blob.personaId)
  const judgedFirst = judgeAgainst(state.persona(personaId) ?? state.forgotten(personaId), blob, state)

  // Followed: the blob may say that its persona takes the place of a contact. Then the persona is known from here on.
  const succession = successionOf(blob, judgedFirst, sight, own, state)
  if (succession.kind === 'follows') news.push(...succession.changes.map(({ kind }) => kind))
  const known = state.persona(personaId)
  const judged = succession.kind === 'follows' ? judgeAgainst(known, blob, state) : judgedFirst
  const { verdict } = judged
  const isSuccessor = succession.kind !== 'none'

  // Reported: which persona the device shows, and whether its table lists the device. Another chain or a table that we cannot read says
  // nothing about that. Whoever quotes a token among their own words shows none.
  if (shown.isQuote) {
    news.push(...writeReport((reports) => reportBare(reports, source, atSec), false, sight, own, state))
  } else if (verdict !== 'refused' && verdict !== 'violation') {
    const lists = listsDevice(blob, key)
    // A short status shows no numbers: it leads to every table of its key.
    const table = shown.short === null ? { table: { epoch: blob.epoch, seq: blob.seq } } : {}
    const sighting = { atSec, personaId, lists, root: formatHex(blob.root), ...table }
    news.push(...writeReport((reports) => reportToken(reports, source, sighting), isSuccessor, sight, own, state))
  }

  // Decided: what the blob does to the record of its persona. Applied: outcome, then consent. Each emits its events.
  if (verdict === 'refused') {
    // A table that we cannot read changes nothing.
  } else if (personaId === own.personaId) {
    // This daemon most likely wrote the text of a profile on this machine itself, and a short status brings no copy at all.
    const copySec = source === `profile:${key}` || shown.isQuote || shown.short !== null ? null : atSec
    const seen = { from: key, copySec, mayNote: !sight.isQuiet, source, isAccepted }
    if (own.seeOwnBlob(blob, judged, seen)) noteHeard(key, state)
  } else if (known !== undefined) {
    const outcome = decide(known, blob, judged, !sight.isQuiet, state)
    apply(outcome, state)
    emitAdded(outcome, state)
    news.push(...consent(known, outcome.record, outcome.changes, sight, state))
  } else if (!isSuccessor && mayIntroduce(blob, judged, sight, state)) {
    if (!isAccepted && mustAsk(state.device(key), state)) {
      ensureEntry(sight, state)
      holdUpgrade(key, blob, source, state)
    } else {
      // The record to start from has no devices, so that each listed device counts as added. The policy was asked above: a contact's first
      // table is accepted whole.
      const base: PersonaRecord = state.forgotten(personaId) ?? { ...newPersona(blob, state), devices: [] }
      const outcome = decide(base, blob, { verdict: 'accepted' }, true, state)
      const { record, first } = withEntry(outcome.record, sight, state)
      apply({ ...outcome, record }, state)
      const added = outcome.changes.filter((change) => change.kind === 'added')
      news.push(...consent(null, record, [first, ...added], sight, state))
    }
  }

  ensureEntry(sight, state)
  return resultOf(shown, sight, { personaId, judged: judgedFirst }, news, state)
}

/**
 * The owner accepts that a friend without a persona is the persona that the device shows. Inside of a change.
 * @throws {ContactError} PENDING_CHANGED if the device shows something else by now
 */
export function acceptUpgrade(key: string, own: OwnHeads, state: State): void {
  const device = state.device(key)
  const blob = standsUpgrade(device, state) ? parseBase64url(device.pending!.blob) : null
  const newest = newestSighting(device.reports)
  const report = device.reports.find(({ token }) => token === newest)
  if (blob !== null && report !== undefined && newest !== null) {
    observe({ from: key, text: formatToken(blob), seenAtSec: newest.atSec }, report.source, own, state, true)
  }
  if (state.device(key).entry === null) return
  const message = `the device ${key} now shows something else`
  throw new ContactError('PENDING_CHANGED', message, 'look at it again')
}

/** A blob that is refused, or of a second chain, names nobody. */
function successionOf(
  blob: VerifiedBlob,
  judged: OrderVerdict,
  { key, source, isQuiet: quiet }: Sight,
  own: OwnHeads,
  state: State,
): Succession {
  if (judged.verdict === 'refused' || judged.verdict === 'violation') return { kind: 'none' }
  return seeSuccessor({ blob, judged, key, source, mayNote: !quiet }, own, state)
}

/**
 * Whether the device may introduce a persona that we do not know: it belongs to nobody yet, the table lists it, and it shows the table to
 * this day. An old profile does not.
 */
function mayIntroduce(blob: VerifiedBlob, { verdict }: OrderVerdict, { key }: Sight, state: State): boolean {
  // A forgotten contact comes back only with the table we knew or a newer one of the same chain.
  if (verdict !== 'new' && verdict !== 'accept' && verdict !== 'refresh') return false
  // Its successor is the contact.
  if (state.forgotten(formatHex(blob.personaId))?.replacedBy !== undefined) return false
  const { bound, reports } = state.device(key)
  return bound === null && consentsToChain(reports, formatHex(blob.personaId), formatHex(blob.root))
}

/** The policy asks before a table introduces a persona, or the owner joined the friend with others, who would lose it. */
function mustAsk(device: DeviceRecord, state: State): boolean {
  return isJoined(device) || (device.entry?.policy ?? state.defaultPolicy) !== 'auto'
}

/** The new contact inherits the entry that its device had by itself, or gets a new one. */
function withEntry(
  persona: PersonaRecord,
  { key, name }: Sight,
  state: State,
): { record: PersonaRecord; first: ContactChange } {
  const leadsTo = { kind: 'persona', id: persona.personaId } as const
  const device = state.device(key)
  const entry =
    device.entry === null
      ? state.names.make(name || persona.devices[0]!.name, leadsTo)
      : state.names.move(device.entry, leadsTo)
  state.putDevice(key, { ...device, entry: null, pending: null })
  const first = { kind: device.entry === null ? 'created' : 'upgraded', key: null, name: entry.name } as const
  return { record: { ...persona, entry }, first }
}

/** Apps hear of each new device. The devices of a linked contact's first table are not news. */
export function emitAdded({ before, record, changes }: Outcome, state: State): void {
  for (const change of changes) {
    if (change.kind !== 'added' || before.head === null) continue
    const device = tableDeviceOf(record.devices.find(({ key }) => key === change.key)!)
    const { personaId, entry } = record
    state.emit({ event: 'device.added', data: { personaId, contact: entry?.name ?? '', device } })
  }
}

/** Keeps the short status of a device, and forgets it once the device shows something else. A damaged text says nothing about that. */
function noteShown(shown: Shown, sight: Sight, state: State): void {
  if (shown.shown === 'empty' || 'code' in shown) return
  const { key, before } = sight
  if (!('short' in shown) || shown.short === null) return dropShort(key, state, sight.atSec)
  const isExplained = shown.shown === 'valid'
  if (isExplained) dropEntryMade(key, state)
  const isFirstSight = before.entry === null && before.bound === null && before.reports.length === 0
  const made = isFirstSight ? (state.device(key).entry?.name ?? null) : null
  noteShort({ ...sight, made }, shown.short, isExplained ? chainOf(shown.blob) : null, state)
}

/** Devices that consent become the contact's. */
function consent(
  before: PersonaRecord | null,
  record: PersonaRecord,
  changes: readonly ContactChange[],
  { key, source, isAccepted, before: spokeBefore }: Sight,
  state: State,
): ChangeKind[] {
  const occasion = { source, spoke: { key, before: spokeBefore }, ...(isAccepted ? { accepted: key } : {}) }
  const { emitted, isWritten } = applyConsent(before, record, changes, occasion, state)
  if (isWritten) noteHeard(key, state)
  return emitted.map(({ kind }) => kind)
}

/** A friend without a persona has an entry of its own. A device that is bound to a persona never gets one again. */
function ensureEntry({ key, name }: Sight, state: State): void {
  const device = state.device(key)
  if (device.entry !== null || device.bound !== null) return
  const entry = state.names.make(name || fallbackName(key), { kind: 'device', id: key })
  state.putDevice(key, { ...device, entry, heardAtSec: state.nowSec })
}
