/** Deletes what has lived its time, a slice at a time, so that requests go on between. */
import type { Clock } from '../../process/pulse.ts'
import type { RelayStore } from '../store/relay-store.ts'

const EVERY_MS = 30_000 // sanity: what is over is not given out anyway; this only makes room
const SLICE = 256 // sanity: some milliseconds of one core

export interface Expiry {
  /** Begins no further slice, and waits for the one that runs. */
  stop(): Promise<void>
}

/** @param failed gets the error of a store that has stopped */
export function expireInSlices(
  store: Pick<RelayStore, 'expire'>,
  nowUs: () => number,
  clock: Clock,
  failed: (error: unknown) => void,
): Expiry {
  let isStopped = false
  let running: Promise<void> = Promise.resolve()
  let cancel = (): void => {}
  const round = async (): Promise<void> => {
    for (;;) {
      const deleted = await store.expire(nowUs(), SLICE)
      if (isStopped) return
      if (deleted < SLICE) break
    }
    cancel = clock.after(EVERY_MS, begin)
  }
  const begin = (): void => {
    running = round().catch(failed)
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
