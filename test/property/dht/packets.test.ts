/** Hostile packets from nodes that were asked: none ends the client, each is counted, and lookups go on. */
import { describe, expect, it } from 'vitest'
import { bytesOfLatin1 } from '../../../src/dht/bencode.ts'
import type { DhtCounters } from '../../../src/dht/counters.ts'
import { DhtNet, signValue } from '../../support/dht-net.ts'
import { KILLERS, mutate, sampleChanges } from '../../support/dht-hostile.ts'

const MUTATED = 10_000
const signed = signValue('ada', 5n, new Uint8Array(300).fill(1), new Uint8Array(20))

function counted(counters: DhtCounters): number {
  const { fromStrangers, truncated, malformed, unmatched, queries } = counters
  return fromStrangers + truncated + malformed + unmatched + queries
}

describe('the DHT client', () => {
  it(`survives ${MUTATED} mutated answers, counts every packet, and looks up as before`, async () => {
    const net = new DhtNet()
    net.addNodes(12)
    const client = net.client()
    await net.settle(client.put(signed))
    const samples = sampleChanges(MUTATED)
    let sent = 0
    for (const node of net.nodes) {
      node.manners.send = (packet, from) => {
        const bad = samples.slice(sent, sent + 50).map((list) => [mutate(packet, list), from] as const)
        sent += bad.length
        return [...bad, [packet, from]]
      }
    }
    net.rest()
    const before = client.counters
    let replies = 0
    for (let lookups = 0; lookups < 40; lookups++) {
      const { nodesAnswered } = await net.settle(client.get(signed))
      expect(nodesAnswered).toBeGreaterThan(0)
      replies += nodesAnswered
    }
    net.rest()
    const after = client.counters
    expect(sent).toBe(MUTATED)
    expect(after.malformed).toBeGreaterThan(1000)
    expect(after.truncated).toBeGreaterThan(500)
    expect(after.lying).toBeGreaterThan(10)
    // Each packet either ended a query, or was counted as refused.
    const ended = after.sentPackets - before.sentPackets - (after.timeouts - before.timeouts)
    expect(counted(after) - counted(before) + ended).toBe(after.receivedPackets - before.receivedPackets)
    for (const node of net.nodes) node.manners.send = null
    expect(await net.settle(client.get(signed))).toMatchObject({ values: [{ signed }] })
    expect(replies).toBeGreaterThan(0)
  })

  it('survives the single packets that end other nodes, from any address', async () => {
    const net = new DhtNet()
    net.addNodes(12)
    const client = net.client()
    const killers = KILLERS.map((text) => bytesOfLatin1(text))
    const stranger = { host: '198.51.100.200', port: 1 }
    for (const node of net.nodes)
      node.manners.send = (packet, from) => [
        ...killers.flatMap((killer) => [[killer, from] as const, [killer, stranger] as const]),
        [packet, from],
      ]
    expect(await net.settle(client.put(signed))).toMatchObject({ nodesTook: 8, nodesHold: 8 })
    const { queries, malformed, fromStrangers } = client.counters
    expect([queries + malformed, fromStrangers].every((count) => count >= KILLERS.length)).toBe(true)
    expect(KILLERS.length).toBe(4)
  })
})
