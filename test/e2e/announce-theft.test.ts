/** Announcements by the real programs after a theft, over rotations, and while the signing key is locked. */
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { signForwards } from '../../src/core/announce/items.ts'
import { FORWARD_SEQ } from '../../src/core/announce/place.ts'
import { readSettings } from '../../src/core/announce/settings.ts'
import { valueOf } from '../../src/core/announce/signed-value.ts'
import { formatHex } from '../../src/core/encoding/bytes.ts'
import type { AnnounceStatus } from '../../src/ipc/methods/announce.ts'
import { deriveSigningSeed, parseWords } from '../../src/crypto/seed.ts'
import { AnnounceNet, LIBTORRENT_ABSENCE, placeIn, statusOf, tableIn, walkOn } from '../support/announce-net.ts'
import { targetOf } from '../support/dht-net.ts'
import { loopbackClient } from '../support/dht-peers.ts'
import { deviceKey, engine } from '../support/person.ts'
import type { Home } from '../support/persona.ts'

const LAPTOP = deviceKey('laptop of Alice')
const torrentTest = test.skipIf(LIBTORRENT_ABSENCE !== null)
const needs = LIBTORRENT_ABSENCE === null ? '' : ` (skipped: ${LIBTORRENT_ABSENCE})`

// A story starts up to five daemons and thirty commands, and other tests run beside it.
vi.setConfig({ testTimeout: 60_000 })

let net: AnnounceNet
beforeAll(async () => {
  net = await AnnounceNet.start()
})
afterAll(() => net.close())

/** Alice announces, and has written down her recovery words. */
async function announcer(): Promise<{ alice: Home; words: string }> {
  const alice = net.home()
  await alice.start()
  await alice.done(['init', '--device', 'laptop', '--key', LAPTOP])
  const { words } = (await alice.json(['recovery', 'show'])) as { words: string[] }
  await alice.done(['recovery', 'confirm'], { stdin: [1, 2, 3].map((n) => `${n} ${words[n - 1]!}`).join('\n') })
  expect(await alice.json(['announce', 'on'])).toMatchObject({ items: [{ nodes: net.nodes }] })
  return { alice, words: words.join('\n') }
}

async function rotate({ alice, words }: { alice: Home; words: string }, epoch: number): Promise<void> {
  await alice.done(['rotate', '--epoch', String(epoch), '--words-file', '-', '--yes'], { stdin: words })
}

/** Bob has seen Alice's laptop show this. */
async function friend(status: string): Promise<Home> {
  const bob = net.home()
  await bob.start()
  await bob.done(['observe', status, '--from', LAPTOP, '--name', 'Alice'])
  return bob
}

async function epochAt(home: Home): Promise<number> {
  return ((await home.json(['contact', 'show', 'Alice'])) as { epoch: number }).epoch
}

async function alarmsAt(home: Home): Promise<string[]> {
  const { alarms } = (await home.json(['alarms'])) as { alarms: { code: string }[] }
  return alarms.map(({ code }) => code)
}

describe('a rotation', () => {
  torrentTest(`leads a friend who knew epoch 0 to epoch 2, while every device of Alice is off${needs}`, async () => {
    const story = await announcer()
    const bob = await friend(await statusOf(story.alice))
    await bob.stop()
    for (const epoch of [1, 2]) await rotate(story, epoch)
    expect(await story.alice.json(['announce'])).toMatchObject({
      items: [
        { epoch: 2, forward: false, nodes: net.nodes },
        { epoch: 1, forward: true, nodes: net.forwardNodes },
        { epoch: 0, forward: true, nodes: net.forwardNodes },
      ],
    })
    await story.alice.stop()
    await bob.start()
    await bob.done(['contact', 'refresh', 'Alice'])
    expect(await epochAt(bob)).toBe(2)
    expect(await alarmsAt(bob)).toEqual([])
  })
})

describe('a thief of the signing key', () => {
  torrentTest(
    `who fills the place of the forward first alarms both sides, and the status message still brings the new epoch${needs}`,
    async () => {
      const story = await announcer()
      const status = await statusOf(story.alice)
      const bob = await friend(status)
      const blob = tableIn(status)
      const { read } = readSettings(blob.content.ok ? blob.content.document : [])
      const { secretKey } = engine.signKeyPair(deriveSigningSeed(parseWords(story.words), 0, engine))
      const draft = { blob, read, kind: 'contacts', removedKeys: [] } as const
      const { items } = signForwards(draft, blob.signingKey, engine, (message) => engine.sign(message, secretKey))
      const { client } = await loopbackClient(net.ports)
      expect((await client.put(items[0]!)).nodesHold).toBe(net.forwardNodes)

      await rotate(story, 1)
      const after = await story.alice.run(['announce'])
      expect(after.status).toBe(1)
      expect(await alarmsAt(story.alice)).toEqual(['ANNOUNCEMENT_JAMMED'])
      await bob.run(['contact', 'refresh', 'Alice'])
      expect(await alarmsAt(bob)).toEqual(['ANNOUNCEMENT_JAMMED'])
      for (const [side, whose] of [
        [story.alice, []],
        [bob, ['Alice']],
      ] as const) {
        await side.done(['alarms', '--export', 'evidence', ...whose])
        expect(await side.done(['verify', '--evidence', 'evidence'])).toContain(
          'proven: an announcement is signed by a key of this persona, and not by its owner',
        )
      }
      expect(await epochAt(bob)).toBe(0)
      await bob.done(['observe', await statusOf(story.alice), '--from', LAPTOP])
      expect(await epochAt(bob)).toBe(1)
    },
  )
})

describe('a daemon whose signing key is locked', () => {
  test.runIf(process.env['STORIES'] !== undefined)(
    'puts its item again after a restart, on nodes that have lost it',
    async () => {
      const { alice } = await announcer()
      await alice.done(['passphrase', 'set', '--passphrase-file', '-'], { stdin: 'correct horse battery staple\n' })
      const { client } = await loopbackClient(net.ports)
      const place = placeIn(await statusOf(alice))
      const { items } = await walkOn(client, place)
      const { signed } = items[0]!
      const held = async (): Promise<unknown> =>
        await net.plain.order({
          do: 'held',
          target: formatHex(targetOf(signed)).toLowerCase(),
          value: formatHex(valueOf(signed)!).toLowerCase(),
        })
      const everyNode = { nodes: net.plain.ports.length, same: net.plain.ports.length }
      expect(await held()).toEqual(everyNode)
      await alice.stop()
      await net.plain.order({ do: 'forget' })
      expect(await held()).toEqual({ nodes: 0, same: 0 })
      await alice.start()
      // Nobody asks for it: the daemon puts at its start.
      for (;;) {
        const { locked, announce } = (await alice.json(['status'])) as { locked: boolean; announce: AnnounceStatus }
        expect(locked).toBe(true)
        if (announce.items[0]?.nodes === net.nodes) break
      }
      expect(await held()).toEqual(everyNode)
      expect(signed.seq).toBeLessThan(FORWARD_SEQ)
    },
  )
})
