/** The checks of `doctor` for the own persona: its standing, its age, and the table that each device shows. */
import type { Sighting } from '../../core/consent.ts'
import { notice, numbersOf, ok, problem, type Finding } from '../../ipc/shapes/doctor.ts'
import type { OwnTable } from '../../ipc/shapes/own.ts'
import { standingFindings } from '../own/standing.ts'
import { freshnessAt, type Clock } from '../state/view.ts'
import type { Examined } from './examined.ts'

const PUBLISH_THERE = 'publish the table there; another machine with a daemon of its own does that by itself'

export function checkOwn({ table, standing, isLocked, clock, shown }: Examined): Finding[] {
  if (table === null) {
    const hint = 'create one'
    return [notice('NO_PERSONA', 'there is no persona here yet', hint)]
  }
  return [
    { ...ok('PERSONA', `your table lists ${countOf(table.devices.length)}`), about: numbersOf(table) },
    ...standingFindings(standing),
    ...(isLocked ? [] : checkFreshness(table, clock)),
    ...table.devices.map(({ name, key }) => checkShown(name, shown.get(key) ?? null, table)),
  ]
}

function checkFreshness(table: OwnTable, clock: Clock): Finding[] {
  const age = freshnessAt(table.timeSec, clock)
  // The check of the clock reports that.
  if (age === null) return []
  if (age === 'fresh') return [ok('FRESHNESS', 'the table was signed less than two weeks ago')]
  const message = `the table was signed long ago: friends see it as ${age}`
  return [problem('TABLE_STALE', message, 'the log of the daemon shows why it was not signed again')]
}

function checkShown(name: string, sighting: Sighting | null, own: OwnTable): Finding {
  if (sighting === null) {
    const message = `${name} was never seen showing your table, so contacts do not learn of your persona from it`
    return notice('DEVICE_UNSEEN', message, PUBLISH_THERE)
  }
  const { table, atSec } = sighting
  if (table === undefined) return ok('DEVICE_SHOWS', `${name} was seen showing a table of yours`)
  const isOlder = table.epoch < own.epoch || (table.epoch === own.epoch && table.seq < own.seq)
  const about = numbersOf(table)
  if (!isOlder) return { ...ok('DEVICE_SHOWS', `${name} was seen showing your current table`), about }
  // A sighting from before the current table was signed could not show it.
  return atSec < own.timeSec
    ? notice('DEVICE_OLDER', `${name} was last seen before your current table was signed`, PUBLISH_THERE, about)
    : problem('DEVICE_OLDER', `${name} was last seen showing an older table of yours`, PUBLISH_THERE, about)
}

function countOf(devices: number): string {
  return devices === 1 ? '1 device' : `${devices} devices`
}
