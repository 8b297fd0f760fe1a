/** Both ends of a channel between daemons, which talk until they do so directly. */
import { expect } from 'vitest'
import { meet, readUpTo, type Side } from './channel-sides.ts'

/** One end, which counts what it sends and reads. */
export class Talker {
  readonly side: Side
  readonly id: string
  sent = 0
  read = 0

  constructor(side: Side, id: string) {
    this.side = side
    this.id = id
  }

  async say(): Promise<void> {
    await this.side.client.call('channel.send', { id: this.id, text: String(++this.sent) })
  }

  /** Reads all that the peer has sent, and expects each once, in order. */
  async hear(peer: Talker): Promise<void> {
    const texts = await readUpTo(this.side, this.id, peer.sent, this.read)
    expect(texts).toEqual(Array.from({ length: peer.sent - this.read }, (_, i) => String(this.read + i + 1)))
    this.read = peer.sent
  }

  async isDirect(): Promise<boolean> {
    return (await this.side.show(this.id)).direct === 'open'
  }
}

/** Makes a channel that may go directly. */
export async function meetDirect(host: Side, guest: Side): Promise<[Talker, Talker]> {
  const { hostId, guestId } = await meet(host, guest, undefined, true)
  return [new Talker(host, hostId), new Talker(guest, guestId)]
}

/** Each end sends one content, and reads that of the other. */
export async function exchangeOne(a: Talker, b: Talker): Promise<void> {
  await Promise.all([a.say(), b.say()])
  await Promise.all([a.hear(b), b.hear(a)])
}

/** Both ends talk until they do so directly. */
export async function talkUntilDirect(a: Talker, b: Talker): Promise<void> {
  while (!(await a.isDirect()) || !(await b.isDirect())) await exchangeOne(a, b)
}
