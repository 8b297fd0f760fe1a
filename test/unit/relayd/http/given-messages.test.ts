/** Streams that give messages themselves, over the boxes of a real relay. */
import { setImmediate } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { TestOwner, testRelay, type TestRelay } from '../../../support/relay-boxes.ts'
import { TestBoxes } from '../../../support/test-boxes.ts'
import { postText, RawConnection, serveBoxes, type TestServer } from '../../../support/relay-http.ts'

const alice = await TestOwner.of('alice')
const bob = await TestOwner.of('bob')
const RATE = { burst: 10_000, perSec: 1000 }

interface Event {
  readonly pub: string
  readonly after?: number
  readonly at?: number
  readonly data?: string
  readonly question?: string
}

async function world(): Promise<{ relay: TestRelay; served: TestServer }> {
  const relay = testRelay({ limits: { address: RATE, boxSends: RATE } })
  return { relay, served: await serveBoxes({ boxes: relay.boxes }) }
}

class Reader {
  readonly connection: RawConnection
  readonly name: string
  readonly #served: TestServer

  private constructor(connection: RawConnection, served: TestServer) {
    this.connection = connection
    this.#served = served
    this.name = /^id: (.+)$/m.exec(connection.text)![1]!
  }

  static async open(served: TestServer, ...owners: readonly TestOwner[]): Promise<Reader> {
    const connection = await RawConnection.open(served.port)
    const boxes = owners.map(({ pub }) => ({ pub, at: 0 }))
    connection.socket.write(postText('/wait', JSON.stringify({ boxes })))
    await connection.received('\n\nid: ')
    return new Reader(connection, served)
  }

  get events(): Event[] {
    return [...this.connection.text.matchAll(/^data: (.*)$/gm)].map(([, json]) => JSON.parse(json!) as Event)
  }

  /** Receives over HTTP, and names the stream beside the answer. */
  async nameStream(answer: string, owner = alice, stream = this.name): Promise<unknown> {
    const body = { ...owner.receiveBody(answer, 0, 128), stream }
    return await (await fetch(this.#served.url, { method: 'POST', body: JSON.stringify(body) })).json()
  }
}

test('a stream that an owner names beside a right answer gives the messages after those of the answer, in order', async () => {
  const { relay, served } = await world()
  const reader = await Reader.open(served, alice)
  await relay.ask(alice.send('AAAA'))
  const received = (await reader.nameStream(await alice.answer(relay))) as { readonly at: number }
  await relay.ask(alice.send('BBBB'))
  relay.pass(1)
  await relay.ask(alice.send('CCCC'))
  await reader.connection.received('CCCC')
  const given = reader.events.filter(({ data }) => data !== undefined)
  expect(given.map(({ data }) => data)).toEqual(['BBBB', 'CCCC'])
  expect(given.map(({ after }) => after)).toEqual([received.at, given[0]!.at])
})

test('a message that comes while the stream is named is given, or was in the answer', async () => {
  const { relay, served } = await world()
  const reader = await Reader.open(served, alice)
  const naming = reader.nameStream(await alice.answer(relay))
  await relay.ask(alice.send('AAAA'))
  if (!JSON.stringify(await naming).includes('AAAA')) await reader.connection.received('"data":"AAAA"')
})

test('a message is given while it goes to the disk, and only once, where its reader has all before it', async () => {
  const boxes = new TestBoxes()
  boxes.reply = () => ({ ok: true, at: 0, data: null })
  const served = await serveBoxes({ boxes })
  const reader = await Reader.open(served, alice)
  // Nobody has proven the key yet.
  boxes.announce(alice.pub, { after: 0, at: 1, data: 'AAAA' })
  await reader.nameStream('any')
  boxes.messages = [
    { at: 2, data: 'BBBB' },
    { at: 3, data: 'CCCC' },
    { at: 4, data: 'DDDD' },
  ]
  boxes.announce(alice.pub, { after: 0, at: 2, data: 'BBBB' })
  await reader.connection.received('BBBB')
  boxes.announce(alice.pub, { after: 3, at: 4, data: 'DDDD' })
  boxes.announce(alice.pub, { after: 1, at: 2, data: 'BBBB' })
  boxes.deliver(alice.pub)
  await reader.connection.received('DDDD')
  expect(reader.events.map(({ after, at, data }) => [after, at, data])).toEqual([
    [0, 2, 'BBBB'],
    [2, 3, 'CCCC'],
    [3, 4, 'DDDD'],
  ])
})

test('only a box whose owner has answered is given, and the others tell of their messages', async () => {
  const { relay, served } = await world()
  const reader = await Reader.open(served, alice, bob)
  await reader.nameStream(await alice.answer(relay))
  await relay.ask(bob.send('BBBB'))
  await reader.connection.received('question')
  await relay.ask(alice.send('AAAA'))
  await reader.connection.received('AAAA')
  expect(reader.events.map(({ pub, data }) => [pub, data])).toEqual([
    [bob.pub, undefined],
    [alice.pub, 'AAAA'],
  ])
})

test('a wrong answer, another name and a box that the stream does not wait for give nothing', async () => {
  const { relay, served } = await world()
  const [reader, other] = [await Reader.open(served, alice), await Reader.open(served, bob)]
  expect(other.name).not.toBe(reader.name)
  expect(await reader.nameStream('wrong')).toEqual({ ok: false, error: 'Wrong answer' })
  expect(await reader.nameStream(await alice.answer(relay), alice, other.name)).toMatchObject({ ok: true })
  expect(await reader.nameStream(await alice.answer(relay), alice, 'nobody has it')).toMatchObject({ ok: true })
  await relay.ask(alice.send('AAAA'))
  await reader.connection.received('question')
  expect(reader.events.concat(other.events).map(({ data }) => data)).toEqual([undefined])
})

test('a stream reads no more than its reader takes, and gives all of it in the end', async () => {
  const boxes = new TestBoxes()
  boxes.reply = () => ({ ok: true, at: 0, data: null })
  const served = await serveBoxes({ boxes })
  const reader = await Reader.open(served, alice)
  reader.connection.socket.pause()
  // Many times what the system holds for a reader that takes nothing.
  const [count, data] = [40, 'A'.repeat(1 << 20)]
  boxes.messages = Array.from({ length: count }, (_, n) => ({ at: n + 1, data }))
  await reader.nameStream('any')
  // It stops by itself: the relay waits until its reader has taken something.
  for (let before = -1; before < boxes.lastReadAt;) {
    before = boxes.lastReadAt
    for (let turn = 0; turn < 200; turn++) await setImmediate()
  }
  const { socket } = reader.connection
  expect([boxes.lastReadAt < count, served.server.streams.size]).toEqual([true, 1])
  let [bytes, end] = [0, '']
  const all = new Promise<void>((resolve) =>
    socket.removeAllListeners('data').on('data', (chunk: Buffer) => {
      bytes += chunk.length
      end = `${end}${chunk.toString('latin1')}`.slice(-100)
      if (end.includes('A"}') && bytes > count * data.length) resolve()
    }),
  )
  socket.resume()
  await all
})
