/**
 * Where this state lies, so that a copy of it is noticed: on another machine, or put back from a backup of the files (docs/backup.md, section 4).
 * Two daemons that go on from one state would sign two tables under one number.
 */
import { createHmac } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import type { StatePaths } from '../../store/state-dir.ts'
import type { State } from '../state/state.ts'
import type { OwnPersona } from '../own/persona.ts'
import { PLACE, type PlaceRecord } from '../state/records.ts'

const MACHINE_ID = '/etc/machine-id'

/** @param machineIdFile machine-id(5), of which only a keyed hash is kept, as its page asks */
export async function readPlace(paths: StatePaths, machineIdFile: string = MACHINE_ID): Promise<PlaceRecord> {
  const machineId = await readFile(machineIdFile, 'utf8').then(
    (text) => text.trim(),
    () => '',
  )
  const machine = machineId === '' ? null : createHmac('sha256', machineId).update('personad place').digest('hex')
  // Written in place from its making on: only a copy has another number, or has the same one again and was made later.
  const { ino, birthtimeNs } = await stat(paths.anchor, { bigint: true })
  return { machine, file: `${ino} ${birthtimeNs}` }
}

/** Compares where the state lies with where it lay at the last start. Call it inside of a change. */
export function noticeCopy(place: PlaceRecord, own: OwnPersona, state: State): void {
  const before = state.records.places.get(PLACE)
  if (before !== undefined && isSame(before, place)) return
  state.stage(state.records.places.put(PLACE, place))
  if (before !== undefined) own.wasCopied()
}

// A machine without an id, as in some containers, is told by the file alone.
function isSame(before: PlaceRecord, now: PlaceRecord): boolean {
  const isSameMachine = before.machine === null || now.machine === null || before.machine === now.machine
  return isSameMachine && before.file === now.file
}
