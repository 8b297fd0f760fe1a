/** The timer that locks the secrets when they were open for long enough. */
import type { Custody } from './custody.ts'

// sanity: timers stand still while the machine sleeps; so long after it wakes the keys may still be in memory. Nothing is signed with
// them then: whoever uses them asks for the time first.
const LONGEST_SLEEP_MS = 30_000

/** @returns stops the timer */
export function scheduleLock(custody: Pick<Custody, 'expire' | 'expiresInMs' | 'whenOpened'>): () => void {
  let timer: NodeJS.Timeout | undefined
  const wake = (): void => {
    clearTimeout(timer)
    custody.expire()
    const leftMs = custody.expiresInMs()
    // Locked, or without a passphrase: nothing to wait for until it is opened.
    if (leftMs !== null) timer = setTimeout(wake, Math.min(leftMs, LONGEST_SLEEP_MS)).unref()
  }
  custody.whenOpened(wake)
  wake()
  return () => clearTimeout(timer)
}
