/** The last numbers of an app. */
import { inChange, onDisk, type MessagesMeans } from './means.ts'
import { COUNTS, type Counts } from './kinds.ts'

const NONE: Counts = { sent: 0, arrived: 0, acked: 0, unreadBytes: 0 }

export function countsOf(app: string, means: MessagesMeans): Counts {
  return onDisk(means, COUNTS).get(app) ?? NONE
}

/** Changes some of them. Inside of a change. @returns them as they are now */
export function changeCounts(app: string, change: (before: Counts) => Partial<Counts>, means: MessagesMeans): Counts {
  const counts = inChange(means, COUNTS)
  const before = counts.get(app) ?? NONE
  const after = { ...before, ...change(before) }
  counts.put(app, after)
  return after
}
