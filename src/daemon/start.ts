/** Starts the daemon, and waits for what passes by itself: a full disk, or too many open files. */
import { describeError } from '../process/describe-error.ts'
import { mayPass } from '../process/passing.ts'
import { startDaemon, type Daemon, type DaemonOptions } from './daemon.ts'

// Then it exits with 1, and the service manager starts it again. With its pause that is less often than StartLimitBurst= in the unit
// forbids, so it goes on without an end. Less than TimeoutStartSec= together, so that the manager does not kill it.
const PAUSES_SEC: readonly number[] = [1, 2, 4, 8, 15]

/** @throws the error of the last try, or the first one that does not pass by itself */
export async function startPatiently(
  options: DaemonOptions,
  sleep: (seconds: number) => Promise<void> = (seconds) => new Promise((done) => setTimeout(done, seconds * 1000)),
): Promise<Daemon> {
  for (const pauseSec of PAUSES_SEC) {
    try {
      return await startDaemon(options)
    } catch (error) {
      if (!mayPass(error)) throw error
      options.log.warn('start.waits', { ...describeError(error), pauseSec })
      options.showStatus?.('the start failed for a reason that may pass by itself; trying again')
    }
    await sleep(pauseSec)
  }
  return await startDaemon(options)
}
