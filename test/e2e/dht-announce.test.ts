/** Announcements on real nodes: a friend who knew epoch 0 follows two rotations, while a thief signs what the stolen key allows. */
import { execFileSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import type { ChainPlace } from '../../src/core/announce/judge.ts'
import { FORWARD_SEQ } from '../../src/core/announce/place.ts'
import { formatRead } from '../../src/core/announce/settings.ts'
import { bencodeValue, valueOf, type SignedValue } from '../../src/core/announce/signed-value.ts'
import type { WalkResult } from '../../src/core/announce/walk.ts'
import { formatHex } from '../../src/core/encoding/bytes.ts'
import { composeStatus } from '../../src/core/token.ts'
import type { DhtClient } from '../../src/dht/client.ts'
import {
  ada,
  announcedBlob,
  forwardsTo,
  itemsOf,
  placeOf,
  READ,
  resigned,
  strangerAt,
  type ItemWishes,
} from '../support/announced.ts'
import { walkOn } from '../support/announce-net.ts'
import { deriveSigningSeed } from '../../src/crypto/seed.ts'
import { DhtPeers, libtorrentAbsence, libtorrentPut, loopbackClient } from '../support/dht-peers.ts'
import { makeDeviceKey, NOW_SEC, sodium } from '../support/made-persona.ts'

const EXAMPLE = new URL('../../examples/open-announcement.ts', import.meta.url).pathname
const ABSENCE = libtorrentAbsence()
const libtorrentIt = it.skipIf(ABSENCE !== null)
const needs = ABSENCE === null ? '' : ` (skipped: ${ABSENCE})`

async function putAll(client: DhtClient, items: readonly SignedValue[]): Promise<number[]> {
  const held: number[] = []
  for (const item of items) held.push((await client.put(item)).nodesHold)
  return held
}

async function walk(client: DhtClient, start: ChainPlace, deviceKeys: readonly Uint8Array[] = []): Promise<WalkResult> {
  return await walkOn(client, start, deviceKeys, NOW_SEC)
}

const proofs = ({ items }: WalkResult): number => items.filter(({ verdict }) => verdict.provesTheft).length

/** A table with its items, put by the owner's device. */
async function announce(
  client: DhtClient,
  wishes: Parameters<typeof announcedBlob>[1],
  more: ItemWishes = {},
): Promise<number[]> {
  return await putAll(client, itemsOf(ada, announcedBlob(ada, wishes), more).items)
}

describe('announcements on nodes of bittorrent-dht', () => {
  it('are found by contacts, by who knows a device key, and by nobody else', async () => {
    const peers = await DhtPeers.start('bittorrent-dht', 5)
    const { client: owner } = await loopbackClient(peers.ports)
    const { client: reader } = await loopbackClient(peers.ports.slice(0, 1))
    expect(await announce(owner, { seq: 7 }, { kind: 'devices' })).toEqual([5, 5])
    expect((await walk(reader, placeOf(ada))).best?.seq).toBe(7)
    expect((await walk(reader, strangerAt(ada), [makeDeviceKey(1)])).best?.seq).toBe(7)
    expect(await walk(reader, strangerAt(ada), [makeDeviceKey(2)])).toMatchObject({ best: null, items: { length: 1 } })
    const former = placeOf(
      ada,
      0,
      READ.map((byte) => byte ^ 1),
    )
    expect(await walk(reader, former)).toMatchObject({ best: null, items: { length: 0 } })
  })

  it('of a newer table replace the older one on every node, also when somebody without a key puts them', async () => {
    const peers = await DhtPeers.start('bittorrent-dht', 5)
    const { client: owner } = await loopbackClient(peers.ports)
    const { client: friend } = await loopbackClient(peers.ports)
    await announce(owner, { seq: 7 })
    await announce(owner, { seq: 8, devices: [0, 1, 2], document: '' })
    const { values } = await friend.get(itemsOf(ada, announcedBlob(ada, { seq: 8 })).items[0]!)
    expect(values).toMatchObject([{ nodes: 5 }])
    expect((await friend.put(values[0]!.signed)).nodesHold).toBe(5)
    expect((await walk(friend, placeOf(ada))).best?.seq).toBe(8)
  })
})

describe('announcements on nodes of libtorrent', () => {
  libtorrentIt(`lead a friend of epoch 0 over two rotations, and libtorrent reads what we put${needs}`, async () => {
    const peers = await DhtPeers.start('libtorrent', 4)
    const { client: owner } = await loopbackClient(peers.ports)
    const { client: friend } = await loopbackClient(peers.ports)
    await announce(owner, { seq: 7 })
    for (const epoch of [1, 2]) {
      const forwards = forwardsTo(ada, announcedBlob(ada, { epoch }), epoch - 1).items
      expect(await putAll(owner, forwards)).toEqual([4])
      await announce(owner, { epoch, seq: 5 })
    }
    // A thief of K_0 comes after the forward: nothing at its place changes any more.
    const [late] = itemsOf(ada, announcedBlob(ada, { seq: 60 })).items as [SignedValue]
    expect((await owner.put(resigned(ada, 0, late, { seq: FORWARD_SEQ }))).nodesHold).toBe(0)
    const result = await walk(friend, placeOf(ada))
    expect([result.best?.epoch, result.best?.seq, result.lookedUp, proofs(result)]).toEqual([2, 5, 3, 0])

    const [last] = itemsOf(ada, announcedBlob(ada, { epoch: 2, seq: 5 })).items as [SignedValue]
    const order = { do: 'get', node: 2, key: formatHex(last.publicKey), salt: formatHex(last.salt) }
    expect(await peers.order(order)).toMatchObject({
      value: formatHex(valueOf(last)!).toLowerCase(),
      seq: String(last.seq),
      signature: formatHex(last.signature).toLowerCase(),
    })
  })

  libtorrentIt(`that libtorrent put are read by a friend as ours are${needs}`, async () => {
    const others = await DhtPeers.start('bittorrent-dht', 2)
    const peers = await DhtPeers.start('libtorrent', 3, others.ports)
    const [good] = itemsOf(ada, announcedBlob(ada, { seq: 7 })).items as [SignedValue]
    const seed = deriveSigningSeed(ada.seed, 0, sodium)
    // libtorrent signs for itself, with the seq after the one that it finds.
    const { publicKey, secretKey } = sodium.signKeyPair(seed)
    const place = { key: formatHex(publicKey), salt: formatHex(good.salt) }
    await others.order({ do: 'put', secret: formatHex(secretKey), ...place, seq: Number(good.seq) - 1, value: '00' })
    expect(await peers.order(libtorrentPut(seed, good, valueOf(good)!))).toMatchObject({ seq: String(good.seq) })

    const { client } = await loopbackClient([...others.ports, ...peers.ports])
    const result = await walk(client, placeOf(ada))
    expect([result.best?.seq, proofs(result)]).toEqual([7, 0])
    expect(result.items.map(({ signed }) => signed.signature)).toContainEqual(good.signature)
  })

  libtorrentIt(`a thief who closes the place first is proven, by either kind of item${needs}`, async () => {
    const peers = await DhtPeers.start('libtorrent', 4)
    const { client: thief } = await loopbackClient(peers.ports)
    const { client: owner } = await loopbackClient(peers.ports)
    const [good] = itemsOf(ada, announcedBlob(ada, { seq: 7 })).items as [SignedValue]
    const closed = resigned(ada, 0, good, { seq: FORWARD_SEQ })
    expect((await thief.put(closed)).nodesHold).toBe(4)
    // The owner reads back, and so learns that no node holds the forward.
    const [forward] = forwardsTo(ada, announcedBlob(ada, { epoch: 1 }), 0).items as [SignedValue]
    expect((await owner.put(forward)).nodesHold).toBe(0)
    expect(proofs(await walk(owner, placeOf(ada)))).toBe(1)

    const sealed = bencodeValue(new Uint8Array(300).fill(1, 0, 1))
    const [next] = itemsOf(ada, announcedBlob(ada, { epoch: 1 })).items as [SignedValue]
    await thief.put(resigned(ada, 1, next, { seq: FORWARD_SEQ, bencoded: sealed }))
    expect(proofs(await walk(owner, placeOf(ada, 1)))).toBe(1)
  })

  libtorrentIt(
    `are opened by examples/open-announcement.ts, from a friend's old status message and what libtorrent got${needs}`,
    async () => {
      const peers = await DhtPeers.start('libtorrent', 3)
      const { client: owner } = await loopbackClient(peers.ports)
      await announce(owner, {
        seq: 9,
        devices: [0, 1, 2],
        document: `names: [laptop,phone,tablet]\nread: ${formatRead(READ)}`,
      })
      const status = composeStatus('', announcedBlob(ada, { seq: 3 }).bytes).text
      const run = (input: string): string =>
        execFileSync(process.execPath, [EXAMPLE, status], { input, encoding: 'utf8' })
      const [, key, salt] = /^key ([0-9A-F]{64})\nsalt ([0-9A-F]{40})\n$/.exec(run(''))!
      const got = await peers.order({ do: 'get', node: 1, key, salt })
      const tail = (number: number): string => formatHex(makeDeviceKey(number)).slice(-8)
      expect(run(JSON.stringify(got))).toBe(
        `table 0.9: laptop (…${tail(0)}), phone (…${tail(1)}), tablet (…${tail(2)})\n`,
      )
      const signature = `00${(got.signature as string).slice(2)}`
      expect(run(JSON.stringify({ ...got, signature }))).toBe('refused: ITEM_SIGNATURE\n')
    },
  )
})
