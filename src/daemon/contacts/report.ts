/** Adds an observation to the reports of its device, at most once a minute unless it says something new (docs/format.md, section 10). */
import {
  consentsToPersona,
  isOfHigherTable,
  newestSighting,
  clampReports,
  type DeviceReports,
} from '../../core/consent.ts'
import type { ChangeKind } from '../../ipc/shapes/judged.ts'
import { alarmSwitched } from '../personas/alarms.ts'
import type { OwnHeads } from '../personas/own-sight.ts'
import type { DeviceRecord } from '../state/device-record.ts'
import type { State } from '../state/state.ts'

const QUIET_SEC = 60 // sanity: unless the head moves, we write at most once a device in this time, however fast an app reports

/** One device at one moment. */
export interface Sight {
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

/** A clock that stepped back does not make a device quiet. */
export function isQuiet({ heardAtSec }: DeviceRecord, nowSec: number): boolean {
  const sinceSec = nowSec - heardAtSec
  return sinceSec >= 0 && sinceSec < QUIET_SEC
}

/** Any write for this device starts its quiet minute, whichever record it went to. */
export function noteHeard(key: string, state: State): void {
  const device = state.device(key)
  const { nowSec } = state
  if (device.heardAtSec !== nowSec) state.putDevice(key, { ...device, heardAtSec: nowSec })
}

/**
 * Adds a report to the device, unless the device is quiet and the report says nothing new.
 * @param isSuccessor the device shows a persona that follows another one, so a change of persona is no surprise
 */
export function writeReport(
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
