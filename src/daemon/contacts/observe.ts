/**
 * The way of a friend's status message, from the text that a device shows to the events that it causes (docs/format.md, sections 8 and 10).
 * Read {@link observe} from top to bottom; the functions after it are its steps.
 */
import { checkDeviceKey } from '../../core/blob.ts'
import { formatHex, parseBase64url, parseHex } from '../../core/encoding/bytes.ts'
import { BlobError } from '../../core/errors.ts'
import type { OrderVerdict } from '../../core/order.ts'
import { deviceKeysOf, fallbackName } from '../../core/table.ts'
import { formatToken } from '../../core/token.ts'
import {
  consentsToChain,
  consentsToPersona,
  isOfHigherTable,
  newestSighting,
  clampReports,
  reportBare,
  reportToken,
  type DeviceReports,
} from '../../core/consent.ts'
import { judgeStatus, type VerifiedBlob } from '../../core/verify.ts'
import type { ContactChange } from '../../ipc/shapes/events.ts'
import type { ChangeKind, ObservationParams, ObserveResult } from '../../ipc/shapes/judged.ts'
import { tableDeviceOf } from '../../ipc/shapes/judge-text.ts'
import { alarmSwitched } from '../personas/alarms.ts'
import { apply } from '../personas/apply.ts'
import { decide, judgeAgainst, newPersona, type Outcome } from '../personas/decide.ts'
import type { OwnHeads } from '../personas/own-sight.ts'
import { isJoined } from '../state/joined.ts'
import { pairOf } from '../state/pair.ts'
import type { DeviceRecord } from '../state/device-record.ts'
import type { PersonaRecord } from '../state/persona-record.ts'
import type { State } from '../state/state.ts'
import { applyConsent } from './consent.ts'
import { ContactError } from './errors.ts'
import { joinedHere } from './join.ts'
import { holdUpgrade, standsUpgrade } from './pending.ts'
import { seeSuccessor, type Succession } from './successor.ts'

const QUIET_SEC = 60 // sanity: unless the head moves, we write at most once a device in this time, however fast an app reports

/** Codes of a token that a client cut or altered. All others mean that somebody forged it. */
const DAMAGED: ReadonlySet<string> = new Set([
  'TOKEN_DAMAGED',
  'TOKEN_NOT_CANONICAL',
  'BLOB_TRUNCATED',
  'TOKEN_TOO_LONG',
])

type Shown =
  | { readonly shown: 'valid'; readonly blob: VerifiedBlob; readonly isQuote: boolean }
  | { readonly shown: 'none' | 'empty' }
  | { readonly shown: 'damaged' | 'invalid'; readonly code: string }

/** One device at one moment. */
interface Sight {
  readonly key: string
  /** The name that the client shows for the friend; '' if it did not report one. */
  readonly name: string
  readonly source: string
  readonly atSec: number
  /** The device before this observation. */
  readonly before: DeviceRecord
  /** Something was written for this device less than a minute ago, so only what matters is written. */
  readonly isQuiet: boolean
  /** The owner accepted that this device joins the contact. */
  readonly isAccepted: boolean
}

/**
 * Judges one observation and writes everything that follows from it. Inside of a change.
 * @param isAccepted the owner accepted that the device joins the contact, whatever its policy
 */
export function observe(
  params: ObservationParams,
  source: string,
  own: OwnHeads,
  state: State,
  isAccepted = false,
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
  const shown = readShown(text, before, state)
  if (shown.shown !== 'valid') {
    // An empty text is not a report: Tox sends one at each connect. A damaged or forged token says nothing about the device.
    if (shown.shown === 'none')
      news.push(...writeReport((reports) => reportBare(reports, source, atSec), false, sight, own, state))
    ensureEntry(sight, state)
    return resultOf(shown, sight, null, news, state)
  }

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
    const lists = deviceKeysOf(blob).includes(key)
    const table = { epoch: blob.epoch, seq: blob.seq }
    const sighting = { atSec, personaId, lists, root: formatHex(blob.root), table }
    news.push(...writeReport((reports) => reportToken(reports, source, sighting), isSuccessor, sight, own, state))
  }

  // Decided: what the blob does to the record of its persona. Applied: outcome, then consent. Each emits its events.
  if (verdict === 'refused') {
    // A table that we cannot read changes nothing.
  } else if (personaId === own.personaId) {
    // This daemon most likely wrote the text of a profile on this machine itself.
    const copySec = source === `profile:${key}` || shown.isQuote ? null : atSec
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

/** A client may have any 32 bytes in its friend list. Returns why they cannot be a device key; null if they can. */
function deviceKeyFault(key: string): string | null {
  try {
    checkDeviceKey(parseHex(key) ?? new Uint8Array())
    return null
  } catch (error) {
    if (error instanceof BlobError) return error.code
    throw error
  }
}

function refusedKey(from: string, code: string): ObserveResult {
  return { from, shown: 'invalid', code, personaId: null, verdict: null, state: null, contact: null, changes: [] }
}

/** A clock that stepped back does not make a device quiet. */
function isQuiet({ heardAtSec }: DeviceRecord, nowSec: number): boolean {
  const sinceSec = nowSec - heardAtSec
  return sinceSec >= 0 && sinceSec < QUIET_SEC
}

function readShown(text: string, { reports }: DeviceRecord, state: State): Shown {
  if (text === '') return { shown: 'empty' }
  try {
    const { blob, fragment, isShown } = judgeStatus(text, state.engine, state.inceptions)
    if (blob !== null) return { shown: 'valid', blob, isQuote: !isShown }
    const hadBlob = newestSighting(reports) !== null
    return fragment && hadBlob ? { shown: 'damaged', code: 'TOKEN_DAMAGED' } : { shown: 'none' }
  } catch (error) {
    if (!(error instanceof BlobError)) throw error
    return { shown: DAMAGED.has(error.code) ? 'damaged' : 'invalid', code: error.code }
  }
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
 * Adds a report to the device, unless the device is quiet and the report says nothing new.
 * @param isSuccessor the device shows a persona that follows another one, so a change of persona is no surprise
 */
function writeReport(
  add: (reports: DeviceReports) => DeviceReports,
  isSuccessor: boolean,
  { key, source, atSec, isQuiet }: Sight,
  own: OwnHeads,
  state: State,
): ChangeKind[] {
  const device = state.device(key)
  const known = clampReports(device.reports, state.nowSec)
  const reports = add(known)
  if (reports === known) return []
  const isNews = !isQuiet || !saysTheSame(reports, device.reports)
  // Newer tables on the owner's devices are rare, so they skip the quiet minute and do not restart it.
  const isOwners = device.bound !== null && device.bound === own.personaId
  if (!isNews && !(isOwners && isOfHigherTable(newestSighting(reports), newestSighting(device.reports)))) return []
  const seenAtSec = Math.max(device.seenAtSec ?? 0, atSec)
  const heardAtSec = isNews ? state.nowSec : device.heardAtSec
  state.putDevice(key, { ...device, reports, seenAtSec, heardAtSec })
  if (device.bound === null) return []
  if (!isSuccessor) alarmIfSwitched(device.bound, key, device.reports, reports, state)
  return emitParted(device.bound, key, device.reports, reports, source, state)
}

/** The reports differ only in times and tables, both those of the source and those of all sources together. */
function saysTheSame(a: DeviceReports, b: DeviceReports): boolean {
  const [after, before] = [a[0], b.find((report) => report.source === a[0]?.source)]
  if (after === undefined || before === undefined) return false
  const [newest, newestBefore] = [newestSighting(a), newestSighting(b)]
  return (
    newest?.personaId === newestBefore?.personaId &&
    newest?.lists === newestBefore?.lists &&
    (after.bare === null) === (before.bare === null) &&
    after.token?.personaId === before.token?.personaId &&
    after.token?.lists === before.token?.lists
  )
}

function alarmIfSwitched(bound: string, key: string, before: DeviceReports, after: DeviceReports, state: State): void {
  const shown = newestSighting(after)?.personaId ?? null
  if (shown !== null && shown !== bound && shown !== newestSighting(before)?.personaId)
    alarmSwitched(bound, shown, key, state)
}

/** A new report may end the confirmation by the persona that the device is bound to. */
function emitParted(
  bound: string,
  key: string,
  before: DeviceReports,
  after: DeviceReports,
  source: string,
  state: State,
): ChangeKind[] {
  if (!consentsToPersona(before, bound) || consentsToPersona(after, bound)) return []
  const listed = state.persona(bound)?.devices.find((device) => device.key === key)
  if (listed === undefined) return []
  state.emitContact(bound, [{ kind: 'unconfirmed', ...listed }], source)
  return ['unconfirmed']
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

/** Any write for this device starts its quiet minute, whichever record it went to. */
function noteHeard(key: string, state: State): void {
  const device = state.device(key)
  const { nowSec } = state
  if (device.heardAtSec !== nowSec) state.putDevice(key, { ...device, heardAtSec: nowSec })
}

/** A friend without a persona has an entry of its own. A device that is bound to a persona never gets one again. */
function ensureEntry({ key, name }: Sight, state: State): void {
  const device = state.device(key)
  if (device.entry !== null || device.bound !== null) return
  const entry = state.names.make(name || fallbackName(key), { kind: 'device', id: key })
  state.putDevice(key, { ...device, entry, heardAtSec: state.nowSec })
}

/** @param found the persona whose blob the device shows; null without a valid blob */
function resultOf(
  shown: Shown,
  { key }: Sight,
  found: { readonly personaId: string; readonly judged: OrderVerdict } | null,
  changes: ChangeKind[],
  state: State,
): ObserveResult {
  const device = state.device(key)
  const of = found?.personaId ?? device.bound
  const persona = of === null ? undefined : state.persona(of)
  const isListed = persona?.devices.some((listed) => listed.key === key) === true
  const pair = of === null ? null : pairOf(of, isListed, device)
  const refusal = found?.judged.verdict === 'refused' ? found.judged.code : null
  return {
    from: key,
    shown: refusal === null ? shown.shown : 'invalid',
    code: refusal ?? ('code' in shown ? shown.code : null),
    personaId: found?.personaId ?? null,
    verdict: found === null || found.judged.verdict === 'refused' ? null : found.judged.verdict,
    state: pair ?? (device.entry === null ? null : 'provisional'),
    contact: holderOf(key, device, state),
    changes,
  }
}

/** The contact that the device counts as. It may show the blob of another. */
function holderOf(key: string, device: DeviceRecord, state: State): string | null {
  if (device.entry !== null) return joinedHere(key, state)[0]!.device.entry.name
  const persona = device.bound === null ? undefined : state.persona(device.bound)
  if (persona === undefined) return null
  const isListed = persona.devices.some((listed) => listed.key === key)
  const pair = pairOf(persona.personaId, isListed, device)
  return pair === 'claimed' ? null : (persona.entry?.name ?? null)
}
