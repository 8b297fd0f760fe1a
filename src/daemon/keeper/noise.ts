/** Tells subscribers that were away to read a contact anew, after the history left out some of its news (state/noise.ts). */
import { describeError } from '../../process/describe-error.ts'
import type { Log } from '../../process/log.ts'
import { OWN_NOISE } from '../state/noise.ts'
import { contactOf, readerAt } from '../state/view.ts'
import type { Keeper } from './keeper.ts'

const CHECK_EVERY_MS = 60_000 // sanity: a contact has room for one more entry after a minute

/** Writes the entries that are due. */
export async function endNoise(keeper: Keeper): Promise<void> {
  const noisy: string[] = []
  for await (const [id] of keeper.onDisk.noisy.iterate()) noisy.push(id)
  for (const id of noisy) await keeper.change(() => endFor(id, keeper))
}

/** One entry without changes says that the contact must be read anew. */
function endFor(id: string, keeper: Keeper): void {
  const { state } = keeper
  const noisy = state.noise.end(id)
  if (noisy === null) return
  if (id === OWN_NOISE) {
    if (state.own() !== undefined) keeper.own.announce()
    return
  }
  const contact = contactOf(id, readerAt(keeper.nowSec, state.records))
  if (contact !== null) state.emit({ event: 'contact.changed', data: { contact, changes: [], source: noisy.source } })
}

/** @returns stops the timer */
export function scheduleNoise(keeper: Keeper, log: Log): () => void {
  const timer = setInterval(() => {
    endNoise(keeper).catch((error: unknown) => log.warn('noise.failed', describeError(error)))
  }, CHECK_EVERY_MS)
  timer.unref()
  return () => clearInterval(timer)
}
