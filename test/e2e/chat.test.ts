/** `persona chat`, typed at real daemons that reach each other by a folder, by a relay, or by records on Veilid or the DHT. */
import { describe, expect, onTestFinished, test } from 'vitest'
import { Side, twoSides } from '../support/channel-sides.ts'
import { chatTerminal, ChatScript, homeOf, meetInChat } from '../support/chat-sides.ts'
import { DhtPeers } from '../support/dht-peers.ts'
import { Correspondent, inboxRelay, joined } from '../support/message-sides.ts'
import { RelayProcess } from '../support/relay-process.ts'
import { tempDir } from '../support/temp-dir.ts'
import { hasTmux } from '../support/tmux.ts'
import { VeilidWorld } from '../support/veilid-world.ts'

const LINES = Number(process.env['CHAT_LINES'] ?? 10) // `npm run test:slow` asks for more
const isAsked = process.env['CHAT_STORIES'] === '1' // `npm run test:slow` asks for all carriers, and for stories of three daemons, and of four with a relay
const COMING = 50
const NODES = 4
const TIMEOUT_MS: number = 120_000 + LINES * 100 // sanity: a line takes some milliseconds on an idle machine
const absence = hasTmux() ? '' : ' (skipped: no tmux)'

async function overFolder(): Promise<[Side, Side]> {
  return await twoSides({ folders: [tempDir()] })
}

async function overRelay(): Promise<[Side, Side]> {
  const relay = await RelayProcess.start({ home: tempDir() })
  return await twoSides({ relays: [relay.url], private: ['127.0.0.1'] })
}

async function overVeilid(): Promise<[Side, Side]> {
  const world = new VeilidWorld()
  onTestFinished(async () => await world.close())
  const [one, two] = [await world.startNode(), await world.startNode()]
  return await Promise.all([
    new Side({ veilid_socket: one.path }).start(),
    new Side({ veilid_socket: two.path }).start(),
  ])
}

async function overDht(): Promise<[Side, Side]> {
  const { ports } = await DhtPeers.start('bittorrent-dht', NODES, [], { heedReadOnly: true })
  return await twoSides({ bootstrap: ports.map((port) => `127.0.0.1:${port}`), private: ['127.0.0.1'] })
}

function numberedLines(name: string, count: number): string[] {
  return Array.from({ length: count }, (_, i) => `${name} ${i + 1}`)
}

describe.each([
  { carrier: 'a folder', begin: overFolder, isSlow: true, over: [] },
  { carrier: 'a relay', begin: overRelay, isSlow: false, over: [] },
  { carrier: 'Veilid', begin: overVeilid, isSlow: false, over: ['--over', 'veilid'] },
  { carrier: 'the DHT', begin: overDht, isSlow: true, over: ['--over', 'dht'] },
])('over $carrier', ({ begin, isSlow, over }) => {
  test.skipIf(isSlow && !isAsked)(
    `${LINES} lines that were sent while the other side is off are all there and in order, and their marks come back`,
    async () => {
      const [alice, bob] = await begin()
      await meetInChat(alice, bob, over)
      await bob.stop()
      const sent = numberedLines('line', LINES)
      await homeOf(alice).done(['chat', 'Bob'], { stdin: sent.map((line) => `${line}\n`).join('') })
      const { lines } = await alice.client.call('chat.lines', { chat: 'name:bob', limit: 500 })
      expect(lines.map(({ text, state }) => `${text} ${state}`)).toEqual(sent.slice(-500).map((line) => `${line} sent`))

      await bob.start()
      const reading = new ChatScript(bob, 'alice')
      expect(await reading.texts(LINES)).toEqual(sent)
      reading.write('thank you')
      expect((await reading.next()).text).toBe('thank you')
      // One new line, however many marks have come.
      await expect.poll(async () => await homeOf(alice).done(['chat']), { timeout: 20_000 }).toMatch(/^Bob +1 /m)
      const asking = new ChatScript(alice, 'Bob', '--lines', '0', '--no-marks')
      expect(await asking.next()).toMatchObject({ text: 'thank you', mine: false })
      const { lines: marked } = await alice.client.call('chat.lines', { chat: 'name:bob', limit: 500 })
      expect(new Set(marked.filter(({ mine }) => mine).map(({ state }) => state))).toEqual(new Set(['read']))
      // Alice has read Bob's line and writes. Her line would take the mark along.
      asking.write('not at all')
      expect((await reading.next()).text).toBe('not at all')
      const { lines: unmarked } = await bob.client.call('chat.lines', { chat: 'name:alice', limit: 500 })
      const [thanks] = unmarked.filter(({ mine }) => mine)
      expect(thanks).toMatchObject({ text: 'thank you', state: expect.stringMatching(/^(sent|there)$/) })
    },
    TIMEOUT_MS,
  )
})

describe.skipIf(absence !== '')(`on a terminal${absence}`, () => {
  test(
    `a half-typed line survives ${COMING} lines that come, and leaves whole`,
    async () => {
      const [alice, bob] = await overFolder()
      await meetInChat(alice, bob)
      const terminal = chatTerminal(bob, 80, 'Alice')
      await terminal.shows(/^Alice>$/m)
      // Longer than a row of 80 columns.
      const half = `I have begun to type ${'m'.repeat(60)} and`
      terminal.put(half)
      await terminal.shows('and')
      await homeOf(alice).done(['chat', 'Bob'], { stdin: numberedLines('coming', COMING).join('\n') })
      await terminal.shows(`Alice: coming ${COMING}`)
      const shown = terminal.screen().trimEnd().split('\n')
      expect(shown.slice(-2).join('')).toBe(`Alice> ${half}`)
      const above = shown.slice(0, -2).map((row) => row.replace(/^\d\d:\d\d /, ''))
      expect(above).toEqual(numberedLines('Alice: coming', COMING).slice(-above.length))

      terminal.type(' end it here')
      await terminal.shows(/Alice \[(there|on its way)\]>$/m)
      expect(terminal.screen().replaceAll(/\n {4}/g, ' ')).toContain(`you: ${half} end it here`)
      const reading = new ChatScript(alice, 'Bob', '--lines', '0')
      expect((await reading.next()).text).toBe(`${half} end it here`)
      await terminal.shows(/^Alice \[read\]>$/m)
      terminal.type('/history 1')
      await terminal.shows(/end it here\s+\[read\]/)
      terminal.type('/to alice')
      await terminal.shows(/^chat with Alice$/m)
      terminal.type('/quit')
      await terminal.ended()
    },
    TIMEOUT_MS,
  )

  test.skipIf(!isAsked)(
    'keygen, add-friend, start and respond are typed as in the demo, and the chat key is of no use to anybody else',
    async () => {
      const folders = [tempDir()]
      const [alice, bob] = await twoSides({ folders })
      const eve = await new Side({ folders }).start()
      const keyOf = async (side: Side): Promise<string> =>
        ((await homeOf(side).json(['chat', 'keygen'])) as { key: string }).key
      const [ofAlice, ofBob, ofEve] = [await keyOf(alice), await keyOf(bob), await keyOf(eve)]
      expect(await homeOf(alice).failure(['chat', 'keygen'])).toBe('1 PAIR_KEY_EXISTS')
      expect(await homeOf(alice).failure(['chat', 'start', 'MyFriend'])).toBe('1 FRIEND_UNKNOWN')
      await homeOf(alice).done(['chat', 'add-friend', 'MyFriend', ofBob.toLowerCase()])
      await homeOf(bob).done(['chat', 'add-friend', 'CoolBuddy', ofAlice])
      await homeOf(eve).done(['chat', 'add-friend', 'Alice', ofAlice])
      expect(ofEve).not.toBe(ofBob)

      const starting = chatTerminal(alice, 300, 'start', 'MyFriend')
      await starting.shows(/^MyFriend>$/m)
      const [chatKey] = /persona-chat:\S+/.exec(starting.screen())!
      starting.type('are you there?')
      await starting.shows('(your lines wait here: no channel to them is open)')
      await homeOf(eve).done(['chat', 'respond', 'Alice', chatKey])
      const responding = chatTerminal(bob, 300, 'respond', 'CoolBuddy', chatKey)
      await responding.shows('CoolBuddy: are you there?')
      responding.type('yes')
      await starting.shows('MyFriend: yes')
      const { channels } = await eve.client.call('channel.list', {})
      expect(channels.map(({ state }) => state)).toEqual(['waiting'])
    },
    TIMEOUT_MS,
  )

  test(
    'controls, bidi and 64 KiB lines of the other side harm neither the screen nor what is typed',
    async () => {
      const [alice, bob] = await overFolder()
      await meetInChat(alice, bob)
      const { channels } = await alice.client.call('channel.list', { app: 'persona-chat' })
      const { id } = channels[0]!
      const evil = '\u001b[2J\u001b]0;title\u0007 \u202Ereversed\u2066 \r\u001b[31mred\nsecond'
      const line = (name: string, text: string): string => JSON.stringify({ chat: 1, line: name, sent: 1, text })
      const terminal = chatTerminal(bob, 160, 'Alice')
      await terminal.shows(/^Alice>$/m)
      terminal.put('half')
      for (const text of [
        line('a', evil),
        line('b', 'x'.repeat(65_536)),
        line('c', 'x'.repeat(65_537)),
        '\u001b[2J',
        line('z', 'last'),
      ])
        await alice.client.call('channel.send', { id, text })
      await terminal.shows('Alice: last')
      const screen = terminal.screen().replaceAll(/\n {4}/g, ' ')
      expect(screen).toContain('\\u{1B}[2J\\u{1B}]0;title\\u{7} \\u{202E}reversed\\u{2066} \\u{D}\\u{1B}[31mred')
      expect(screen).toContain('(65536 characters in all; --json has them)')
      expect(screen.match(/bytes that are no line\)/g)).toHaveLength(2)
      expect(screen.trimEnd().split('\n').at(-1)).toBe('Alice> half')
      const json = await homeOf(bob).done(['chat', 'Alice', '--json'], { stdin: '' })
      expect(json).not.toMatch(/[\u0000-\u0009\u000B-\u001F\u007F-\u009F\u202A-\u202E\u2066-\u2069]/)
    },
    TIMEOUT_MS,
  )
})

test.skipIf(!isAsked)(
  'two people with two devices each: a line that is typed on one device is on all four, once each',
  async () => {
    const relay = await inboxRelay()
    const [alice, bob] = await Promise.all([Correspondent.start(relay), Correspondent.start(relay)])
    for (const [one, other, name] of [
      [alice, bob, 'Bob'],
      [bob, alice, 'Alice'],
    ] as const) {
      const { link } = await other.client.call('link.get', {})
      await one.client.call('contact.add', { link, name })
    }
    const devices = { alice, phone: await joined(alice, relay), bob, tablet: await joined(bob, relay) }
    const open = (device: Correspondent, name: string): ChatScript => new ChatScript(device, name)
    for (const device of Object.values(devices)) await device.client.call('message.open', { app: 'persona-chat' })
    // A sender looks for new devices of their own once a minute, and after each start.
    for (const device of Object.values(devices)) {
      await device.stop()
      await device.start()
    }
    const [laptop, phone] = [open(alice, 'Bob'), open(devices.phone, 'Bob')]
    const ofBob = [open(bob, 'Alice'), open(devices.tablet, 'Alice')]
    phone.write('dinner at eight?')
    for (const script of [phone, laptop, ...ofBob]) expect((await script.next()).text).toBe('dinner at eight?')
    ofBob[1]!.write('at nine')
    for (const script of [phone, laptop, ...ofBob]) expect((await script.next()).text).toBe('at nine')
    for (const device of Object.values(devices)) {
      const { chats } = await device.client.call('chat.list', {})
      expect(chats.map(({ lines }) => lines)).toEqual([2])
    }
  },
  TIMEOUT_MS,
)
