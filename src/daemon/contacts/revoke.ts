/** Taking back what a source reported: its reports never were, and what rested on them alone ends (docs/format.md, section 10). */
import { consentsToChain, consentsToPersona, revokeSource, type DeviceReports } from '../../core/trust.ts'
import type { Changes } from '../state/changes.ts'
import type { State } from '../state/state.ts'
import { standsUpgrade } from './pending.ts'
import type { DeviceRecord } from '../state/records.ts'
import { applyConsent } from './consent.ts'

const DEVICES_A_CHANGE = 200 // sanity: other changes have their turn between them, and a commit stays far below its limit

/**
 * Drops all reports of a source, some devices a change. Doing it twice is the same as once, so that a crash in between costs nothing.
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
  if (free.bound === null) settleFreed(key, before, source, state)
}

/** The owner's own devices are bound by the owner's word; all others by what was reported of them. */
function isBoundBy({ bound }: DeviceRecord, reports: DeviceReports, state: State): boolean {
  if (bound === state.own()?.personaId) return true
  return reports.some(({ token }) => token !== null && token.personaId === bound && token.lists)
}

function lastSeen(reports: DeviceReports): number | null {
  const times = reports.map(({ token, bare }) => Math.max(token?.atSec ?? 0, bare?.lastSec ?? 0))
  return times.length === 0 ? null : Math.max(...times)
}

/** An entry that nobody else reported and the owner never touched goes with the report that made it. */
function withoutEntry(device: DeviceRecord, state: State): DeviceRecord {
  const { entry } = device
  if (entry === null || entry.policy !== 'auto' || entry.blocked || entry.aliases.length > 0) return device
  state.names.drop(entry)
  return { ...device, entry: null, pending: null }
}

/** What the other sources saw may have been waiting behind the lie: it is settled as if the device had shown it just now. */
function settleFreed(key: string, before: DeviceRecord, source: string, state: State): void {
  const { claimedBy, reports } = state.device(key)
  for (const id of claimedBy) {
    const persona = state.persona(id)
    if (persona === undefined || !consentsToChain(reports, id, persona.root)) continue
    applyConsent(persona, persona, [], { source, spoke: { key, before } }, state)
    return
  }
}

/** What the persona that it was bound to has in it now. */
function emitParted(key: string, before: DeviceRecord, source: string, state: State): void {
  const { bound } = before
  const listed = bound === null ? undefined : state.persona(bound)?.devices.find((device) => device.key === key)
  if (bound === null || listed === undefined) return
  const after = state.device(key)
  const [was, is] = [before, after].map((device) => device.bound === bound && consentsToPersona(device.reports, bound))
  if (was !== is) state.emitContact(bound, [{ kind: is ? 'confirmed' : 'unconfirmed', ...listed }], source)
}
