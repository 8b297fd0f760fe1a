import { describe, expect, it } from 'vitest'
import { MAX_DHT_SEQ, MAX_VALUE_BYTES, valueOf, type SignedValue } from '../../../src/core/announce/signed-value.ts'
import { concatBytes, equalBytes, formatHex } from '../../../src/core/encoding/bytes.ts'
import { formatNodes } from '../../../src/dht/address.ts'
import { decodeBencode, type Bencode, type BencodeDictionary } from '../../../src/dht/bencode.ts'
import { MAX_ORDERS, type DhtClient } from '../../../src/dht/client.ts'
import { codeOf } from '../../support/code-of.ts'
import { DhtNet, signValue, targetOf, type NetNode } from '../../support/dht-net.ts'

const SALT = new Uint8Array(20).fill(7)
const value = (length: number): Uint8Array => new Uint8Array(length).fill(0xab)

function netOf(count: number): { net: DhtNet; client: DhtClient } {
  const net = new DhtNet()
  net.addNodes(count)
  return { net, client: net.client() }
}

function keep(node: NetNode, signed: SignedValue): void {
  node.store.set(formatHex(targetOf(signed)).toLowerCase(), signed)
}

describe('a put', () => {
  it('reaches the eight closest of a hundred nodes, and is read back from each of them', async () => {
    const { net, client } = netOf(100)
    const signed = signValue('ada', 5n, value(500), SALT)
    const report = await net.settle(client.put(signed))
    expect(report).toMatchObject({ nodesTook: 8, nodesHold: 8, values: [{ nodes: 8, signed }] })
    const holders = net.nodes.filter(({ store }) => store.size > 0)
    expect(new Set(holders)).toEqual(new Set(net.closest(signed).slice(0, 8)))
    expect(report.nodesAsked).toBeLessThan(30)
  })

  it('reaches the eight closest also where all nodes are nodes of the configuration', async () => {
    const { net } = netOf(40)
    const signed = signValue('ada', 5n, value(500), SALT)
    const client = net.client({ bootstrap: net.nodes.map(({ host, port }) => ({ host, port })) })
    expect(await net.settle(client.put(signed))).toMatchObject({ nodesHold: 8 })
    const holders = net.nodes.filter(({ store }) => store.size > 0)
    expect(new Set(holders)).toEqual(new Set(net.closest(signed).slice(0, 8)))
  })

  it('finds the closest nodes also where a node that has the value names no others', async () => {
    const { net, client } = netOf(60)
    for (const node of net.nodes) node.manners.leavesNodesOut = true
    const first = signValue('ada', 1n, value(10), SALT)
    for (const node of net.nodes) keep(node, first)
    const second = signValue('ada', 2n, value(11), SALT)
    expect(await net.settle(client.put(second))).toMatchObject({ nodesTook: 8, nodesHold: 8 })
    const holders = net.nodes.filter(({ store }) => [...store.values()].some(({ seq }) => seq === 2n))
    expect(new Set(holders)).toEqual(new Set(net.closest(second).slice(0, 8)))
    expect(net.nodes.flatMap(({ asked }) => asked)).toContain('find_node')
  })

  it('goes around nodes that know no get', async () => {
    const { net, client } = netOf(40)
    const signed = signValue('ada', 1n, value(10), SALT)
    for (const node of net.closest(signed).slice(0, 4)) node.manners.isOld = true
    net.nodes[0]!.manners.isOld = true // the bootstrap node too
    const report = await net.settle(client.put(signed))
    expect(report).toMatchObject({ nodesTook: 8, nodesHold: 8 })
    expect(client.counters.errors).toBeGreaterThan(0)
  })

  it('of another value with the same seq is taken by every node and held by none', async () => {
    const { net, client } = netOf(20)
    const first = signValue('ada', 5n, value(100), SALT)
    await net.settle(client.put(first))
    const report = await net.settle(client.put(signValue('ada', 5n, value(101), SALT)))
    expect(report).toMatchObject({ nodesTook: 8, nodesHold: 0, values: [{ nodes: 8, signed: first }] })
  })

  it('of a lower seq is taken by no node', async () => {
    const { net, client } = netOf(20)
    await net.settle(client.put(signValue('ada', MAX_DHT_SEQ, value(100), SALT)))
    const report = await net.settle(client.put(signValue('ada', 5n, value(101), SALT)))
    expect(report).toMatchObject({ nodesTook: 0, nodesHold: 0, values: [{ nodes: 8 }] })
    expect(client.counters.errors).toBe(8)
  })

  it('of 996 bytes is sent, and of 997 bytes never', async () => {
    const { net, client } = netOf(20)
    expect(MAX_VALUE_BYTES).toBe(996)
    await expect(net.settle(client.put(signValue('ada', 1n, value(996), SALT)))).resolves.toMatchObject({
      nodesHold: 8,
    })
    const sent = net.packets.length
    for (const bad of [
      signValue('ada', 2n, value(997), SALT),
      signValue('ada', 2n, value(0), SALT),
      signValue('ada', -1n, value(1), SALT),
      signValue('ada', MAX_DHT_SEQ + 1n, value(1), SALT),
      signValue('ada', 2n, value(1), new Uint8Array(65)),
      { ...signValue('ada', 2n, value(1), SALT), seq: 3n },
      signValue('ada', 2n, { bencoded: Uint8Array.from('i1e', (c) => c.charCodeAt(0)) }, SALT),
    ]) {
      expect(await codeOf(client.put(bad))).toBe('DHT_VALUE_INVALID')
    }
    expect(net.packets.length).toBe(sent)
  })
})

describe('a get', () => {
  it('gives every different value with a good signature, the highest seq first', async () => {
    const { net, client } = netOf(50)
    const [old, newer] = [signValue('ada', 5n, value(10), SALT), signValue('ada', MAX_DHT_SEQ, value(20), SALT)]
    const nodes = net.closest(old)
    for (const node of nodes.slice(0, 6)) keep(node, old)
    for (const node of nodes.slice(6, 8)) keep(node, newer)
    const { values, nodesAnswered, sentBytes, receivedBytes, tookMs } = await net.settle(client.get(old))
    expect(values).toEqual([
      { signed: newer, nodes: 2 },
      { signed: old, nodes: 6 },
    ])
    expect([nodesAnswered >= 8, sentBytes > 0, receivedBytes > sentBytes, tookMs > 0]).toEqual([true, true, true, true])
    expect([client.counters.sentBytes, client.counters.receivedBytes]).toEqual([sentBytes, receivedBytes])
  })

  it('asks nodes that leave their nodes out for nodes alone, until four of the eight closest have named some or were asked', async () => {
    const table = [
      { silent: [0, 0], asked: 0 },
      { silent: [0, 1], asked: 0 },
      { silent: [4, 8], asked: 0 }, // the four that name others have answered by then
      { silent: [3, 8], asked: 1 },
      { silent: [0, 4], asked: 3 }, // nobody knows yet that the others will name some
      { silent: [0, 8], asked: 4 },
    ] as const
    let ran = 0
    for (const { silent, asked } of table) {
      const { net, client } = netOf(40)
      const signed = signValue('ada', 1n, value(10), SALT)
      await net.settle(client.put(signed))
      for (const node of net.closest(signed).slice(...silent)) node.manners.leavesNodesOut = true
      for (const node of net.nodes) node.asked.length = 0
      expect(await net.settle(client.get(signed))).toMatchObject({ nodesAnswered: 8, values: [{ nodes: 8 }] })
      const queries = net.nodes.flatMap((node) => node.asked)
      expect([silent, queries.filter((kind) => kind === 'find_node').length]).toEqual([silent, asked])
      ran++
    }
    expect(ran).toBe(6)
  })

  it('asks for nodes alone while the last answers are awaited, and not after them', async () => {
    const { net, client } = netOf(40)
    const signed = signValue('ada', 1n, value(10), SALT)
    await net.settle(client.put(signed))
    for (const node of net.nodes) node.manners.leavesNodesOut = true
    for (const late of net.closest(signed).slice(6, 8)) late.manners.answersAfterMs = 300
    expect(await net.settle(client.get(signed))).toMatchObject({ values: [{ nodes: 8 }], tookMs: 300 })
    expect(net.nodes.flatMap(({ asked }) => asked).filter((kind) => kind === 'find_node')).toHaveLength(4)
  })

  it('passes on a value that is no byte string, as it was signed: it may be a proof against a thief', async () => {
    const { net, client } = netOf(20)
    const bencoded = Uint8Array.from('d1:bi1e1:ali01eee', (character) => character.charCodeAt(0))
    const odd = signValue('ada', MAX_DHT_SEQ, { bencoded }, SALT)
    for (const node of net.nodes) keep(node, odd)
    const { values } = await net.settle(client.get(odd))
    expect(values).toEqual([{ signed: odd, nodes: values[0]?.nodes }])
    expect(valueOf(odd)).toBeNull()
  })

  it('drops a value of another key and a value with a bad signature, and asks further nodes in place of the liars', async () => {
    const { net, client } = netOf(60)
    const good = signValue('ada', 5n, value(10), SALT)
    const nodes = net.closest(good)
    for (const node of nodes.slice(0, 3)) keep(node, { ...good, seq: 6n })
    for (const node of nodes.slice(3, 6)) {
      node.manners.lie = (answer) => {
        const foreign = signValue('eve', 9n, value(10), SALT)
        for (const [key, field] of [
          ['k', foreign.publicKey],
          ['sig', foreign.signature],
          ['seq', foreign.seq],
          ['v', foreign.bencoded],
        ] as const)
          answer.set(key, field)
      }
    }
    for (const node of nodes.slice(6, 20)) keep(node, good)
    const { values } = await net.settle(client.get(good))
    expect(values).toMatchObject([{ signed: good }])
    expect(values[0]!.nodes).toBeGreaterThanOrEqual(8)
    expect(client.counters.lying).toBe(6)
  })

  it('waits for no dead node', async () => {
    const { net, client } = netOf(60)
    const signed = signValue('ada', 5n, value(10), SALT)
    const nodes = net.closest(signed)
    for (const node of nodes.slice(0, 12)) keep(node, signed)
    const alone = (await net.settle(client.get(signed))).tookMs
    for (const node of nodes.slice(0, 3)) node.manners.answersAfterMs = null
    const fresh = net.client()
    const { values, tookMs } = await net.settle(fresh.get(signed))
    expect(values).toMatchObject([{ nodes: 8 }])
    // One dead node costs the time after which an answer counts as slow, and not the time-out of a query.
    expect(tookMs - alone).toBeLessThan(1000)
  })

  it('ends with nothing when all nodes are dead, after the time-out of one query', async () => {
    const { net, client } = netOf(1)
    net.nodes[0]!.manners.answersAfterMs = null
    const report = await net.settle(client.get(signValue('ada', 1n, value(1))))
    expect(report).toMatchObject({ values: [], nodesAsked: 1, nodesAnswered: 0, tookMs: 3000 })
    expect(client.counters.timeouts).toBe(1)
  })

  it('begins at nodes that answered before, so that it works without its bootstrap node', async () => {
    const { net, client } = netOf(40)
    const signed = signValue('ada', 5n, value(10), SALT)
    await net.settle(client.put(signed))
    net.nodes[0]!.manners.answersAfterMs = null
    expect((await net.settle(client.get(signed))).values).toMatchObject([{ nodes: 8 }])
    const asked = net.nodes[0]!.asked.length
    expect((await net.settle(client.get(signed))).values).toMatchObject([{ nodes: 8 }])
    expect(net.nodes[0]!.asked.length).toBe(asked)
  })

  it('begins at the closest nodes that it knows of a host that the owner made an exception, however many there are', async () => {
    const net = new DhtNet()
    for (let port = 1; port <= 30; port++) net.addNode({}, { host: '127.0.0.1', port })
    const client = net.client({ judgeNode: () => 'open' })
    const places = [1, 2, 3, 4].map((seq) => signValue(`person ${seq}`, 1n, value(10), SALT))
    for (const signed of places) await net.settle(client.put(signed))
    for (const signed of places) expect((await net.settle(client.get(signed))).nodesAsked).toBe(8)
    expect(places).toHaveLength(4)
  })

  it('ends also in a net of liars who name ever closer nodes', async () => {
    const net = new DhtNet()
    const signed = signValue('ada', 5n, value(10), SALT)
    const target = targetOf(signed)
    let named = 0
    const names = (answer: Map<string, unknown>): void => {
      const nodes = Array.from({ length: 8 }, () => {
        const id = target.slice()
        named++
        id[18] = 255 - (named >> 8)
        id[19] = named & 0xff
        return { id, host: `192.0.${named >> 8}.${named & 0xff}`, port: 1 }
      })
      answer.set('nodes', formatNodes(nodes))
      for (const { host, port } of nodes) net.addNode({ lie: names }, { host, port })
    }
    net.addNode({ lie: names })
    const client = net.client()
    const report = await net.settle(client.get(signed))
    expect(report.nodesAsked).toBe(96)
    expect(report.values).toEqual([])
  })
})

describe('the client', () => {
  it('is read-only: it says so in each query, and never sends anything else', async () => {
    const { net, client } = netOf(30)
    await net.settle(client.put(signValue('ada', 1n, value(10), SALT)))
    const kinds = net.packets.map((packet) => {
      const message = decodeBencode(packet, (depth, key) => depth === 2 && key === 'v') as BencodeDictionary
      expect([message.get('ro'), message.get('y'), (message.get('t') as Uint8Array).length]).toEqual([
        1n,
        Uint8Array.of(0x71),
        4,
      ])
      return String.fromCharCode(...(message.get('q') as Uint8Array))
    })
    expect(new Set(kinds)).toEqual(new Set(['get', 'put']))
    expect(kinds.filter((kind) => kind === 'put')).toHaveLength(8)
  })

  it('sends nothing to a host that may not be contacted, and counts it', async () => {
    const net = new DhtNet()
    net.addNodes(30)
    const signed = signValue('ada', 1n, value(10), SALT)
    const refused = net
      .closest(signed)
      .filter((node) => node !== net.nodes[0])
      .slice(0, 5)
    const hosts = new Set(refused.map(({ host }) => host))
    const client = net.client({ judgeNode: ({ host }) => (hosts.has(host) ? 'refused' : 'global') })
    expect(await net.settle(client.put(signed))).toMatchObject({ nodesHold: 8 })
    expect(refused.flatMap(({ asked }) => asked)).toEqual([])
    expect(client.counters.refusedHosts).toBeGreaterThanOrEqual(5)
    const none = net.client({ judgeNode: () => 'refused' })
    expect(await codeOf(net.settle(none.get(signed)))).toBe('DHT_NO_NODES')
    expect(await codeOf(net.settle(net.client({ bootstrap: [] }).get(signed)))).toBe('DHT_NO_NODES')
  })

  it('does not ask itself where nodes list it, although it is read-only', async () => {
    const { net, client } = netOf(10)
    const own = { host: '203.0.113.9', port: 9999 }
    const listing = (answer: Map<string, Bencode>, ownId: Uint8Array): void => {
      const nodes = answer.get('nodes')
      if (nodes instanceof Uint8Array) answer.set('nodes', concatBytes(formatNodes([{ id: ownId, ...own }]), nodes))
    }
    for (const node of net.nodes) node.manners.lie = (answer, asker) => listing(answer, asker)
    await net.settle(client.put(signValue('ada', 1n, value(10), SALT)))
    expect(net.sentTo).not.toContain('203.0.113.9:9999')
    net.rest()
    expect(client.counters.timeouts).toBe(0)
  })

  it('asks at most three nodes of one host, unless the owner made the host an exception', async () => {
    const build = (): DhtNet => {
      const net = new DhtNet()
      for (let port = 1; port <= 12; port++) net.addNode({}, { host: '198.51.100.1', port })
      return net
    }
    const signed = signValue('ada', 1n, value(10), SALT)
    const [one, other] = [build(), build()]
    expect(await one.settle(one.client().put(signed))).toMatchObject({ nodesAsked: 3, nodesHold: 3 })
    const open = other.client({ judgeNode: () => 'open' })
    expect(await other.settle(open.put(signed))).toMatchObject({ nodesHold: 8 })
  })

  it('ignores an answer from another address, a late or guessed one, and a query, and counts them', async () => {
    const net = new DhtNet()
    const other = { host: '198.51.100.77', port: 6881 }
    net.addNode({ send: (packet) => [[packet, other]] })
    const client = net.client()
    const report = await net.settle(client.get(signValue('ada', 1n, value(1))))
    expect(report).toMatchObject({ nodesAnswered: 0 })
    expect(client.counters).toMatchObject({ fromStrangers: 1, timeouts: 1 })

    const twice = new DhtNet()
    const query = Uint8Array.from('d1:ade1:q4:ping1:t1:x1:y1:qe', (character) => character.charCodeAt(0))
    twice.addNode({
      send: (packet, from) => [
        [query, from],
        [swapTransaction(packet), from],
        [packet, from],
      ],
    })
    const second = twice.client()
    expect(await twice.settle(second.get(signValue('ada', 1n, value(1))))).toMatchObject({ nodesAnswered: 1 })
    expect(second.counters).toMatchObject({ queries: 1, unmatched: 1, timeouts: 0 })
  })

  it('takes no answer of one asked node for the answer of another', async () => {
    const net = new DhtNet()
    const [first, second] = net.addNodes(2) as [NetNode, NetNode]
    first.manners.send = (packet) => [[packet, second]]
    second.manners.send = (packet) => [[packet, first]]
    const client = net.client({ bootstrap: [first, second] })
    expect(await net.settle(client.get(signValue('ada', 1n, value(1))))).toMatchObject({ nodesAnswered: 0 })
    expect(client.counters).toMatchObject({ unmatched: 2, timeouts: 2 })
  })

  it(`refuses more than ${MAX_ORDERS} orders at a time, and every order after its end`, async () => {
    const { net, client } = netOf(20)
    const signed = signValue('ada', 1n, value(1))
    const orders = Array.from({ length: MAX_ORDERS }, () => codeOf(client.get(signed)))
    expect(await codeOf(client.get(signed))).toBe('DHT_BUSY')
    await net.settle(Promise.all(orders))
    expect(await Promise.all(orders)).toEqual(orders.map(() => 'done'))
    const open = codeOf(client.put(signed))
    client.close()
    expect(await open).toBe('DHT_CLOSED')
    expect(await codeOf(client.get(signed))).toBe('DHT_CLOSED')
  })
})

function swapTransaction(packet: Uint8Array): Uint8Array {
  const at = packet.findIndex((_, i) =>
    equalBytes(
      packet.subarray(i, i + 5),
      Uint8Array.from('1:t4:', (c) => c.charCodeAt(0)),
    ),
  )
  const swapped = packet.slice()
  swapped[at + 5]! ^= 1
  return swapped
}
