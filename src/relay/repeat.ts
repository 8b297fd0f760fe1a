/** When to try again: later each time, and never in step with others. */
import { RelayError } from './errors.ts'
import { pause, type RelayMeans } from './means.ts'

const FIRST_MS = 1000 // sanity: a relay that restarts is back within seconds
const LONGEST_MS = 300_000 // sanity: five minutes; somebody may be waiting
const LONGEST_ASKED_MS = 3_600_000 // sanity: a relay that asks for more would shut its clients out

const PASSING: ReadonlySet<string> = new Set([
  'RELAY_TOO_OFTEN',
  'RELAY_INBOX_FULL',
  'RELAY_BUSY',
  'RELAY_UNREACHABLE',
  'RELAY_SILENT',
])

/** Whether the same call may succeed later. */
export function isPassing(error: unknown): error is RelayError {
  return error instanceof RelayError && PASSING.has(error.code)
}

/** Counts failures in a row. */
export class BackOff {
  readonly #random: () => number
  #failures = 0

  constructor(random: () => number) {
    this.#random = random
  }

  /** Milliseconds to wait after a failure: between a half and the whole of a span that doubles, and as long as the relay asks. */
  next(error: RelayError): number {
    const span = Math.min(FIRST_MS * 2 ** this.#failures, LONGEST_MS)
    this.#failures = Math.min(this.#failures + 1, 20)
    const asked = error.details['retryAfterSec']
    const askedMs = typeof asked === 'number' ? Math.min(asked * 1000, LONGEST_ASKED_MS) : 0
    return askedMs + span * (0.5 + 0.5 * this.#random())
  }

  succeeded(): void {
    this.#failures = 0
  }
}

/**
 * Tries until it succeeds, or fails for good.
 * @param maxTries 1 or more
 * @throws what the last try threw, or the reason of the signal
 */
export async function repeat<Result>(
  { clock, random }: Pick<RelayMeans, 'clock' | 'random'>,
  maxTries: number,
  work: () => Promise<Result>,
  signal?: AbortSignal,
): Promise<Result> {
  const backOff = new BackOff(random)
  for (let left = maxTries; ; left--) {
    try {
      return await work()
    } catch (error) {
      if (left <= 1 || !isPassing(error)) throw error
      await pause(clock, backOff.next(error), signal)
    }
  }
}
