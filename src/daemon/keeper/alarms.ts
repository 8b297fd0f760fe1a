/** The open alarms, and those that become due by waiting. */
import type { Keeper } from './keeper.ts'
import { announceDue } from '../personas/alarms.ts'
import type { AlarmRecord } from '../state/local-records.ts'
import type { Alarm } from '../../ipc/shapes/alarms.ts'

/** Raises the alarms that have become due. */
export async function raiseDue(keeper: Keeper): Promise<void> {
  const due: string[] = []
  for await (const [id, { dueSec }] of keeper.onDisk.alarms.iterate()) {
    if (dueSec !== null && dueSec <= keeper.nowSec) due.push(id)
  }
  if (due.length > 0) await keeper.change(() => due.forEach((id) => announceDue(id, keeper.state)))
}

/** Lists the open alarms, the newest first. */
export async function listAlarms(keeper: Keeper): Promise<Alarm[]> {
  await raiseDue(keeper)
  const alarms: Alarm[] = []
  for await (const [id, record] of keeper.onDisk.alarms.iterate())
    if (record.dueSec === null) alarms.push(alarmView(id, record, keeper))
  return alarms.toSorted((a, b) => b.lastSec - a.lastSec)
}

export function alarmView(id: string, record: AlarmRecord, keeper: Keeper): Alarm {
  const { code, personaId, keys, message, sinceSec, lastSec, count, table } = record
  const entry = personaId === null ? null : (keeper.onDisk.personas.get(personaId)?.entry ?? null)
  const contact = entry?.name ?? null
  return { id, code, personaId, contact, keys: [...keys], message, sinceSec, lastSec, count, ...table }
}
