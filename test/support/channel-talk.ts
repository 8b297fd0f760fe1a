/** Two people who talk over a channel while programs between them are killed. */
import { expect } from 'vitest'
import { meet, readUpTo, sendInOrder, type Side } from './channel-sides.ts'
import { killNet } from './net-children.ts'

/** One end of the channel. */
export interface Talker {
  readonly side: Side
  readonly id: string
  readonly name: string
  /** How many contents it has sent, and how many of its peer it has read. */
  sent: number
  read: number
}

async function send(talker: Talker, count: number): Promise<void> {
  const texts = Array.from({ length: count }, () => `${talker.name} ${++talker.sent}`)
  await sendInOrder(talker.side, talker.id, texts)
}

/** Reads all that the peer has sent and will send in this part, and expects each once, in order. */
async function read(talker: Talker, peer: Talker, upTo: number): Promise<void> {
  const texts = await readUpTo(talker.side, talker.id, upTo, talker.read)
  expect(texts).toEqual(Array.from({ length: upTo - talker.read }, (_, i) => `${peer.name} ${talker.read + i + 1}`))
  talker.read = upTo
}

/**
 * Sends as many contents each way at once, and reads them. `inTheMiddle` begins once either side has some of the first half; the second half
 * is sent meanwhile.
 */
export async function exchange(
  [a, b]: readonly [Talker, Talker],
  count: number,
  inTheMiddle: () => Promise<void> | void = () => {},
): Promise<void> {
  const half = Math.floor(count / 2)
  const before = a.sent
  const reading = Promise.all([read(a, b, before + count), read(b, a, before + count)])
  const sending = async (): Promise<void> => {
    await Promise.all([send(a, half), send(b, half)])
    await Promise.all([a, b].map(({ side, id }) => side.until(async () => (await side.show(id)).received > before)))
    await Promise.all([inTheMiddle(), send(a, count - half), send(b, count - half)])
  }
  await Promise.all([reading, sending()])
}

export async function talkersOf(host: Side, guest: Side, over: string[]): Promise<readonly [Talker, Talker]> {
  const { hostId, guestId } = await meet(host, guest, over)
  return [
    { side: host, id: hostId, name: 'host', sent: 0, read: 0 },
    { side: guest, id: guestId, name: 'guest', sent: 0, read: 0 },
  ]
}

/** @param restart kills the relay at this URL, and starts it again there */
export async function talkOverKills(
  [host, guest]: readonly [Side, Side],
  url: string,
  count: number,
  restart: () => Promise<void>,
): Promise<void> {
  const talkers = await talkersOf(host, guest, [url])
  await exchange(talkers, count, () => [host, guest].forEach(({ daemon }) => killNet(daemon.child)))
  await exchange(talkers, count, restart)
}
