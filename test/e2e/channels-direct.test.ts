/** Channels of real daemons that go directly, by personad-rtc over loopback, and fall back to a folder when it is killed. */
import { expect, test } from 'vitest'
import { isLibraryInstalled } from '../../src/rtcnode/installed.ts'
import { meet, readUpTo, Side, twoSides, type NetSection } from '../support/channel-sides.ts'
import { codeOf } from '../support/code-of.ts'
import { killNet, netChildren } from '../support/net-children.ts'
import { tempDir } from '../support/temp-dir.ts'

const TIMES = Number(process.env['DIRECT_TIMES'] ?? 2) // `npm run test:slow` asks for 50
const TIMEOUT_MS: number = 120_000 + TIMES * 30_000 // sanity: a way opens within seconds
const LACKS = isLibraryInstalled() ? '' : ' (needs node-datachannel)'

const direct = (): NetSection => ({ folders: [tempDir()], direct: true, direct_address: '127.0.0.1' })

/** One end, which counts what it sends and reads. */
class Talker {
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

/** Both ends talk until they do so directly. */
async function talkUntilDirect(a: Talker, b: Talker): Promise<void> {
  while (!(await a.isDirect()) || !(await b.isDirect())) {
    await Promise.all([a.say(), b.say()])
    await Promise.all([a.hear(b), b.hear(a)])
  }
}

test.skipIf(LACKS !== '')(
  `two daemons go direct, say when they do, and lose and double nothing while personad-rtc is killed ${TIMES} times${LACKS}`,
  async () => {
    const [host, guest] = await twoSides(direct())
    const { hostId, guestId } = await meet(host, guest, undefined, true)
    const [a, b] = [new Talker(host, hostId), new Talker(guest, guestId)]
    expect((await host.show(hostId)).direct).toBe('closed')
    expect(netChildren(host.daemon.child.pid, 'rtcnode')).toEqual([])
    const ways: unknown[] = []
    await host.client.subscribe(['channel.way'], ({ data }) => ways.push(data))
    for (let time = 0; time < TIMES; time++) {
      await talkUntilDirect(a, b)
      await Promise.all([a.say(), b.say()])
      killNet((time % 2 === 0 ? host : guest).daemon.child, 'rtcnode')
      await Promise.all([a.say(), b.say()])
      await Promise.all([a.hear(b), b.hear(a)])
    }
    await talkUntilDirect(a, b)
    expect(ways.length).toBeGreaterThan(2 * TIMES)
    expect(ways).toEqual(ways.map((_, i) => ({ id: hostId, app: 'chat', direct: i % 2 === 0 ? 'open' : 'closed' })))
  },
  TIMEOUT_MS,
)

test(
  'a daemon whose configuration does not allow the direct way makes no channel with it',
  async () => {
    const host = await new Side({ folders: [tempDir()] }).start()
    expect(await codeOf(host.client.call('channel.invite', { direct: true }))).toBe('DIRECT_OFF')
  },
  TIMEOUT_MS,
)
