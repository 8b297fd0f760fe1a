/** The table that each own device was last seen showing, for `persona device list`. */
import type { Sighting } from '../../core/consent.ts'
import type { OwnTable, ShownByDevice } from '../../ipc/shapes/own.ts'
import type { OwnRecord } from '../state/own-record.ts'
import { isOfHere } from './notes.ts'

/** One for each device of the table, in its order. */
export function shownByDevices(
  own: Pick<OwnRecord, 'localDevices' | 'companion'>,
  table: OwnTable,
  sightingOf: (key: string) => Sighting | null,
): ShownByDevice[] {
  return table.devices.map(({ key }) => {
    const sighting = sightingOf(key)
    const { epoch = null, seq = null } = sighting?.table ?? {}
    const isHere = isOfHere(own, key)
    return { key, isHere, state: stateOf(sighting, table), epoch, seq, seenAtSec: sighting?.atSec ?? null }
  })
}

function stateOf(sighting: Sighting | null, own: OwnTable): ShownByDevice['state'] {
  if (sighting === null) return 'unseen'
  const { table } = sighting
  if (table === undefined) return 'unnumbered'
  const isOlder = table.epoch < own.epoch || (table.epoch === own.epoch && table.seq < own.seq)
  return isOlder ? 'older' : 'current'
}
