/** Looks at slots again and again, for networks that wake nobody, or not always. */
import type { Clock } from '../process/pulse.ts'
import type { Found } from './judged-record.ts'

export interface PollTimes {
  /** The first interval, and the one after news, in milliseconds. */
  readonly firstMs: number
  /** Each interval without news is twice as long as the one before, up to this, in milliseconds. */
  readonly maxMs: number
}

export interface PollMeans {
  readonly clock: Clock
  readonly times: PollTimes
  readonly read: (slot: number) => Promise<Found>
}

/** Calls back for each slot whose seq is another one than at the last look, until the signal ends it. */
export function pollSlots(
  slots: readonly number[],
  { clock, times, read }: PollMeans,
  onNews: (slot: number) => void,
  signal: AbortSignal,
): void {
  const seen = new Map<number, bigint>()
  let waitMs = times.firstMs
  const look = async (): Promise<void> => {
    let hasNews = false
    for (const slot of slots) {
      // A slot that cannot be read now is looked at again.
      const value = await read(slot).catch(() => null)
      if (signal.aborted) return
      if (value === null || 'refusal' in value || seen.get(slot) === value.seq) continue
      seen.set(slot, value.seq)
      hasNews = true
      onNews(slot)
    }
    waitMs = hasNews ? times.firstMs : Math.min(times.maxMs, 2 * waitMs)
    wait()
  }
  const wait = (): void => {
    const cancel = clock.after(waitMs, () => {
      signal.removeEventListener('abort', cancel)
      void look()
    })
    signal.addEventListener('abort', cancel, { once: true })
  }
  if (!signal.aborted) wait()
}
