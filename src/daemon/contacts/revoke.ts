/** Revokes a source: drops its reports and everything that depended on them alone (docs/format.md, section 10). */
import { consentsToChain, consentsToPersona, revokeSource, type DeviceReports } from '../../core/consent.ts'
import type { Changes } from '../state/changes.ts'
import type { State } from '../state/state.ts'
import { standsUpgrade } from './pending.ts'
import { isJoined } from '../state/joined.ts'
import type { DeviceRecord } from '../state/device-record.ts'
import { applyConsent } from './consent.ts'
import { dropShort } from './short.ts'

const DEVICES_A_CHANGE = 200 // sanity: other changes get their turn in between, and a commit stays far below its limit

/**
 * Drops all reports of a source, some devices a change. Doing it twice is the same as once, so a crash in between costs nothing.
 * @returns how many devices it had reported
 */
export async function dropReports(source: string, keeper: Changes): Promise<number> {
  let dropped = 0
  let batch: string[] = []
  const flush = async (): Promise<void> => {
    const keys = batch
    batch = []
    if (keys.length > 0) await keeper.change(() => keys.forEach((key) => dropOf(key, source, keeper.state)))
  }
  for await (const [key, device] of keeper.onDisk.devices.iterate()) {
    if (!device.reports.some((report) => report.source === source)) continue
    dropped++
    batch.push(key)
    if (batch.length === DEVICES_A_CHANGE) await flush()
  }
  await flush()
  return dropped
}

function dropOf(key: string, source: string, state: State): void {
  if (state.records.shorts.get(key)?.source === source) dropShort(key, state)
  const before = state.device(key)
  const reports = revokeSource(before.reports, source)
  const isSupported = before.bound === null || isBoundBy(before, reports, state)
  const free: DeviceRecord = {
    ...before,
    reports,
    pending: standsUpgrade({ ...before, reports }, state) ? before.pending : null,
    seenAtSec: lastSeen(reports),
    ...(isSupported ? {} : { bound: null, left: null }),
  }
  state.putDevice(key, reports.length === 0 ? withoutEntry(free, state) : free)
  emitParted(key, before, source, state)
  if (free.bound === null) consentAnew(key, before, source, state)
}

/** Whether the device stays bound. The owner binds their own devices; reports bind all others. */
function isBoundBy({ bound }: DeviceRecord, reports: DeviceReports, state: State): boolean {
  if (bound === state.own()?.personaId) return true
  return reports.some(({ token }) => token !== null && token.personaId === bound && token.lists)
}

function lastSeen(reports: DeviceReports): number | null {
  const times = reports.map(({ token, bare }) => Math.max(token?.atSec ?? 0, bare?.lastSec ?? 0))
  return times.length === 0 ? null : Math.max(...times)
}

/** An entry goes with the report that made it, if nobody else reported the device and the owner never touched the entry. */
function withoutEntry(device: DeviceRecord, state: State): DeviceRecord {
  const { entry } = device
  if (entry === null || entry.policy !== 'auto' || entry.blocked || entry.aliases.length > 0) return device
  if (isJoined(device)) return device
  state.names.drop(entry)
  return { ...device, entry: null, pending: null }
}

/** The dropped report may have hidden the reports of other sources. They count now as if the device had just shown its table. */
function consentAnew(key: string, before: DeviceRecord, source: string, state: State): void {
  const { claimedBy, reports } = state.device(key)
  for (const id of claimedBy) {
    const persona = state.persona(id)
    if (persona === undefined || !consentsToChain(reports, id, persona.root)) continue
    applyConsent(persona, persona, [], { source, spoke: { key, before } }, state)
    return
  }
}

/** Emits how the device now stands with the persona that it was bound to. */
function emitParted(key: string, before: DeviceRecord, source: string, state: State): void {
  const { bound } = before
  const listed = bound === null ? undefined : state.persona(bound)?.devices.find((device) => device.key === key)
  if (bound === null || listed === undefined) return
  const after = state.device(key)
  const [was, is] = [before, after].map((device) => device.bound === bound && consentsToPersona(device.reports, bound))
  if (was !== is) state.emitContact(bound, [{ kind: is ? 'confirmed' : 'unconfirmed', ...listed }], source)
}
