import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { ChannelError } from '../../../../src/channel/exchange/errors.ts'
import { decodeContent } from '../../../../src/core/encoding/chat-content.ts'
import { ChatHistory } from '../../../../src/daemon/chat/history.ts'
import { SEALED_KINDS } from '../../../../src/daemon/chat/kinds.ts'
import { Sender } from '../../../../src/daemon/chat/sender.ts'
import { Sealed } from '../../../../src/daemon/sealed/sealed.ts'
import type { OwnerCalls } from '../../../../src/daemon/wing/owner-calls.ts'
import { HandClock } from '../../../support/hand-clock.ts'
import { TestKeeper } from '../../../support/keeper.ts'
import { silentLog } from '../../../support/silent-log.ts'

const BOB = 'name:bob'
const CHANNEL = { id: 'c', name: 'Bob', state: 'open', peer: { persona: null } }
const FULL = 'too much waits for the peer'
const DELIVERED = {
  event: 'channel.delivered',
  id: 0,
  atSec: 0,
  data: { id: 'c', app: 'persona-chat', upTo: 1 },
} as const

/** A chat over a channel that has room for so many contents. */
class Story {
  readonly clock = new HandClock()
  readonly #room: { count: number }
  readonly history: ChatHistory
  readonly sender: Sender
  /** Called before the channel takes a content. */
  onTake: () => void = () => {}
  /** The contents that the channel has taken, each as the line, its mark and the key. */
  readonly taken: string[] = []

  private constructor(history: ChatHistory, room: number) {
    this.#room = { count: room }
    this.history = history
    const call = async (method: string, params: object): Promise<unknown> => {
      if (method === 'channel.list') {
        // As a look at the disk.
        await setImmediate()
        return { channels: [CHANNEL], invites: [], next: null }
      }
      return await Promise.resolve(this.#take(params as { content: string; key: string }))
    }
    const owner: OwnerCalls = { call: call as OwnerCalls['call'] }
    this.sender = new Sender({ history, owner, clock: this.clock, log: silentLog })
  }

  static async begin(room: number): Promise<Story> {
    const { keeper, stateDir } = await TestKeeper.open()
    const paths = { apps: join(stateDir, 'apps') }
    const sealed = await Sealed.open({ keeper, paths, setting: null, log: silentLog, kinds: SEALED_KINDS })
    const story = new Story(new ChatHistory(keeper, sealed.records), room)
    onTestFinished(async () => await story.sender.close())
    return story
  }

  makeRoom(count: number): void {
    this.#room.count += count
  }

  async write(id: string, read?: string): Promise<string | null> {
    const line = { chat: BOB, id, text: id, sentSec: 5 }
    return (await this.sender.send(read === undefined ? line : { ...line, read })).waits
  }

  get states(): string[] {
    return this.history.lines({ chat: BOB }).lines.map(({ id, state }) => `${id} ${state}`)
  }

  #take({ content, key }: { content: string; key: string }): { number: number } {
    this.onTake()
    if (this.#room.count === 0) throw new ChannelError('OUTBOX_FULL', FULL)
    this.#room.count--
    const { line, read } = decodeContent(Buffer.from(content, 'base64'))!
    this.taken.push([line?.id, read, key].join(' '))
    return { number: this.taken.length }
  }
}

test('lines that a full channel refused leave in their order as it has room, and those after them wait for their turn', async () => {
  const story = await Story.begin(1)
  expect(await story.write('a')).toBe(null)
  for (const id of ['b', 'c', 'd']) expect(await story.write(id)).toBe(FULL)
  story.makeRoom(2)
  expect(await story.write('e')).toBe(FULL)
  story.sender.onEvent(DELIVERED)
  await expect.poll(() => story.states).toEqual(['a sent', 'b sent', 'c sent', 'd kept', 'e kept'])
  story.makeRoom(10)
  story.sender.onEvent(DELIVERED)
  await expect.poll(() => story.states).toEqual(['a sent', 'b sent', 'c sent', 'd sent', 'e sent'])
  expect(await story.write('f')).toBe(null)
  expect(story.taken.map((taken) => taken.split(' ')[0]).join('')).toBe('abcdef')
})

test('lines that wait are tried again once a minute, and nothing is while none waits', async () => {
  const story = await Story.begin(0)
  expect(story.clock.waits.length).toBe(0)
  expect(await story.write('a')).toBe(FULL)
  story.clock.turn(60_000)
  await expect.poll(() => story.clock.waits.length).toBe(1)
  expect(story.states).toEqual(['a kept'])
  story.makeRoom(1)
  story.clock.turn(60_000)
  await expect.poll(() => story.states).toEqual(['a sent'])
  expect(story.clock.waits.length).toBe(0)
})

test('a mark travels with a line that leaves, and alone', async () => {
  const story = await Story.begin(2)
  await story.write('a', 'theirs')
  expect(await story.sender.tell(BOB, 'later')).toBe(true)
  expect(await story.sender.tell(BOB, 'last')).toBe(false)
  expect(story.taken).toEqual(['a theirs a', ' later read-later'])
})

test('a line is kept in the turn of the event loop in which its channel takes it, so both are one commit', async () => {
  const story = await Story.begin(1)
  const keep = story.history.keep.bind(story.history)
  let isSameTurn = false
  story.history.keep = async (params) => {
    isSameTurn = true
    void setImmediate().then(() => (isSameTurn = false))
    return await keep(params)
  }
  const turns: boolean[] = []
  story.onTake = () => void turns.push(isSameTurn)
  await story.write('a')
  expect(turns).toEqual([true])
})
