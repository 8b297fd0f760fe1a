/** Checks now and then for alarms that have become due (docs/format.md, section 8: a fork not resolved for 14 days). */
import { describeError } from '../../process/describe-error.ts'
import type { Keeper } from './keeper.ts'
import type { Log } from '../../process/log.ts'
import { raiseDue } from './alarms.ts'

const CHECK_EVERY_MS = 3_600_000 // sanity: an hour is little beside 14 days

/** @returns stops the timer */
export function scheduleAlarms(keeper: Keeper, log: Log): () => void {
  const timer = setInterval(() => {
    raiseDue(keeper).catch((error: unknown) => log.warn('alarms.failed', describeError(error)))
  }, CHECK_EVERY_MS)
  timer.unref()
  return () => clearInterval(timer)
}
