/** Starts the daemon, also on a full disk, and waits for what passes by itself, such as too many open files. */
import { describeError } from '../process/describe-error.ts'
import { lacksRoom, mayPass } from '../process/passing.ts'
import { freeReserve, keepReserve, RESERVE_BYTES } from '../store/room.ts'
import { statePaths } from '../store/state-dir.ts'
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
      return await startInReserve(options)
    } catch (error) {
      if (!mayPass(error)) throw error
      options.log.warn('start.waits', { ...describeError(error), pauseSec })
      options.showStatus?.('the start failed for a reason that may pass by itself; trying again')
    }
    await sleep(pauseSec)
  }
  return await startInReserve(options)
}

/** On a full disk frees the reserve for the start. The daemon then answers reads, and writes again once there is room. */
async function startInReserve(options: DaemonOptions): Promise<Daemon> {
  const { reserve } = statePaths(options.paths.stateDir)
  try {
    const daemon = await startDaemon(options)
    // As much again stays free, so that the reserve never fills a disk.
    await keepReserve(reserve, RESERVE_BYTES)
    return daemon
  } catch (error) {
    if (!lacksRoom(error) || !(await freeReserve(reserve))) throw error
    const daemon = await startDaemon(options)
    daemon.fullDisk.begin(error)
    // For the next start: what this one has left of it.
    await keepReserve(reserve, 0)
    return daemon
  }
}
