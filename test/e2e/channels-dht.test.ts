/** A channel over the DHT: the carriers of the daemon, the real personad-net, and nodes of bittorrent-dht on loopback. */
import { setImmediate } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { Carriers } from '../../src/daemon/channels/carriers/carriers.ts'
import { recordWays } from '../../src/daemon/channels/carriers/record-carriers.ts'
import { systemClock } from '../../src/process/pulse.ts'
import { RecordError } from '../../src/record/errors.ts'
import { realClock } from '../support/carrier-places.ts'
import { ChannelDaemon } from '../support/channel-daemon.ts'
import { DhtPeers } from '../support/dht-peers.ts'
import { NetStory } from '../support/net-program.ts'
import { engine } from '../support/person.ts'

/** `npm run test:slow` runs it: two programs and four nodes verify each value. */
const HAS_ALL = process.env['RECORD_CONTRACTS'] === '1'
const NODES = 4
const TIMEOUT_MS = 120_000
const RETRY_MS = 10_000

test.skipIf(!HAS_ALL)(
  'opens by the link alone and carries contents both ways, also after a restart',
  async () => {
    const peers = await DhtPeers.start('bittorrent-dht', NODES, [], { heedReadOnly: true })
    const bootstrap = peers.ports.map((port) => ({ host: '127.0.0.1', port }))
    const start = async (): Promise<ChannelDaemon> => {
      const { net } = await new NetStory({ bootstrap }).run()
      const carriers = new Carriers({
        folder: { folders: [], clock: systemClock, wallMs: Date.now },
        relay: { client: () => expect.unreachable(), token: () => null, clock: realClock },
        relays: () => [],
        records: recordWays({
          engine,
          clock: systemClock,
          dht: net,
          dialVeilid: async () => await Promise.reject(new RecordError('RECORD_AWAY', 'none', 'none')),
          poll: { firstMs: 200, maxMs: 200 },
        }),
      })
      return await ChannelDaemon.open(carriers)
    }
    const daemons = [await start(), await start()]
    onTestFinished(async () => void (await Promise.all(daemons.map(async ({ runner }) => await runner.close()))))
    const until = async (isDone: () => Promise<boolean>): Promise<void> => {
      while (!(await isDone())) {
        await setImmediate()
        for (const daemon of daemons) await daemon.idle()
        for (const daemon of daemons) daemon.clock.turn(RETRY_MS)
      }
    }
    const { invite, where } = await daemons[0]!.call('channel.invite', { name: 'Bob', over: ['dht'] })
    expect(where).toEqual([expect.stringMatching(/^dht:/)])
    const { id } = await daemons[1]!.call('channel.accept', { invite, name: 'Alice' })
    const hostId = async (): Promise<string> => (await daemons[0]!.call('channel.list', {})).channels[0]?.id ?? ''
    await until(async () => (await hostId()) !== '')
    const ids = [await hostId(), id]
    const bothWays = async (text: string, count: number): Promise<void> => {
      for (const [i, daemon] of daemons.entries()) await daemon.call('channel.send', { id: ids[i]!, text })
      for (const [i, daemon] of daemons.entries()) {
        await until(async () => (await daemon.call('channel.show', { id: ids[i]! })).unread >= count)
        expect((await daemon.texts(ids[i]!)).at(-1)).toBe(text)
      }
    }
    await until(async () => (await daemons[1]!.call('channel.show', { id })).state === 'open')
    await bothWays('first', 1)
    daemons[0] = await daemons[0]!.restarted()
    await bothWays('after a restart', 2)
  },
  TIMEOUT_MS,
)
