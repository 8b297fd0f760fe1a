/** The checks of `doctor` for alarms, for the history, and for decisions that wait for the owner. */
import { notice, numbersOf, ok, problem, type Finding } from '../../ipc/shapes/doctor.ts'
import { standingFindings } from '../own/standing.ts'
import type { Examined } from './examined.ts'

export function checkWaiting({ alarms, history, waiting, standing }: Examined): Finding[] {
  // A condition that still holds has its own finding, even after the alarm was dismissed.
  const told = new Set(standingFindings(standing).map(({ code }) => code))
  const standingAlarms = alarms.filter(({ code, contact }) => contact !== null || !told.has(code))
  return [
    ...(standingAlarms.length === 0
      ? [ok('ALARMS', alarms.length === 0 ? 'there are no alarms' : 'there are no other alarms')]
      : standingAlarms.map(({ id, code, message, epoch = null, seq = null }) =>
          problem(code, message, 'look at the alarm, deal with it, then dismiss it', {
            alarm: id,
            ...numbersOf({ epoch, seq }),
          }),
        )),
    history.intact
      ? ok('HISTORY', `the history is whole: ${history.entries === 1 ? '1 entry' : `${history.entries} entries`}`)
      : problem(
          'HISTORY_BROKEN',
          `the history is broken at entry ${history.brokenAt}: another program has written to the store`,
          'restore a backup; do not trust that entry or any later one',
        ),
    ...checkAnswers(
      'PENDING',
      waiting.contacts,
      '1 contact change needs your decision',
      'contact changes need your decision',
    ),
    ...checkAnswers('APPS_PENDING', waiting.apps, '1 app waits for your answer', 'apps wait for your answer'),
  ]
}

function checkAnswers(code: string, count: number, one: string, many: string): Finding[] {
  if (count === 0) return []
  return [notice(code, count === 1 ? one : `${count} ${many}`, 'accept or reject')]
}
