/** Looks from time to time for what became an alarm by waiting (docs/format.md, section 8: a fork that nobody settled for 14 days). */
import { describeError } from '../../process/describe-error.ts'
import type { Keeper } from './keeper.ts'
import type { Log } from '../../process/log.ts'
import { raiseDue } from './alarms.ts'

const LOOK_EVERY_MS = 3_600_000 // sanity: of 14 days an hour is nothing

/** @returns stops the timer */
export function scheduleAlarms(keeper: Keeper, log: Log): () => void {
  const timer = setInterval(() => {
    raiseDue(keeper).catch((error: unknown) => log.warn('alarms.failed', describeError(error)))
  }, LOOK_EVERY_MS)
  timer.unref()
  return () => clearInterval(timer)
}
