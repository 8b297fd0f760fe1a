import { describe, expect, onTestFinished, test } from 'vitest'
import { Dht, type Resolve } from '../../../src/netnode/dht.ts'
import { HandClock } from '../../support/hand-clock.ts'
import { udpNodes } from '../../support/udp-nodes.ts'

const PLACE = { publicKey: new Uint8Array(32), salt: new Uint8Array() }

/** The client on one real node of loopback, and as many names as the test wants. */
async function open(names: readonly string[], resolve: Resolve) {
  const [node] = await udpNodes(1)
  const bootstrap = ['127.0.0.1', ...names].map((host) => ({ host, port: node!.port }))
  const clock = new HandClock()
  const settings = { bootstrap, proxy: null, private: ['127.0.0.1', 'slow.example'], ca: null }
  const dht = await Dht.open(settings, resolve, clock)
  onTestFinished(() => dht.close())
  return { dht, clock }
}

describe('the name of a bootstrap node', () => {
  test('that has no answer holds up the first order for ten seconds, and later ones not at all', async () => {
    const asked: string[] = []
    const { dht, clock } = await open(['slow.example'], (host) => {
      asked.push(host)
      return host === '127.0.0.1' ? Promise.resolve([host]) : new Promise(() => {})
    })
    const first = dht.run((client) => client.get(PLACE))
    await clock.waited(10_000)
    clock.turn(10_000)
    expect((await first).nodesAnswered).toBe(1)
    expect((await dht.run((client) => client.get(PLACE))).nodesAnswered).toBe(1)
    expect(asked).toEqual(['127.0.0.1', 'slow.example'])
    expect(clock.waits).toEqual([])
  })

  test('that fails is tried again at the next order', async () => {
    const asked: string[] = []
    const { dht } = await open(['slow.example'], (host) => {
      asked.push(host)
      return host === '127.0.0.1' ? Promise.resolve([host]) : Promise.reject(new Error('the resolver does not answer'))
    })
    for (let order = 0; order < 2; order++) await dht.run((client) => client.get(PLACE))
    expect(asked).toEqual(['127.0.0.1', 'slow.example', 'slow.example'])
  })

  test('leads to private addresses only with a port that the owner named', async () => {
    const [named, other] = await udpNodes(2)
    const bootstrap = [named!, other!].map(({ port }) => ({ host: 'nas.example', port }))
    const settings = { bootstrap, proxy: null, private: [`nas.example:${named!.port}`], ca: null }
    const dht = await Dht.open(settings, () => Promise.resolve(['127.0.0.1']), new HandClock())
    onTestFinished(() => dht.close())
    const { nodesAsked, nodesAnswered } = await dht.run((client) => client.get(PLACE))
    expect([nodesAsked, nodesAnswered]).toEqual([1, 1])
  })
})
