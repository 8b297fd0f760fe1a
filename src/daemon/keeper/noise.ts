/** Tells subscribers that were away to read a contact anew, after the history left out some of its news (state/noise.ts). */
import { describeError } from '../../process/describe-error.ts'
import type { Log } from '../../process/log.ts'
import { OWN_NOISE } from '../state/noise.ts'
import type { Keeper } from './keeper.ts'

const CHECK_EVERY_MS = 60_000 // sanity: a contact has room for one more entry after a minute

/** Writes the entries that are due. */
export async function endNoise(keeper: Keeper): Promise<void> {
  const noisy: string[] = []
  for await (const [id] of keeper.onDisk.noisy.iterate()) noisy.push(id)
  for (const id of noisy) {
    await keeper.change(() => {
      if (id !== OWN_NOISE) keeper.state.endNoise(id)
      else if (keeper.state.takeNoise(id) !== null && keeper.state.own() !== undefined) keeper.own.announce()
    })
  }
}

/** @returns stops the timer */
export function scheduleNoise(keeper: Keeper, log: Log): () => void {
  const timer = setInterval(() => {
    endNoise(keeper).catch((error: unknown) => log.warn('noise.failed', describeError(error)))
  }, CHECK_EVERY_MS)
  timer.unref()
  return () => clearInterval(timer)
}
