/** Our DHT client in nets of nodes that others wrote: bittorrent-dht and libtorrent, on loopback. */
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { describe, expect, it, onTestFinished } from 'vitest'
import {
  bencodeValue,
  MAX_DHT_SEQ,
  valueOf,
  type SignedValue,
  type ValuePlace,
} from '../../src/core/announce/signed-value.ts'
import { formatHex } from '../../src/core/encoding/bytes.ts'
import { bytesOfLatin1 } from '../../src/dht/bencode.ts'
import type { GetReport } from '../../src/dht/order.ts'
import { codeOf } from '../support/code-of.ts'
import { KILLERS } from '../support/dht-hostile.ts'
import { signValue, targetOf } from '../support/dht-net.ts'
import { DhtPeers, libtorrentAbsence, libtorrentGet, libtorrentPut, loopbackClient } from '../support/dht-peers.ts'
import { engine, seedOf } from '../support/person.ts'

const LIBTORRENT_ABSENCE = libtorrentAbsence()
const libtorrentIt = it.skipIf(LIBTORRENT_ABSENCE !== null)
const needs = LIBTORRENT_ABSENCE === null ? '' : ` (skipped: ${LIBTORRENT_ABSENCE})`
const SALT = new Uint8Array(20).fill(7)

function value(length: number, byte = 0xab): Uint8Array {
  return new Uint8Array(length).fill(byte)
}

function placeNamed(name: string, salt: Uint8Array): ValuePlace {
  return { publicKey: engine.signKeyPair(seedOf(name)).publicKey, salt }
}

function only(report: GetReport): { readonly seq: bigint; readonly value: string } {
  expect(report.values).toHaveLength(1)
  const { signed } = report.values[0]!
  return { seq: signed.seq, value: formatHex(valueOf(signed)!).toLowerCase() }
}

const heldAt = (signed: SignedValue): Readonly<Record<string, unknown>> => ({
  do: 'held',
  target: formatHex(targetOf(signed)).toLowerCase(),
  value: formatHex(valueOf(signed)!).toLowerCase(),
})

describe('in a net of bittorrent-dht', () => {
  it('a value of up to 996 bytes lies on every node, and is read by the nodes and by us', async () => {
    const peers = await DhtPeers.start('bittorrent-dht', 4)
    const { client } = await loopbackClient(peers.ports.slice(0, 1))
    let ran = 0
    for (const length of [1, 400, 996]) {
      for (const salt of [new Uint8Array(), SALT]) {
        const signed = signValue(`person ${length}`, 5n, value(length), salt)
        expect(await client.put(signed)).toMatchObject({ nodesTook: 4, nodesHold: 4, nodesAnswered: 4 })
        expect(await peers.order(heldAt(signed))).toEqual({ nodes: 4, same: 4 })
        const get = { do: 'get', target: formatHex(targetOf(signed)), salt: formatHex(salt) }
        expect(await peers.order(get)).toEqual({ value: formatHex(value(length)).toLowerCase(), seq: '5' })
        expect(only(await client.get(signed))).toEqual({ seq: 5n, value: formatHex(value(length)).toLowerCase() })
        ran++
      }
    }
    expect(ran).toBe(6)
    expect(client.counters).toMatchObject({ lying: 0, malformed: 0, truncated: 0, timeouts: 0 })
  })

  it('a value that a node put is read by us', async () => {
    const peers = await DhtPeers.start('bittorrent-dht', 4)
    const { client } = await loopbackClient(peers.ports.slice(1, 2))
    const { publicKey, secretKey } = engine.signKeyPair(seedOf('theirs'))
    const order = { secret: formatHex(secretKey), key: formatHex(publicKey), salt: formatHex(SALT), seq: 7 }
    expect(await peers.order({ do: 'put', ...order, value: formatHex(value(996)) })).toMatchObject({ error: null })
    expect(only(await client.get({ publicKey, salt: SALT }))).toEqual({ seq: 7n, value: 'ab'.repeat(996) })
  })

  it('another value of the same seq is refused by every node', async () => {
    const peers = await DhtPeers.start('bittorrent-dht', 4)
    const { client } = await loopbackClient(peers.ports)
    const first = signValue('ada', 5n, value(100), SALT)
    await client.put(first)
    const report = await client.put(signValue('ada', 5n, value(100, 1), SALT))
    expect(report).toMatchObject({ nodesTook: 0, nodesHold: 0, values: [{ nodes: 4, signed: first }] })
    expect(client.counters.errors).toBe(4)
  })

  it('dead nodes cost no time-out', async () => {
    const peers = await DhtPeers.start('bittorrent-dht', 4)
    const silent = createSocket('udp4').bind(0, '127.0.0.1')
    await once(silent, 'listening')
    onTestFinished(() => void silent.close())
    const { client } = await loopbackClient([silent.address().port, ...peers.ports])
    expect(await client.put(signValue('ada', 5n, value(100), SALT))).toMatchObject({ nodesHold: 4 })
    expect(client.counters.timeouts).toBe(0)
  })

  it('each packet that ends such a node leaves our client alive', async () => {
    const survivor = await DhtPeers.start('bittorrent-dht', 1)
    for (const killer of KILLERS) {
      const victim = await DhtPeers.start('bittorrent-dht', 1)
      const { client, port } = await loopbackClient([...victim.ports, ...survivor.ports])
      const signed = signValue(killer, 5n, value(100), SALT)
      expect(await client.put(signed)).toMatchObject({ nodesHold: 2 })
      const sender = createSocket('udp4')
      onTestFinished(() => void sender.close())
      sender.send(bytesOfLatin1(killer), port, '127.0.0.1')
      sender.send(bytesOfLatin1(killer), victim.ports[0], '127.0.0.1')
      const [status] = (await once(victim.child, 'exit')) as [number]
      expect(status, killer).not.toBe(0)
      expect(await client.get(signed)).toMatchObject({ values: [{ nodes: 1, signed }] })
      expect(client.counters.fromStrangers).toBe(1)
    }
    expect(KILLERS.length).toBe(4)
  })

  it('997 bytes are never sent', async () => {
    const peers = await DhtPeers.start('bittorrent-dht', 1)
    const { client } = await loopbackClient(peers.ports)
    const signed = { ...signValue('ada', 5n, value(996), SALT), bencoded: bencodeValue(value(997)) }
    expect(await codeOf(client.put(signed))).toBe('DHT_VALUE_INVALID')
    expect(client.counters.sentPackets).toBe(0)
  })
})

const SIZES = [1, 400, 996].flatMap((length) => [new Uint8Array(), SALT].map((salt) => ({ length, salt })))

describe('in a net with libtorrent', () => {
  libtorrentIt(
    `what libtorrent put is read by us, and the reverse, beside nodes of bittorrent-dht${needs}`,
    async () => {
      const others = await DhtPeers.start('bittorrent-dht', 4)
      const peers = await DhtPeers.start('libtorrent', 3, others.ports)
      // Theirs first: these nodes list whoever asks or puts, also a read-only client, and then wait 15 s for it in each lookup.
      for (const { length, salt } of SIZES)
        expect(
          (
            await peers.order(
              libtorrentPut(seedOf(`theirs ${length}`), placeNamed(`theirs ${length}`, salt), value(length)),
            )
          ).stored,
        ).toBeGreaterThan(0)
      const { client } = await loopbackClient([...others.ports, ...peers.ports])
      for (const { length, salt } of SIZES) {
        expect(only(await client.get(placeNamed(`theirs ${length}`, salt))).value).toBe('ab'.repeat(length))
      }
      for (const { length, salt } of SIZES) {
        const ours = signValue(`ours ${length}`, 5n, value(length), salt)
        expect((await client.put(ours)).nodesHold).toBeGreaterThanOrEqual(5)
        expect(await peers.order(libtorrentGet(ours, 1))).toMatchObject({ value: 'ab'.repeat(length), seq: '5' })
      }
      expect(SIZES.length).toBe(6)
      expect(client.counters).toMatchObject({ lying: 0, malformed: 0, truncated: 0 })
    },
  )

  libtorrentIt(
    `the highest seq is kept and read back, and another value of the same seq changes nothing${needs}`,
    async () => {
      const peers = await DhtPeers.start('libtorrent', 4)
      const { client } = await loopbackClient(peers.ports)
      const forward = signValue('ada', MAX_DHT_SEQ, value(996), SALT)
      expect(await client.put(forward)).toMatchObject({ nodesTook: 4, nodesHold: 4 })
      expect(await peers.order(libtorrentGet(forward, 2))).toMatchObject({
        value: 'ab'.repeat(996),
        seq: String(MAX_DHT_SEQ),
      })
      const late = signValue('ada', MAX_DHT_SEQ, value(996, 1), SALT)
      const report = await client.put(late)
      // Trap: these nodes report success and keep the old value. Only reading back shows it.
      expect(report).toMatchObject({ nodesTook: 4, nodesHold: 0, values: [{ nodes: 4, signed: forward }] })
    },
  )
})
