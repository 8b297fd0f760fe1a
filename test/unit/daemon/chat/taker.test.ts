/** Lines of a chat that come by a channel, at a daemon without a client. */
import { expect, test } from 'vitest'
import { encodeContent } from '../../../../src/core/encoding/chat-content.ts'
import { ChatHistory, MAX_TAKEN } from '../../../../src/daemon/chat/history.ts'
import { chatTaker } from '../../../../src/daemon/chat/taker.ts'
import { ChannelDaemon, openChannel, settle } from '../../../support/channel-daemon.ts'
import { MemoryPost } from '../../../support/memory-carrier.ts'

const APP = 'chat'
const ALICE = 'name:alice'
const LONG = 20_000 // characters: more than a frame holds

/** Alice writes by hand, and the daemon of Bob takes what comes. */
class Story {
  readonly #post: MemoryPost
  readonly alice: ChannelDaemon
  readonly bob: ChannelDaemon
  readonly #aliceId: string
  readonly #bobId: string
  readonly history: ChatHistory

  private constructor(post: MemoryPost, alice: ChannelDaemon, bob: ChannelDaemon, ids: readonly [string, string]) {
    this.#post = post
    this.alice = alice
    this.bob = bob
    ;[this.#aliceId, this.#bobId] = ids
    this.history = new ChatHistory(bob.test.keeper, bob.sealed.records)
    bob.takers.set(APP, chatTaker(this.history))
  }

  static async begin(): Promise<Story> {
    const post = new MemoryPost()
    const opened = await openChannel(post, await ChannelDaemon.open(post), await ChannelDaemon.open(post))
    return new Story(post, opened.host, opened.guest, [opened.hostId, opened.guestId])
  }

  async send(...contents: readonly (string | Uint8Array)[]): Promise<void> {
    await Promise.all(
      contents.map(async (content) => {
        const base64 = Buffer.from(content).toString('base64')
        return await this.alice.call('channel.send', { id: this.#aliceId, content: base64 })
      }),
    )
    await settle(this.#post, this.alice, this.bob)
  }

  /** Own lines of Bob. */
  async write(...ids: readonly string[]): Promise<void> {
    for (const id of ids) await this.#keep(id, true)
  }

  /** Lines of Alice that nobody has read. */
  async fill(count: number): Promise<void> {
    for (let n = 0; n < count; n++) await this.#keep(`unread-${n}`, false)
  }

  get lines(): string[] {
    return this.history.lines({ chat: ALICE, limit: 500 }).lines.map(({ id, state }) => `${id} ${state}`)
  }

  async unread(): Promise<number> {
    return (await this.bob.call('channel.show', { id: this.#bobId })).unread
  }

  async acknowledge(upTo: number): Promise<void> {
    await this.bob.call('channel.ack', { id: this.#bobId, upTo })
  }

  async #keep(id: string, mine: boolean): Promise<void> {
    await this.history.keep({ chat: ALICE, id, mine, text: id, sentSec: 1, state: mine ? 'sent' : 'there' })
  }
}

function line(id: string, read: string | null = null, text = `text of ${id}`): Uint8Array {
  return encodeContent({ line: { id, text, sentSec: 5 }, read })
}

function mark(read: string): Uint8Array {
  return encodeContent({ line: null, read })
}

test('a line is kept with the commit that brings it, and nothing of it waits in the channel', async () => {
  const story = await Story.begin()
  const { store } = story.bob.test
  const before = store.commits.length
  await story.send(line('a'))
  expect(store.commits.length - before).toBe(1)
  expect(story.lines).toEqual(['a there'])
  expect(story.bob.test.events.filter(({ event }) => event === 'channel.content')).toHaveLength(1)
  expect(await story.unread()).toBe(0)
  await story.send(line('b'), line('c'), line('a'))
  expect(story.lines).toEqual(['a there', 'b there', 'c there'])
  expect(await story.unread()).toBe(0)
})

test('what is no line waits for a client, and so do the lines after it until the client has dealt with it', async () => {
  const story = await Story.begin()
  await story.send(line('a'), 'no line', line('b'))
  expect(story.lines).toEqual(['a there'])
  expect(await story.unread()).toBe(2)
  await story.acknowledge(3)
  await story.send(line('c'))
  expect(story.lines).toEqual(['a there', 'c there'])
  expect(await story.unread()).toBe(0)
})

test('a line that came in several frames waits for a client', async () => {
  const story = await Story.begin()
  await story.send(line('a', null, 'x'.repeat(LONG)))
  expect(story.lines).toEqual([])
  expect(await story.unread()).toBe(1)
})

test('a mark tells of own lines up to it, alone or with a line, and of no other', async () => {
  const story = await Story.begin()
  await story.write('one', 'two')
  await story.send(line('a'))
  await story.write('three')
  await story.send(mark('one'), mark('unknown'), mark('a'))
  expect(story.lines).toEqual(['one read', 'two sent', 'a there', 'three sent'])
  await story.send(line('b', 'three'))
  expect(story.lines).toEqual(['one read', 'two read', 'a there', 'three read', 'b there'])
  expect(await story.unread()).toBe(0)
})

test(`lines wait in their channel while ${MAX_TAKEN} of the chat wait to be read`, async () => {
  const story = await Story.begin()
  await story.fill(MAX_TAKEN - 1)
  await story.send(line('a'))
  expect(story.lines.at(-1)).toBe('a there')
  await story.send(line('b'))
  expect(story.lines.at(-1)).toBe('a there')
  expect(await story.unread()).toBe(1)
})
