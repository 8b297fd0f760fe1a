/** The index of pending changes, which finds them without reading every record. Pure. */
import { questionOf } from './elsewhere.ts'
import type { DeviceRecord } from './device-record.ts'
import type { PendingRecord } from './local-records.ts'
import type { PersonaRecord } from './persona-record.ts'
import type { PendingUpdate } from '../../ipc/shapes/pending.ts'

/** The kinds of change of a persona that wait for the owner's answer. */
export function pendingKinds(persona: PersonaRecord): PendingRecord['kinds'] {
  const kinds: PendingUpdate['kind'][] = []
  if (persona.entry?.blocked === true) return kinds
  if (persona.pending !== null && !persona.pending.rejected) kinds.push('update')
  if (persona.held !== null && persona.entry !== null) kinds.push('held')
  if (persona.entry !== null && questionOf(persona) !== null) kinds.push('elsewhere')
  if (persona.successor?.rejected === false && persona.entry !== null) kinds.push('successor')
  return kinds
}

/** As {@link pendingKinds}, for a friend without a persona. */
export function upgradeKinds(device: DeviceRecord | undefined): PendingRecord['kinds'] {
  if (device === undefined || device.entry?.blocked === true) return []
  return device.pending === null || device.pending.rejected ? [] : ['upgrade']
}
