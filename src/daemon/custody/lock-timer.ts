/** The timer that locks the secrets once they have been open for too long. */
import type { Custody } from './custody.ts'

// sanity: timers stand still while the machine sleeps, so the keys may stay in memory this long after it wakes. They
// cannot sign anything then: every use checks the time first.
const LONGEST_SLEEP_MS = 30_000

/** @returns stops the timer */
export function scheduleLock(custody: Pick<Custody, 'expire' | 'expiresInMs' | 'whenOpened'>): () => void {
  let timer: NodeJS.Timeout | undefined
  const wake = (): void => {
    clearTimeout(timer)
    custody.expire()
    const leftMs = custody.expiresInMs()
    // Locked, or without a passphrase: wait until the secrets are opened.
    if (leftMs !== null) timer = setTimeout(wake, Math.min(leftMs, LONGEST_SLEEP_MS)).unref()
  }
  custody.whenOpened(wake)
  wake()
  return () => clearTimeout(timer)
}
