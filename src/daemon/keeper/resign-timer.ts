/** The timer that signs the own table again when it is due (docs/format.md, section 8). */
import { describeError } from '../../process/describe-error.ts'
import type { Keeper } from './keeper.ts'
import type { Log } from '../../process/log.ts'

const LONGEST_SLEEP_SEC = 6 * 3600 // sanity: a suspended machine and an edit both move the due time, and we may notice this late
const RETRY_SEC = 3600 // sanity: after a failure; if the store failed, the daemon stops anyway

/**
 * @param remind called now and then while the table cannot be signed
 * @returns stops the timer
 */
export function scheduleResign(
  keeper: Pick<Keeper, 'resign' | 'resignDueSec'>,
  nowSec: () => number,
  log: Log,
  remind: () => Promise<void>,
): () => void {
  let timer: NodeJS.Timeout | null = null
  let isStopped = false
  const sleep = (seconds: number): void => {
    // It may have been stopped while a signature was on its way to disk. The keeper is closed by then.
    if (isStopped) return
    timer = setTimeout(wake, Math.max(0, seconds) * 1000)
    timer.unref()
  }
  const wake = (): void => {
    const dueSec = keeper.resignDueSec()
    if (dueSec === null) remind().catch((error: unknown) => log.warn('remind.failed', describeError(error)))
    const waitSec = dueSec === null ? LONGEST_SLEEP_SEC : dueSec - nowSec()
    if (waitSec > 0) return sleep(Math.min(waitSec, LONGEST_SLEEP_SEC))
    keeper.resign().then(
      () => sleep(LONGEST_SLEEP_SEC),
      (error: unknown) => {
        log.warn('resign.failed', describeError(error))
        sleep(RETRY_SEC)
      },
    )
  }
  wake()
  return () => {
    isStopped = true
    if (timer !== null) clearTimeout(timer)
  }
}
