/** What `doctor` says of alarms that stand, of the history, and of what waits for the owner's answer. */
import { notice, ok, problem, type Finding } from '../../ipc/shapes/doctor.ts'
import { standingFindings } from '../own/standing.ts'
import type { Examined } from './examined.ts'

export function checkWaiting({ alarms, history, waiting, standing }: Examined): Finding[] {
  // What still is so is told by its own finding, also when the alarm was dismissed.
  const told = new Set(standingFindings(standing).map(({ code }) => code))
  const standingAlarms = alarms.filter(({ code, contact }) => contact !== null || !told.has(code))
  return [
    ...(standingAlarms.length === 0
      ? [ok('ALARMS', alarms.length === 0 ? 'no alarm stands' : 'no other alarm stands')]
      : standingAlarms.map(({ id, code, message }) =>
          problem(code, message, `persona alarms; when it is dealt with: persona alarms --dismiss ${id}`),
        )),
    history.intact
      ? ok('HISTORY', `the history is whole: ${history.entries === 1 ? '1 entry' : `${history.entries} entries`}`)
      : problem(
          'HISTORY_BROKEN',
          `the history is broken at entry ${history.brokenAt}: something else than the daemon has written to the store`,
          'put the store back from a backup: persona restore FILE; what follows that entry is not to be trusted',
        ),
    ...checkAnswers('PENDING', waiting.contacts, 'of your contacts', 'persona pending'),
    ...checkAnswers('APPS_PENDING', waiting.apps, 'of apps', 'persona app pending'),
  ]
}

function checkAnswers(code: string, count: number, whose: string, hint: string): Finding[] {
  if (count === 0) return []
  const what = count === 1 ? 'one question' : `${count} questions`
  return [notice(code, `${what} ${whose} ${count === 1 ? 'waits' : 'wait'} for your answer`, hint)]
}
