/** The last numbers of an app. */
import { numbersIn } from '../../sealed/numbered.ts'
import { appIn } from './ids.ts'
import { inChange, onDisk, type MessagesMeans } from './means.ts'
import { ARRIVED, COUNTS, SENT, type Counts } from './kinds.ts'

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

/** Counts anew for apps whose record no key here opens: a number that is given twice would hide a message. @throws {CustodyError} APPS_LOCKED */
export async function mendCounts(means: MessagesMeans): Promise<void> {
  const found = new Map<string, Counts>()
  // Each look opens a seal, and there may be many messages of one app.
  const known = new Map<string, boolean>()
  const isLost = (app: string): boolean => {
    const lost = known.get(app) ?? onDisk(means, COUNTS).get(app) === undefined
    known.set(app, lost)
    return lost
  }
  for await (const id of onDisk(means, SENT).ids())
    if (isLost(appIn(id))) found.set(appIn(id), { ...NONE, sent: numbersIn(id)[0]! })
  for await (const id of onDisk(means, ARRIVED).ids()) {
    const [app, number] = [appIn(id), numbersIn(id)[0]!]
    if (!isLost(app)) continue
    const before = found.get(app) ?? NONE
    const bytes = onDisk(means, ARRIVED).get(id)?.bytes ?? 0
    const acked = before.arrived === 0 ? number - 1 : before.acked
    found.set(app, { ...before, arrived: number, acked, unreadBytes: before.unreadBytes + bytes })
  }
  if (found.size === 0) return
  means.log.warn('messages.counts', { apps: [...found.keys()].join(', ') })
  await means.keeper.change(() => {
    for (const [app, counts] of found) inChange(means, COUNTS).put(app, counts)
  })
}
