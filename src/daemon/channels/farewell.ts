/** The owner leaves the persona, or erases everything: channels close, and carriers hear that nobody reads there any more. */
import { close } from '../../channel/exchange/life.ts'
import type { End } from './ends/end.ts'
import type { Means } from './ends/means.ts'
import { leavePlaces, orLater } from './ends/places.ts'
import type { Runner } from './runner.ts'

const FAREWELL_MS = 10_000 // sanity: nobody waits longer for others to be told

/** Tells all peers that can be reached now. It never rejects. @returns the ids of channels whose peers were perhaps not told */
export async function sayFarewell({ known, isOpen, means }: Runner): Promise<string[]> {
  if (!isOpen) return []
  const untold = new Set([...known.ends].filter(({ summary }) => summary.state !== 'closed').map(({ id }) => id))
  const { promise: late, resolve } = Promise.withResolvers<void>()
  const cancel = means.clock.after(FAREWELL_MS, resolve)
  const ends = [...known.ends].map(async (end) => {
    await closeEnd(end, means)
    if (end.problem === null) untold.delete(end.id)
  })
  const others = [...known.invites, ...known.joins].map(async (each) => await each.forget())
  await Promise.race([Promise.allSettled([...ends, ...others]), late])
  cancel()
  if (untold.size > 0) means.log.warn('channels.farewell', { untold: [...untold].join(' ') })
  return [...untold]
}

async function closeEnd(end: End, means: Means): Promise<void> {
  const { engine } = means.keeper
  await end.run((turn) => turn.step(close(turn.channel, turn.nowMs, engine)))
  await end.idle()
  await orLater(leavePlaces(end, end.peek(), means), means)
}
