/** Contents that a peer has sent, as they lie on the disk until the page has taken them. */
import { taken } from '../channel/exchange/life.ts'
import { contentCost } from '../channel/exchange/send.ts'
import { concatBytes } from '../core/encoding/bytes.ts'
import { portableBoxes } from '../crypto/portable-boxes.ts'
import { upTo, type Disk } from './disk.ts'
import type { PeerRecord } from './record.ts'
import type { Turn } from './turn.ts'

const MAX_AT_ONCE = 64 // sanity: what one commit takes off the disk

export interface Received {
  readonly number: number
  readonly data: Uint8Array
}

/** The number of the last content of the peer that is whole. */
export function wholeUpTo({ channel }: PeerRecord): number {
  if (channel === null) return 0
  return channel.begun === null ? channel.inNumber : channel.inNumber - 1
}

/** Reads the next contents that are whole, in order. */
export async function contentsIn(id: string, record: PeerRecord, disk: Disk): Promise<Received[]> {
  const [last, whole] = [record.taken, wholeUpTo(record)]
  const received: Received[] = []
  for (let number = last + 1; number <= whole && received.length < MAX_AT_ONCE; number++) {
    const parts = await disk.read('in', id, number)
    received.push({
      number,
      data: concatBytes(...parts.map(([, bytes]) => bytes)),
    })
  }
  return received
}

/** The page has taken these. */
export function takeContents(turn: Turn, received: readonly Received[]): void {
  const last = received.at(-1)
  if (last === undefined) return
  let costBytes = 0
  for (const { data } of received) costBytes += contentCost(data.length)
  turn.withChannel((channel) => taken(channel, costBytes, turn.nowMs, portableBoxes))
  // A part has its offset after the number of its content.
  const [from, to] = upTo('in', turn.id, last.number)
  turn.writes.push({ remove: [from, [...to, Number.MAX_SAFE_INTEGER]] })
  turn.set({ taken: last.number })
}
