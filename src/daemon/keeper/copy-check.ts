/**
 * Notices that this state is a copy: on another machine, or restored from a backup of the files (docs/backup.md, section 4).
 * Two daemons that continue from one state would sign two different tables with the same number.
 */
import { createHmac } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import type { StatePaths } from '../../store/state-dir.ts'
import type { State } from '../state/state.ts'
import type { OwnPersona } from '../own/persona.ts'
import { PLACE, type PlaceRecord } from '../state/records.ts'

const MACHINE_ID = '/etc/machine-id'

/** @param machineIdFile machine-id(5). We keep only a keyed hash of it, as its manual page asks. */
export async function readPlace(paths: StatePaths, machineIdFile: string = MACHINE_ID): Promise<PlaceRecord> {
  const machineId = await readFile(machineIdFile, 'utf8').then(
    (text) => text.trim(),
    () => '',
  )
  const machine = machineId === '' ? null : createHmac('sha256', machineId).update('personad place').digest('hex')
  // The anchor file is only ever written in place. A copy has another inode number, or the same one and a later creation time.
  const { ino, birthtimeNs } = await stat(paths.anchor, { bigint: true })
  return { machine, file: `${ino} ${birthtimeNs}` }
}

/** Compares the place of the state with its place at the last start. Call it inside a change. */
export function noticeCopy(place: PlaceRecord, own: OwnPersona, state: State): void {
  const before = state.records.places.get(PLACE)
  if (before !== undefined && isSame(before, place)) return
  state.stage(state.records.places.put(PLACE, place))
  if (before !== undefined) own.wasCopied()
}

// A machine without an id, as in some containers, is recognised by the file alone.
function isSame(before: PlaceRecord, now: PlaceRecord): boolean {
  const isSameMachine = before.machine === null || now.machine === null || before.machine === now.machine
  return isSameMachine && before.file === now.file
}
