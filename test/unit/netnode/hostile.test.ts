/** The real program personad-net among nodes that attack it. */
import { expect, test } from 'vitest'
import { formatNodes } from '../../../src/dht/address.ts'
import { bytesOfLatin1 } from '../../../src/dht/bencode.ts'
import { formatNet } from '../../../src/cli/daemon/status.ts'
import { KILLERS, mutate, sampleChanges } from '../../support/dht-hostile.ts'
import { signValue, type NetNode } from '../../support/dht-net.ts'
import { NetStory } from '../../support/net-program.ts'
import { udpNodes } from '../../support/udp-nodes.ts'

const MUTATED = 10_000
const AN_ANSWER = 25 // so that the buffer of the socket holds those of all queries on their way
const FLOOD = 200 // packets; above some 270 the buffer of the socket is full, and drops answers of honest nodes
const STRANGER = { host: '127.0.0.1', port: 1 }
const signed = signValue('ada', 5n, new Uint8Array(300).fill(1), new Uint8Array(20))

test(`personad-net survives ${MUTATED} mutated answers and the packets that end other nodes, and status shows how many it refused`, async () => {
  const nodes = await udpNodes(8)
  const { net, children } = await new NetStory({ bootstrap: nodes }).run()
  expect(await net.put(signed)).toMatchObject({ nodesHold: 8 })
  const killers = KILLERS.map((text) => bytesOfLatin1(text))
  const samples = sampleChanges(MUTATED)
  let sent = 0
  for (const node of nodes)
    node.manners.send = (packet, from) => {
      const bad = samples.slice(sent, sent + AN_ANSWER).map((list) => [mutate(packet, list), from] as const)
      sent += bad.length
      return [
        ...killers.flatMap((killer) => [[killer, from] as const, [killer, STRANGER] as const]),
        ...bad,
        [packet, from] as const,
      ]
    }
  let answered = 0
  for (;;) {
    answered += (await net.get(signed)).nodesAnswered
    if (sent === MUTATED) break
  }
  expect(answered).toBeGreaterThan(0)

  for (const node of nodes) node.manners.send = null
  expect(await net.put(signed)).toMatchObject({ nodesHold: 8 })
  expect(children).toHaveLength(1)
  const status = net.status()
  expect(status).toMatchObject({ state: 'running', problem: null })
  const { malformed, truncated, lying, queries, fromStrangers, unmatched } = status.dht as Record<string, number>
  expect(malformed).toBeGreaterThan(1000)
  expect(truncated).toBeGreaterThan(500)
  expect(lying).toBeGreaterThan(10)
  expect(queries).toBeGreaterThan(KILLERS.length)
  expect(fromStrangers).toBeGreaterThan(KILLERS.length)
  const refused = malformed! + truncated! + lying! + fromStrangers! + unmatched!
  expect(formatNet(status)).toContain(`over the DHT, ${refused} packets refused`)
})

test('personad-net among nodes that lie, cut answers short, flood, answer from elsewhere and name private addresses finds and stores all the same, and counts each', async () => {
  const nodes = await udpNodes(9)
  const [liar, cutter, flooder, elsewhere, namer] = nodes as [NetNode, NetNode, NetNode, NetNode, NetNode]
  const { net, children } = await new NetStory({ bootstrap: nodes }).run()
  expect(await net.put(signed)).toMatchObject({ nodesHold: 8 })
  liar.manners.lie = (answer) => void answer.set('sig', new Uint8Array(64))
  cutter.manners.send = (packet, from) => [[packet.subarray(0, packet.length - 9), from]]
  flooder.manners.send = (packet, from) => [
    ...Array.from({ length: FLOOD }, (_, i) => [Uint8Array.of(i & 0xff), i % 2 === 0 ? from : STRANGER] as const),
    [packet, from] as const,
  ]
  elsewhere.manners.send = (packet) => [[packet, STRANGER]]
  const inside = ['10.0.0.1', '192.168.1.1', '169.254.169.254', '127.0.0.2'].map((host) => ({
    id: namer.id,
    host,
    port: 6881,
  }))
  namer.manners.lie = (answer) => void answer.set('nodes', formatNodes(inside))
  const before = net.status().dht!
  const { values } = await net.get(signed)
  expect(values.map((found) => found.signed)).toEqual([signed])
  const later = signValue('ada', 6n, new Uint8Array(300).fill(2), new Uint8Array(20))
  const { nodesHold, values: back } = await net.put(later)
  expect(nodesHold).toBeGreaterThanOrEqual(4)
  expect(back[0]?.signed).toEqual(later)
  const after = net.status().dht!
  for (const name of ['lying', 'truncated', 'malformed', 'fromStrangers', 'refusedHosts'])
    expect(after[name], name).toBeGreaterThan(before[name]!)
  expect(after['refusedHosts']! - before['refusedHosts']!).toBeGreaterThanOrEqual(inside.length)
  expect(children).toHaveLength(1)
})
