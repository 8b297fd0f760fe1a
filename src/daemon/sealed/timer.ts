/** The timer that changes the apps key each day, and opens it once what kept it closed has passed. */
import { describeError } from '../../process/describe-error.ts'
import type { Log } from '../../process/log.ts'
import type { AppsKey } from './apps-key.ts'
import type { KeyChange } from './change.ts'

const CHECK_EVERY_MS = 60_000 // sanity: nothing is read while nothing is due, and a change is an hour late after a failure at most
const RETRY_AFTER = 60 // checks: after a failure; a full disk or a failing one should not be asked each minute

/** @returns stops the timer */
export function scheduleKeyChange(
  key: Pick<AppsKey, 'isDue' | 'settle'>,
  change: Pick<KeyChange, 'run'>,
  log: Pick<Log, 'warn'>,
): () => void {
  let waits = 0
  const check = async (): Promise<void> => {
    if (waits > 0) return void waits--
    await key.settle()
    if (!key.isDue()) return
    try {
      await change.run()
    } catch (error) {
      waits = RETRY_AFTER
      log.warn('apps.change', describeError(error))
    }
  }
  const timer = setInterval(() => void check(), CHECK_EVERY_MS)
  timer.unref()
  return () => clearInterval(timer)
}
