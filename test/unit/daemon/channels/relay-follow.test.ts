/** The relay carrier over HTTP at a relay whose streams give the messages themselves. */
import { setImmediate } from 'node:timers/promises'
import { expect, it, onTestFinished } from 'vitest'
import type { Watched } from '../../../../src/channel/carriers/carrier.ts'
import { RelayCarrier } from '../../../../src/channel/carriers/relay-carrier.ts'
import { frame, realClock, relayServer, TestEnd, type TestRelayServer } from '../../../support/carrier-places.ts'

interface World {
  readonly server: TestRelayServer
  readonly alice: TestEnd
  readonly bob: TestEnd
  /** The actions of the calls so far. */
  readonly calls: string[]
  /** Resolves at the next news of Bob's box. */
  readonly news: () => Promise<void>
}

async function world(): Promise<World> {
  const server = await relayServer()
  const { boxes, store } = server.relay
  const calls: string[] = []
  const answer = boxes.answer.bind(boxes)
  boxes.answer = async (body, caller) => {
    calls.push((body as { readonly action: string }).action)
    return await answer(body, caller)
  }
  const place = {
    at: server.at,
    start: () => {
      const client = server.client()
      return new RelayCarrier({ client: () => client, token: () => null, clock: realClock })
    },
    spoil: () => Promise.resolve(),
    takeAway: server.takeAway,
    count: async () => (await store.stats()).messages,
  }
  const [alice, bob] = [await TestEnd.at(place), await TestEnd.at(place)]
  let ring = (): void => {}
  const watched: Watched = { line: bob.lineTo(alice), own: bob.intake }
  const stop = new AbortController()
  onTestFinished(() => stop.abort())
  bob.carrier.watch(
    () => [watched],
    () => ring(),
    stop.signal,
  )
  return { server, alice, bob, calls, news: () => new Promise((resolve) => (ring = resolve)) }
}

/** Sends a first message, which Bob has to ask for. @returns the cursor after it */
async function follow({ alice, bob, news }: World): Promise<string> {
  let came = news()
  await alice.send(bob, frame(0))
  await came
  const { data, cursor } = await bob.readAll(alice)
  expect(data).toEqual([frame(0)])
  return cursor
}

it('a message after the first one is read without a call', async () => {
  const all = await world()
  const { alice, bob, calls, news } = all
  let cursor = await follow(all)
  calls.length = 0
  for (let n = 1; n <= 5; n++) {
    const came = news()
    await alice.send(bob, frame(n))
    await came
    const read = await bob.readAll(alice, cursor)
    expect(read.data).toEqual([frame(n)])
    cursor = read.cursor
  }
  expect(calls).toEqual(Array.from({ length: 5 }, () => 'send'))
})

it('the relay keeps what its reader has not named as processed, and deletes it then by one answer', async () => {
  const all = await world()
  const { alice, bob, calls, news, server } = all
  const first = await follow(all)
  const came = news()
  await alice.send(bob, frame(1))
  await came
  const { cursor } = await bob.readAll(alice, first)
  expect((await server.relay.store.stats()).messages).toBe(2)
  calls.length = 0
  for (let n = 0; n < 2; n++) await bob.carrier.processed(bob.lineTo(alice), bob.intake, cursor)
  expect(calls).toEqual(['check', 'receive'])
  expect((await server.relay.store.stats()).messages).toBe(0)
})

it('a reader that took nothing of a message gets it again', async () => {
  const all = await world()
  const { alice, bob, news } = all
  const first = await follow(all)
  const came = news()
  await alice.send(bob, frame(1))
  await came
  for (let n = 0; n < 2; n++) expect((await bob.receive(alice, first)).map(({ data }) => data)).toEqual([frame(1)])
  expect((await bob.readAll(alice)).data).toEqual([frame(0), frame(1)])
})

it('many messages at once are all read, in order, and the box is never full', async () => {
  const all = await world()
  const { alice, bob } = all
  let { cursor, read } = { cursor: await follow(all), read: 0 }
  for (let n = 1; n <= 300; n++) {
    await alice.send(bob, frame(n))
    if (n % 20 !== 0) continue
    const { data, cursor: last } = await bob.readAll(alice, cursor)
    for (const each of data) expect(each).toEqual(frame(++read))
    cursor = last
  }
  while (read < 300) {
    await setImmediate()
    const { data, cursor: last } = await bob.readAll(alice, cursor)
    for (const each of data) expect(each).toEqual(frame(++read))
    cursor = last
  }
})

it('after the stream broke, the relay is asked again', async () => {
  const all = await world()
  const { alice, bob, calls, server } = all
  const cursor = await follow(all)
  const comeBack = server.takeAway()
  // The break has come to the client once it asks.
  for (let isAsked = false; !isAsked; await setImmediate())
    isAsked = await bob.receive(alice, cursor).then(
      () => false,
      () => true,
    )
  comeBack()
  calls.length = 0
  await alice.send(bob, frame(1))
  bob.restart()
  expect((await bob.readAll(alice, cursor)).data).toEqual([frame(1)])
})
