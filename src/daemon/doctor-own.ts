/** What `doctor` says of the owner's persona: keys, recovery words, freshness, and which devices show the table. */
import { notice, ok, problem, type Finding } from '../ipc/shapes-doctor.ts'
import type { OwnTable } from '../ipc/shapes.ts'
import type { Examined } from './doctor.ts'
import { freshnessAt, type Clock } from './view.ts'

export function checkOwn(examined: Examined): Finding[] {
  const { table, isLocked, theftProtection, clock, shownAtSec } = examined
  if (table === null) {
    const hint = 'persona init --device NAME --tox-profile FILE'
    return [notice('NO_PERSONA', 'there is no persona here yet', hint)]
  }
  return [
    ok('PERSONA', `table ${table.seq} of epoch ${table.epoch} lists ${countOf(table.devices.length)}`),
    theftProtection
      ? ok('RECOVERY', 'the recovery words were confirmed: theft protection is on')
      : problem(
          'RECOVERY_UNCONFIRMED',
          'theft protection is off: who steals a device could take the persona',
          'write the recovery words down and confirm them: persona recovery show',
        ),
    ...(isLocked ? [notice('LOCKED', 'the signing key is locked, and nothing is signed', 'persona unlock')] : []),
    ...checkFreshness(table, isLocked, clock),
    ...table.devices.flatMap(({ name, key }) => checkShown(name, shownAtSec.get(key) ?? null)),
  ]
}

function checkFreshness(table: OwnTable, isLocked: boolean, clock: Clock): Finding[] {
  const age = freshnessAt(table.timeSec, clock)
  // Said by the clock's own check.
  if (age === null) return []
  if (age === 'fresh') return [ok('FRESHNESS', 'the table was signed less than two weeks ago')]
  const hint = isLocked
    ? 'persona unlock: it is then signed again'
    : 'see the log of the daemon: why it is not signed again'
  return [problem('TABLE_STALE', `the table was signed long ago, and is ${age} for friends`, hint)]
}

function checkShown(name: string, atSec: number | null): Finding[] {
  if (atSec !== null) return [ok('DEVICE_SHOWS', `${name} was seen showing a table of yours`)]
  return [
    notice(
      'DEVICE_UNSEEN',
      `${name} was never seen showing your table: friends do not learn of the persona from it`,
      'on that device: persona tox publish FILE; if it is another machine, that machine shows it by itself',
    ),
  ]
}

function countOf(devices: number): string {
  return devices === 1 ? '1 device' : `${devices} devices`
}
