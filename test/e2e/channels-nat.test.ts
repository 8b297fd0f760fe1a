/** Channels of real daemons that go directly through a real NAT on each side, and by a relay where the NATs do not let them. */
import { expect, test } from 'vitest'
import { isLibraryInstalled } from '../../src/rtcnode/installed.ts'
import { exchangeOne, meetDirect, talkUntilDirect } from '../support/direct-talker.ts'
import { natsAbsence, startBehindNats } from '../support/nats.ts'
import { killNet } from '../support/net-children.ts'

const TIMES = Number(process.env['NATS'] ?? 0) // `npm run test:slow` asks for 50; each takes several seconds
const TIMEOUT_MS: number = 240_000 + TIMES * 60_000 // sanity: a try fails after 30 s, and a way that is silent after 10 s
const CUT_EVERY = 5 // the times at which a NAT is silent are the slow ones
const LACKS = isLibraryInstalled() ? natsAbsence() : ' (needs node-datachannel)'
const COMES_AND_GOES = TIMES === 0 ? '' : `, and loses and doubles nothing while the way comes and goes ${TIMES} times`
// The first try through random ports fails after 30 s.
const LACKS_TIME = LACKS === '' && TIMES === 0 ? ' (NATS says how many times)' : LACKS

test.skipIf(LACKS !== '')(
  `a channel through two NATs that keep ports goes direct${COMES_AND_GOES}${LACKS}`,
  async () => {
    const { sides, nats, asked } = await startBehindNats('kept')
    const [a, b] = await meetDirect(...sides)
    for (let time = 0; time < TIMES; time++) {
      await talkUntilDirect(a, b)
      await Promise.all([a.say(), b.say()])
      if (time % CUT_EVERY === 0) nats[(time / CUT_EVERY) % 2]!.datagrams('drop')
      else killNet(sides[time % 2]!.daemon.child, 'rtcnode')
      await exchangeOne(a, b)
      for (const nat of nats) nat.datagrams('pass')
    }
    await talkUntilDirect(a, b)
    // Both ends are known to the world by the addresses of their NATs alone.
    expect(new Set(asked.map((line) => line.split(' ')[0]))).toEqual(new Set(['203.0.113.2', '198.51.100.2']))
  },
  TIMEOUT_MS,
)

test.skipIf(LACKS_TIME !== '')(
  `a channel through two NATs that take random ports goes by the relay, while tries of the direct way fail${LACKS_TIME}`,
  async () => {
    const { sides, nats, asked } = await startBehindNats('random')
    const [a, b] = await meetDirect(...sides)
    // Each try asks with a port of its own, so a second port of both ends means that the first try has failed.
    const ports = (address: string): number => new Set(asked.filter((line) => line.startsWith(address))).size
    while (ports('203.0.113.2') < 2 || ports('198.51.100.2') < 2) {
      await exchangeOne(a, b)
      expect([await a.isDirect(), await b.isDirect()]).toEqual([false, false])
    }
    // The ends have called each other.
    for (const nat of nats) expect(nat.refused).toBeGreaterThan(0)
  },
  TIMEOUT_MS,
)
