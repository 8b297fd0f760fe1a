/** Notes on the devices of the own table: which device added each, and whether the owner approved it (docs/format.md, section 9). Pure. */
import type { Device } from '../../core/table.ts'
import type { DeviceNote, OwnRecord } from '../state/own-record.ts'
import type { ContactChange } from '../../ipc/shapes/events.ts'

export const MAX_NOTES = 64 // sanity: those listed are at most 20; of the others the oldest are forgotten

/** Without a note it came before notes were kept, when the owner could not be asked. */
export function noteOf({ notes }: Pick<OwnRecord, 'notes'>, key: string): DeviceNote {
  return notes.find((note) => note.key === key) ?? { key, cameSec: 0, approved: true, goneSec: null }
}

/**
 * The notes after a table, by what it changed.
 * @param byOwner the table was signed here: the owner approved each device that it adds, and removed each device that it drops
 */
export function notesAfter(
  own: Pick<OwnRecord, 'notes' | 'localDevices'>,
  changes: readonly ContactChange[],
  byOwner: boolean,
  nowSec: number,
): DeviceNote[] {
  let notes = [...own.notes]
  for (const { kind, key } of changes) {
    if (key === null || (kind !== 'added' && kind !== 'removed')) continue
    const before = own.notes.find((note) => note.key === key)
    notes = notes.filter((note) => note.key !== key)
    if (kind === 'added') {
      // An approval ends when the device goes: whoever has it since may have listed it again. This machine's own device is in no other hands.
      const isOurs = before?.approved === true && own.localDevices.includes(key)
      const came = { key, cameSec: nowSec, approved: byOwner || isOurs, goneSec: null }
      const mark = byOwner ? undefined : before?.companion
      notes.unshift(mark === undefined ? came : { ...came, companion: mark })
    } else if (!byOwner) notes.unshift({ ...noteOf(own, key), goneSec: nowSec })
  }
  return bounded(notes)
}

/**
 * The notes with the marks that a sibling's table changes or takes away. A device is a companion or not from its first day on: no command
 * changes that, so a later table that says otherwise is not by the owner, or had no room for the mark.
 */
export function withMarks(
  own: Pick<OwnRecord, 'notes'>,
  before: readonly Device[],
  after: readonly Device[],
): readonly DeviceNote[] {
  const marked = before.flatMap(({ key, companion = false }) => {
    const note = noteOf(own, key)
    const later = after.find((device) => device.key === key)
    const isSame = later !== undefined && (later.companion === true) === companion
    return isSame || note.companion !== undefined ? [] : [{ ...note, companion }]
  })
  return [...marked, ...own.notes.filter(({ key }) => !marked.some((note) => note.key === key))]
}

/** Devices with the marks that they came with, where a sibling's table has changed them. */
export function asMarkedFirst(own: Pick<OwnRecord, 'notes'>, devices: readonly Device[]): readonly Device[] {
  return devices.map((device) => {
    const { companion } = noteOf(own, device.key)
    if (companion === undefined || companion === (device.companion === true)) return device
    const { name, key } = device
    return companion ? { name, key, companion } : { name, key }
  })
}

function bounded(notes: readonly DeviceNote[]): DeviceNote[] {
  const gone = notes.filter(({ goneSec }) => goneSec !== null)
  const listed = notes.filter(({ goneSec }) => goneSec === null)
  return [...listed, ...gone].slice(0, MAX_NOTES)
}

/** The owner's word for devices that a sibling's table brought. */
export function approvedNotes(own: Pick<OwnRecord, 'notes'>, keys: readonly string[]): DeviceNote[] {
  return own.notes.map((note) => (keys.includes(note.key) ? { ...note, approved: true } : note))
}

/** Devices that came only through a sibling's table and were never approved here. */
export function unapprovedDevices(own: Pick<OwnRecord, 'notes'>, devices: readonly Device[]): Device[] {
  return devices.filter(({ key }) => !noteOf(own, key).approved)
}

/** This daemon's own devices are known, and none of them is in the table: somebody else decided that. */
export function isUnlisted({ localDevices }: Pick<OwnRecord, 'localDevices'>, devices: readonly Device[]): boolean {
  return localDevices.length > 0 && !devices.some(({ key }) => localDevices.includes(key))
}

/** Whether a device is of this machine: one that the daemon runs for, or its companion. */
export function isOfHere(
  { localDevices, companion }: Pick<OwnRecord, 'localDevices' | 'companion'>,
  key: string,
): boolean {
  return localDevices.includes(key) || companion === key
}

/** Place of this daemon's device in the table, from 0: the k of the re-sign (docs/format.md, section 8). 0 where it is not known. */
export function placeOf({ localDevices }: Pick<OwnRecord, 'localDevices'>, devices: readonly Device[]): number {
  return Math.max(
    0,
    devices.findIndex(({ key }) => localDevices.includes(key)),
  )
}

/** The devices of this machine after an edit: a new key takes the place of the old one, and the first device of a persona is this one. */
export function localAfter(
  { localDevices }: Pick<OwnRecord, 'localDevices'>,
  edit: { readonly kind: string; readonly key: string; readonly newKey?: string },
  devices: readonly Device[],
): readonly string[] {
  const { newKey } = edit
  if (newKey !== undefined) return localDevices.map((key) => (key === edit.key ? newKey : key))
  return edit.kind === 'add' && devices.length === 1 && localDevices.length === 0 ? [edit.key] : localDevices
}
