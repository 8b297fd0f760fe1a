/** Channels that are over: they stay in the list for a while, so that people see it and apps read the last contents, and then go. */
import { close } from '../../channel/exchange/life.ts'
import type { Ends } from './ends/ends.ts'
import type { End } from './ends/end.ts'
import type { Means } from './ends/means.ts'
import { orLater } from './ends/places.ts'
import { eraseKeys, eraseRemains } from './meet/erase-end.ts'
import { CHANNEL } from './records/channel-record.ts'
import { IN, PIECE } from './records/kinds.ts'

/** Closed channels of an app, also those that left the list. The oldest goes when one more is closed and a new one is made. */
export const MAX_CLOSED = 256 // sanity: as many as an app may have open; each has a state and perhaps contents on disk

/**
 * Takes a channel that is over out of the list, with its contents. The rest of its end has no keys. It stays until carriers have forgotten its
 * places, since the peer may not know yet that they are closed.
 */
export async function unlistChannel(end: End, means: Means): Promise<void> {
  const { id, app } = end
  const { keeper } = means
  await end.run((turn) => {
    turn.step(close(turn.channel, turn.nowMs, keeper.engine))
    turn.alongside.push(() => {
      keeper.state.stage(keeper.state.of(CHANNEL).remove(id))
      means.tellChanged(id, app, 'closed', null)
    })
  })
  await orLater(eraseRemains(id, means, [IN, PIECE]), means)
}

/** Removes a channel with everything that the daemon keeps of it. */
export async function eraseChannel(id: string, ends: Ends, means: Means): Promise<void> {
  const app = means.keeper.onDisk.of(CHANNEL).get(id)?.app
  await ends.remove(id)
  await means.keeper.change(() => {
    eraseKeys(id, means)
    if (app !== undefined) means.tellChanged(id, app, 'closed', null)
  })
  await orLater(eraseRemains(id, means), means)
}

/** Removes the closed channels of an app that are too many, the ones that closed first before the others. */
export async function boundClosed(app: string, ends: Ends, means: Means, most: number = MAX_CLOSED): Promise<void> {
  const closed = [...ends].filter((end) => end.app === app && end.summary.closedAtSec !== null)
  if (closed.length <= most) return
  closed.sort((a, b) => a.summary.closedAtSec! - b.summary.closedAtSec!)
  for (const { id } of closed.slice(0, closed.length - most)) await eraseChannel(id, ends, means)
}

/** Removes the channels that have been closed for a month: carriers have forgotten their places, so nothing is left to do. */
export async function eraseSpent(ends: Ends, means: Means): Promise<void> {
  for (const end of ends) if (isSpent(end)) await eraseChannel(end.id, ends, means)
}

function isSpent({ summary }: End): boolean {
  return summary.closedAtSec === 0
}
