/** Channels of real daemons that go directly, by personad-rtc over loopback, and fall back to a folder when it is killed. */
import { expect, test } from 'vitest'
import { isLibraryInstalled } from '../../src/rtcnode/installed.ts'
import { Side, twoSides, type NetSection } from '../support/channel-sides.ts'
import { codeOf } from '../support/code-of.ts'
import { exchangeOne, meetDirect, talkUntilDirect } from '../support/direct-talker.ts'
import { killNet, netChildren } from '../support/net-children.ts'
import { tempDir } from '../support/temp-dir.ts'

const TIMES = Number(process.env['DIRECT_TIMES'] ?? 2) // `npm run test:slow` asks for 50
const TIMEOUT_MS: number = 120_000 + TIMES * 30_000 // sanity: a way opens within seconds
const LACKS = isLibraryInstalled() ? '' : ' (needs node-datachannel)'

const direct = (): NetSection => ({ folders: [tempDir()], direct: true, direct_address: '127.0.0.1' })

test.skipIf(LACKS !== '')(
  `two daemons go direct, say when they do, and lose and double nothing while personad-rtc is killed ${TIMES} times${LACKS}`,
  async () => {
    const [host, guest] = await twoSides(direct())
    const [a, b] = await meetDirect(host, guest)
    expect((await host.show(a.id)).direct).toBe('closed')
    expect(netChildren(host.daemon.child.pid, 'rtcnode')).toEqual([])
    const ways: unknown[] = []
    await host.client.subscribe(['channel.way'], ({ data }) => ways.push(data))
    for (let time = 0; time < TIMES; time++) {
      await talkUntilDirect(a, b)
      await Promise.all([a.say(), b.say()])
      killNet((time % 2 === 0 ? host : guest).daemon.child, 'rtcnode')
      await exchangeOne(a, b)
    }
    await talkUntilDirect(a, b)
    expect(ways.length).toBeGreaterThan(2 * TIMES)
    expect(ways).toEqual(ways.map((_, i) => ({ id: a.id, app: 'chat', direct: i % 2 === 0 ? 'open' : 'closed' })))
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
