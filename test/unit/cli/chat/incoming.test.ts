/** Contents of a hostile peer between two daemons in this process: the daemon takes some, and `persona chat` the others. */
import { expect, test } from 'vitest'
import { takeIncoming } from '../../../../src/cli/chat/incoming.ts'
import type { Client } from '../../../../src/ipc/client.ts'
import { InnerDaemon } from '../../../support/inner-daemon.ts'
import { tempDir } from '../../../support/temp-dir.ts'

const APP = 'persona-chat'
const WAIT = { timeout: 20_000, interval: 20 }

interface Story {
  readonly bob: Client
  /** Mallory sends contents, and Bob takes them. */
  readonly takes: (...contents: readonly unknown[]) => Promise<void>
  /** The lines that Bob keeps. */
  readonly kept: () => Promise<string[]>
}

async function begin(): Promise<Story> {
  const config = `net: { folders: ['${tempDir()}'] }\n`
  const start = async (): Promise<Client> => await (await InnerDaemon.start(tempDir(), config)).connect()
  const [mallory, bob] = [await start(), await start()]
  const { invite } = await mallory.call('channel.invite', { app: APP, name: 'Bob' })
  await bob.call('channel.accept', { app: APP, name: 'Mallory', invite })
  const channelOf = async (client: Client): Promise<string | undefined> =>
    (await client.call('channel.list', { app: APP })).channels.find(({ state }) => state === 'open')?.id
  await expect.poll(async () => await channelOf(mallory), WAIT).toBeDefined()
  const id = (await channelOf(mallory))!
  const lines = async () => (await bob.call('chat.lines', { chat: 'name:mallory' })).lines
  return {
    bob,
    takes: async (...contents) => {
      for (const content of contents)
        await mallory.call('channel.send', {
          id,
          text: typeof content === 'string' ? content : JSON.stringify(content),
        })
      const count = async (client: Client, of: 'unread' | 'waiting'): Promise<number> =>
        (await client.call('channel.list', { app: APP })).channels.reduce((sum, channel) => sum + channel[of], 0)
      await expect.poll(async () => await count(mallory, 'waiting'), WAIT).toBe(0)
      await takeIncoming(bob, null)
      expect(await count(bob, 'unread')).toBe(0)
    },
    kept: async () => (await lines()).map(({ id: line, text, state }) => `${line.slice(0, 8)} ${text} ${state}`),
  }
}

const line = (id: string, text = `text of ${id}`): object => ({ chat: 1, line: id, sent: 5, text })

test('a line that comes again is kept once, with its first text, and does not hold up what comes after it', async () => {
  const { takes, kept } = await begin()
  await takes(line('a'), line('a', 'another'), line('b'))
  await takes(line('a'))
  expect(await kept()).toEqual(['a text of a there', 'b text of b there'])
})

test('a content that is no line is kept as a sentence with its length, and nothing of it is shown', async () => {
  const { takes, kept } = await begin()
  await takes('secret', { chat: 2, text: 'secret' }, line('a'))
  expect((await kept()).map((each) => each.replace(/^\S+ /, ''))).toEqual([
    '(6 bytes that are no line) there',
    '(26 bytes that are no line) there',
    'text of a there',
  ])
})

test('a mark of a line that nobody knows changes nothing, and does not hold up what comes after it', async () => {
  const { takes, kept } = await begin()
  await takes({ chat: 1, read: 'nobody' }, { ...line('a'), read: 'nobody' }, line('b'))
  expect(await kept()).toEqual(['a text of a there', 'b text of b there'])
})

test('a peer cannot mark own lines as read, so that they would not be told as new', async () => {
  const { bob, takes, kept } = await begin()
  await bob.call('chat.send', { chat: 'name:mallory', id: 'mine', text: 'of bob', sentSec: 5 })
  await takes(line('a'), line('b'), { chat: 1, read: 'b' })
  expect(await kept()).toEqual(['mine of bob sent', 'a text of a there', 'b text of b there'])
  await takes({ chat: 1, read: 'mine' })
  expect(await kept()).toEqual(['mine of bob read', 'a text of a there', 'b text of b there'])
})
