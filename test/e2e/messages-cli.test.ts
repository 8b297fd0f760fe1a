/** `persona message` at real daemons: what people type and read while their messages go by a real relay. */
import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { Correspondent, inboxRelay, type InboxRelay } from '../support/message-sides.ts'
import { Home } from '../support/persona.ts'

const TIMEOUT_MS = 90_000 // sanity: some seconds on an idle machine
const APP = 'chat'
const LARGE_BYTES = (192 << 10) + 1 // the first size that takes two pieces

interface Person {
  readonly side: Correspondent
  readonly home: Home
}

async function somebody(...relays: readonly InboxRelay[]): Promise<Person> {
  const side = await Correspondent.start(...relays)
  return { side, home: new Home(side.home) }
}

async function knows(one: Person, other: Person, name: string): Promise<void> {
  const { link } = await other.side.client.call('link.get', {})
  await one.side.client.call('contact.add', { link, name })
}

test(
  'a text and a large file reach a contact by their name, who reads them until they are acknowledged',
  async () => {
    const relay = await inboxRelay()
    const [alice, bob] = await Promise.all([somebody(relay), somebody(relay)])
    await knows(alice, bob, 'Bob')
    await knows(bob, alice, 'Alice')
    expect(await bob.home.done(['message', 'list'])).toContain('persona message open')
    expect(await bob.home.done(['message', 'open'])).toMatch(
      /^your contacts can send you messages for chat, to \S+\nto see whether the relay keeps your inbox: persona .*status\n$/,
    )

    const sent = await alice.home.done(['message', 'send', 'bob', '--wait'], { stdin: 'dinner\nat \u001b[31meight?\n' })
    expect(sent).toMatch(/^message 1: Bob …\S{8} has it, on 1 device\n$/)
    const read = await bob.home.done(['message', 'read'])
    expect(read).toMatch(/^#1 Alice …\S{8}, [^\n]*\n {2}dinner\n {2}at \\u\{1B\}\[31meight\?\n$/)
    expect(await bob.home.done(['status'])).toContain('messages:      1 not read yet')

    const bytes = randomBytes(LARGE_BYTES)
    const path = join(alice.home.directory, 'photo')
    writeFileSync(path, bytes)
    expect(await alice.home.json(['message', 'send', 'Bob', path, '--wait'])).toMatchObject({
      number: 2,
      state: 'received',
      bytes: LARGE_BYTES,
    })
    expect(await bob.home.done(['message', 'read'])).toContain(`(${LARGE_BYTES} bytes that are no text`)
    const lines = (await bob.home.done(['message', 'read', '--ack', '--json'])).trimEnd().split('\n')
    const contents = lines.map((line) => (JSON.parse(line) as { content: string }).content)
    expect(contents[1] === bytes.toString('base64')).toBe(true)
    expect((await bob.home.run(['message', 'read'])).stderr).toBe('no new message for chat\n')
    expect(await bob.home.json(['message', 'list'])).toMatchObject({ apps: [{ app: APP, unread: 0 }] })
    expect(await bob.home.json(['status'])).toMatchObject({ messages: { unread: 0 } })
    expect(await alice.home.done(['message', 'sent'])).toMatch(
      /#1 +Bob …\S{8} .* received\n#2 +Bob …\S{8} .* received\n$/,
    )
  },
  TIMEOUT_MS,
)

test(
  'somebody who is no contact waits in `pending` until the owner answers, and nothing of theirs is fetched before',
  async () => {
    const relay = await inboxRelay()
    const [bob, carol] = await Promise.all([somebody(relay), somebody(relay)])
    await knows(carol, bob, 'Bob')
    await bob.side.use(APP)
    await carol.home.done(['message', 'send', 'Bob'], { stdin: 'hello' })
    await bob.side.untilMessages(async (client) => (await client.call('message.list', {})).requests.length > 0)
    const pending = await bob.home.done(['pending'])
    const [command] = /persona message accept \S+ --app chat/.exec(pending)!
    expect(pending).toContain(`persona ${carol.side.persona} is no contact`)
    expect(await bob.home.done(['status'])).toContain('1 person who is no contact sends you messages.')
    expect((await bob.home.run(['message', 'read'])).stdout).toBe('')

    await bob.home.done(command.split(' ').slice(1))
    expect(await bob.side.texts(APP, 1)).toEqual(['hello'])
    expect(await bob.home.done(['message', 'read'])).toContain('#1 somebody …')
    expect(await bob.home.json(['status'])).toMatchObject({ messages: { requests: 0 } })
    expect(await bob.home.done(['pending'])).toBe('nothing needs your decision\n')
    expect(await bob.home.failure(['message', 'accept', '…00000000'])).toBe('1 MESSAGE_NO_REQUEST')
  },
  TIMEOUT_MS,
)

test(
  'what cannot be sent is refused at once, with the next step',
  async () => {
    const relay = await inboxRelay()
    const [alice, bob] = await Promise.all([somebody(), somebody(relay)])
    await knows(alice, bob, 'Bob')
    const refusal = async (args: readonly string[], stdin = 'x'): Promise<string> =>
      (await alice.home.run(['message', ...args], { stdin })).stderr
    expect(await refusal(['open'])).toMatch(/\(MESSAGE_NO_STORE\)\n.*persona relay add URL/)
    expect(await refusal(['send', 'Bob'])).toMatch(/\(MESSAGE_NO_STORE\)\n.*persona relay add URL/)
    expect(await refusal(['send', 'Bob'], '')).toContain('there is nothing to send')
    expect(await refusal(['send', 'Bob', '/dev/null'], '')).toContain('/dev/null is empty')
    expect(await refusal(['send', 'Nobody'])).toContain('(NOT_FOUND)')
    expect(await refusal(['send', 'Bob', '--app', 'no name'])).toContain(
      'the name of the app must be the name of an app',
    )
    await alice.side.client.call('relay.add', { url: relay.relay.url, token: relay.token })
    expect(await refusal(['send', 'Bob'])).toMatch(/\(MESSAGE_NO_CARD\)\n.*persona message open, on their side/)
    expect((await alice.home.run(['message', 'sent'])).stdout).toBe('nothing was sent in the last month\n')
  },
  TIMEOUT_MS,
)
