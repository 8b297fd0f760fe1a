/** Which records wait for an answer of the owner: the index that the state keeps, so that what waits is found without looking at everybody. Pure. */
import type { DeviceRecord, PendingRecord, PersonaRecord } from './records.ts'
import type { PendingUpdate } from '../../ipc/shapes/pending.ts'

/** What makes the store able to say what waits without looking at everybody. */
export function pendingKinds(persona: PersonaRecord): PendingRecord['kinds'] {
  const kinds: PendingUpdate['kind'][] = []
  if (persona.entry?.blocked === true) return kinds
  if (persona.pending !== null && !persona.pending.rejected) kinds.push('update')
  if (persona.held !== null && persona.entry !== null) kinds.push('held')
  return kinds
}

export function upgradeKinds(device: DeviceRecord | undefined): PendingRecord['kinds'] {
  if (device === undefined || device.entry?.blocked === true) return []
  return device.pending === null || device.pending.rejected ? [] : ['upgrade']
}
