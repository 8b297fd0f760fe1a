/** Deletes what has lived its time, a slice at a time, so that requests go on between; and files that nothing counts. */
import type { Clock } from '../../process/pulse.ts'
import type { Objects } from '../objects/objects.ts'
import type { RelayStore } from '../store/relay-store.ts'

const EVERY_MS = 30_000 // sanity: what is over is not given out anyway; this only makes room
const SLICE = 256 // sanity: some milliseconds of one core
const SWEEP_MS = 86_400_000 // sanity: only a crash, or a change by hand, leaves such files

export interface Rounds {
  /** Begins no further step, and waits for the one that runs. */
  stop(): Promise<void>
}

/** @param failed gets the error of a round. @returns whether the next one may go well */
export function expireInSlices(
  store: Pick<RelayStore, 'expire'>,
  nowUs: () => number,
  clock: Clock,
  failed: (error: unknown) => boolean,
): Rounds {
  return repeatRounds(EVERY_MS, clock, failed, async (isStopped) => {
    for (let deleted = SLICE; deleted === SLICE && !isStopped();) deleted = await store.expire(nowUs(), SLICE)
  })
}

/**
 * Removes files of objects without a record, now and each day.
 * @param swept gets the number of a round that found some
 * @param failed as of {@link expireInSlices}
 */
export function sweepDaily(
  objects: Pick<Objects, 'sweep'>,
  clock: Clock,
  swept: (count: number) => void,
  failed: (error: unknown) => boolean,
): Rounds {
  return repeatRounds(SWEEP_MS, clock, failed, async (isStopped) => {
    const count = await objects.sweep(isStopped)
    if (count > 0) swept(count)
  })
}

function repeatRounds(
  everyMs: number,
  clock: Clock,
  failed: (error: unknown) => boolean,
  round: (isStopped: () => boolean) => Promise<void>,
): Rounds {
  let isStopped = false
  let running: Promise<void> = Promise.resolve()
  let cancel = (): void => {}
  const begin = (): void => {
    running = round(() => isStopped)
      .catch((error: unknown) => {
        isStopped ||= !failed(error)
      })
      .then(() => {
        if (!isStopped) cancel = clock.after(everyMs, begin)
      })
  }
  begin()
  return {
    stop: async () => {
      isStopped = true
      cancel()
      await running
    },
  }
}
