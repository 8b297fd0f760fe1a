/** The owner leaves the persona, or erases everything: channels close, and carriers hear that nobody reads there any more. */
import { within } from '../../process/pulse.ts'
import type { Unreached } from '../../ipc/shapes/rotation.ts'
import { FAREWELL_MS } from '../cards/farewell.ts'
import { close } from '../../channel/exchange/life.ts'
import type { End } from './ends/end.ts'
import type { Means } from './ends/means.ts'
import { leavePlaces, orLater } from './ends/places.ts'
import { CHANNEL } from './records/channel-record.ts'
import type { Runner } from './runner.ts'

type Speaker = Pick<Runner, 'known' | 'isOpen' | 'means'>

/** Closes all channels and invites at the peers and carriers that can be reached now. It never rejects. @returns the others */
export async function sayFarewell({ known, isOpen, means }: Speaker): Promise<Unreached[]> {
  // Without the apps key nothing can be sealed.
  if (!isOpen) return await allChannels(means)
  const left = new Map<string, Unreached>()
  const works: Promise<void>[] = []
  const begin = (one: Unreached, work: Promise<boolean>): void => {
    left.set(one.id, one)
    const noted = work.then((isDone) => {
      if (isDone) left.delete(one.id)
    })
    works.push(noted)
  }
  for (const end of known.ends) if (end.summary.state !== 'closed') begin(channelOf(end, means), closeEnd(end, means))
  for (const join of known.joins) if (!join.isOver) begin(channelOf(join, means), join.forget())
  for (const invite of known.invites.unused()) {
    const { id, app, stored } = invite
    begin({ kind: 'invite', id, app, name: stored.name }, invite.forget())
  }
  await within(means.clock, FAREWELL_MS, Promise.allSettled(works))
  if (left.size > 0) means.log.warn('channels.farewell', { unreached: [...left.keys()].join(' ') })
  return [...left.values()]
}

/** @returns whether the peer has the last frame, and nobody can leave anything here any more */
async function closeEnd(end: End, means: Means): Promise<boolean> {
  const { engine } = means.keeper
  await end.run((turn) => turn.step(close(turn.channel, turn.nowMs, engine)))
  await end.idle()
  const isRetired = await orLater(leavePlaces(end, end.peek(), means), means)
  return isRetired && end.problem === null
}

function channelOf({ id, app }: Pick<End, 'id' | 'app'>, { keeper }: Means): Unreached {
  return { kind: 'channel', id, app, name: keeper.onDisk.of(CHANNEL).get(id)?.name ?? id }
}

async function allChannels({ keeper }: Means): Promise<Unreached[]> {
  const all: Unreached[] = []
  for await (const [id, { app, name }] of keeper.onDisk.of(CHANNEL).iterate())
    all.push({ kind: 'channel', id, app, name })
  return all
}
