import { expect, test } from 'vitest'
import type { Client } from '../../../../src/ipc/client.ts'
import type { DaemonEvent } from '../../../../src/ipc/methods/events.ts'
import { InnerDaemon } from '../../../support/inner-daemon.ts'
import { tempDir } from '../../../support/temp-dir.ts'

const APP = 'persona-chat'
const BOB = 'name:bob'
const WAIT = { timeout: 20_000, interval: 20 }

interface Side {
  readonly home: string
  readonly config: string
}

async function open({ home, config }: Side): Promise<[InnerDaemon, Client]> {
  const daemon = await InnerDaemon.start(home, config)
  return [daemon, await daemon.connect()]
}

function sides(): [Side, Side] {
  const config = `net: { folders: ['${tempDir()}'] }\n`
  return [
    { home: tempDir(), config },
    { home: tempDir(), config },
  ]
}

async function send(client: Client, id: string): Promise<string | null> {
  return (await client.call('chat.send', { chat: BOB, id, text: `text of ${id}`, sentSec: 5 })).waits
}

async function states(client: Client): Promise<string[]> {
  const { lines } = await client.call('chat.lines', { chat: BOB })
  return lines.map(({ id, state }) => `${id} ${state}`)
}

/** The ids of the lines that have come, in their order. */
async function came(client: Client): Promise<string[]> {
  const { lines } = await client.call('chat.lines', { chat: 'name:alice' })
  return lines.map(({ id }) => id)
}

/** Alice invites Bob, whose channel opens. */
async function meet(alice: Client, bob: Client): Promise<string> {
  const { invite } = await alice.call('channel.invite', { app: APP, name: 'Bob' })
  await bob.call('channel.accept', { app: APP, name: 'Alice', invite })
  return await openChannel(alice)
}

async function openChannel(client: Client): Promise<string> {
  const opened = async (): Promise<string | undefined> =>
    (await client.call('channel.list', { app: APP })).channels.find(({ state }) => state === 'open')?.id
  await expect.poll(opened, WAIT).toBeDefined()
  return (await opened())!
}

test('lines that were written before a channel is open leave in their order once it is, also after a restart, and no client asks for it', async () => {
  const [ofAlice, ofBob] = sides()
  const [first, writing] = await open(ofAlice)
  const { invite } = await writing.call('channel.invite', { app: APP, name: 'Bob' })
  for (const id of ['a', 'b']) expect(await send(writing, id)).toBe('no channel to them is open')
  expect(await states(writing)).toEqual(['a kept', 'b kept'])
  await first.stop()

  const [, alice] = await open(ofAlice)
  const [, bob] = await open(ofBob)
  const told: DaemonEvent[] = []
  await alice.subscribe(['chat.sent'], (event) => void told.push(event as DaemonEvent))
  await bob.call('channel.accept', { app: APP, name: 'Alice', invite })
  await expect.poll(async () => await came(bob).catch(() => []), WAIT).toEqual(['a', 'b'])
  await expect.poll(async () => await states(alice), WAIT).toEqual(['a sent', 'b sent'])
  await expect.poll(() => told.map(({ data }) => data), WAIT).toEqual([{ chat: BOB, lines: 2 }])
  expect((await alice.call('chat.list', {})).chats).toMatchObject([{ chat: BOB, unsent: 0 }])
  expect(await send(alice, 'c')).toBe(null)
  await expect.poll(async () => await came(bob), WAIT).toEqual(['a', 'b', 'c'])
})

test('a line that a channel took just before a crash goes once', async () => {
  const [ofAlice, ofBob] = sides()
  const [first, before] = await open(ofAlice)
  const [, bob] = await open(ofBob)
  const id = await meet(before, bob)
  const content = Buffer.from('{"chat":1,"line":"a","sent":5,"text":"text of a"}').toString('base64')
  await before.call('chat.keep', { chat: BOB, id: 'a', mine: true, text: 'text of a', sentSec: 5, state: 'kept' })
  await before.call('channel.send', { id, content, key: 'a' })
  await first.stop()

  const [, alice] = await open(ofAlice)
  await expect.poll(async () => await states(alice), WAIT).toEqual(['a sent'])
  expect(await send(alice, 'b')).toBe(null)
  await expect.poll(async () => await came(bob), WAIT).toEqual(['a', 'b'])
})
