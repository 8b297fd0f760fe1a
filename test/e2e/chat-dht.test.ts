/** `persona chat` over the DHT while nodes are killed, through nodes that others wrote. */
import { describe, expect, test } from 'vitest'
import { type Side, twoSides } from '../support/channel-sides.ts'
import { ChatScript, meetInChat } from '../support/chat-sides.ts'
import { DhtPeers, libtorrentAbsence } from '../support/dht-peers.ts'

const isAsked = process.env['CHAT_STORIES'] === '1' // `npm run test:slow` asks for it: a line takes up to 10 s, and a lookup of dead nodes 3 s
const NODES = 4
const TIMEOUT_MS = 300_000
const ABSENCE = { 'bittorrent-dht': null, libtorrent: libtorrentAbsence() }

/** Each line on both screens, once, and those of each side in their order. */
async function expectBoth(
  scripts: readonly ChatScript[],
  written: Readonly<Record<string, readonly string[]>>,
): Promise<void> {
  const all = Object.values(written).flat()
  for (const script of scripts) {
    const texts = await script.texts(all.length)
    expect(texts.toSorted()).toEqual(all.toSorted())
    for (const ofOne of Object.values(written)) expect(texts.filter((text) => ofOne.includes(text))).toEqual(ofOne)
  }
}

async function stateOf({ client }: Side, text: string): Promise<string | undefined> {
  const { lines } = await client.call('chat.lines', { chat: 'name:bob' })
  return lines.find((line) => line.text === text)?.state
}

async function untilAway({ client }: Side): Promise<void> {
  const codes = async (): Promise<string[]> => (await client.call('status')).findings.map(({ code }) => code)
  await expect.poll(codes, { timeout: 60_000 }).toContain('RECORDS_AWAY')
}

describe.skipIf(!isAsked).each(['bittorrent-dht', 'libtorrent'] as const)('through nodes of %s', (kind) => {
  test.skipIf(ABSENCE[kind] !== null)(
    `lines that are on their way while nodes are killed arrive once, in order, by the nodes that are left or that come in their place (${ABSENCE[kind] ?? kind})`,
    async () => {
      const others = await DhtPeers.start(kind, NODES - 1, [], { heedReadOnly: true })
      const one = await DhtPeers.start(kind, 1, others.ports, { heedReadOnly: true })
      const ports = [...one.ports, ...others.ports]
      const sides = await twoSides({ bootstrap: ports.map((port) => `127.0.0.1:${port}`), private: ['127.0.0.1'] })
      const [alice, bob] = sides
      await meetInChat(alice, bob, ['--over', 'dht'])
      const scripts = [new ChatScript(alice, 'Bob'), new ChatScript(bob, 'Alice')] as const
      scripts[0].write('with four nodes')
      await expectBoth(scripts, { alice: ['with four nodes'] })

      scripts[0].write('as one is killed')
      await one.kill()
      scripts[1].write('with three nodes')
      await expectBoth(scripts, { alice: ['as one is killed'], bob: ['with three nodes'] })

      scripts[0].write('as all are killed')
      await expect.poll(async () => await stateOf(alice, 'as all are killed')).toBe('sent')
      await others.kill()
      scripts[1].write('with no node')
      for (const side of sides) await untilAway(side)
      scripts[0].write('with no node either')
      await DhtPeers.start(kind, NODES, [], { heedReadOnly: true, at: ports })
      scripts[1].write('with four others')
      const ofBob = ['with no node', 'with four others']
      await expectBoth(scripts, { alice: ['as all are killed', 'with no node either'], bob: ofBob })
    },
    TIMEOUT_MS,
  )
})
