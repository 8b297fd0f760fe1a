/** Contents that the daemon takes without a client of their app: they go to where they belong with the commit that acknowledges them (decision 79). */
import { taken } from '../../../channel/exchange/life.ts'
import { joinedParts, type Part } from '../../../channel/exchange/parts.ts'
import { contentCost } from '../../../channel/exchange/send.ts'
import { CHANNEL } from '../records/channel-record.ts'
import type { Means } from './means.ts'
import type { Turn } from './turn.ts'

/**
 * Takes contents of a turn, as long as nothing before them waits for a client. One that came in several turns is left to a client, and so is
 * all after it.
 */
export function takeContents(
  turn: Turn,
  { id, app }: { readonly id: string; readonly app: string },
  { takers, keeper }: Means,
): void {
  const take = takers.get(app)
  if (take === undefined || turn.parts.length === 0) return
  const record = keeper.onDisk.of(CHANNEL).get(id)
  if (record === undefined) return
  const left: Part[] = []
  let [{ ackedIn }, costBytes] = [turn.state, 0]
  for (const part of joinedParts(turn.parts)) {
    const { number, bytes, totalBytes } = part
    // A part that does not begin its content is shorter than the whole.
    const isNext = number === ackedIn + 1 && bytes.length === totalBytes
    const write = isNext ? take({ name: record.name, persona: record.peer }, bytes) : null
    if (write === null) {
      left.push(part)
      continue
    }
    ackedIn = number
    costBytes += contentCost(totalBytes)
    turn.alongside.push(write)
  }
  if (costBytes === 0) return
  turn.leave(left)
  turn.set({ ackedIn })
  turn.step(taken(turn.channel, costBytes, turn.nowMs, keeper.engine))
}
