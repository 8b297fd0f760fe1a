import { expect, test } from 'vitest'
import { RelayClient, type News } from '../../../src/relay/client.ts'
import type { RelayError } from '../../../src/relay/errors.ts'
import type { RelayFetch } from '../../../src/relay/means.ts'
import { readBox } from '../../../src/relay/read-box.ts'
import { parseRelayUrl } from '../../../src/relay/relay-url.ts'
import { sendRight } from '../../../src/relay/send-right.ts'
import { postToAll } from '../../../src/relay/several.ts'
import { BOX_ERRORS } from '../../../src/relay/wire.ts'
import { codeOf } from '../../support/code-of.ts'
import {
  ORIGIN,
  START_US,
  TestOwner,
  testRelay,
  type TestRelay,
  type TestRelayOptions,
} from '../../support/relay-boxes.ts'
import { RelayNetwork } from '../../support/relay-fetch.ts'

const alice = await TestOwner.of('alice')
const bob = await TestOwner.of('bob')
const { key } = alice.pair
const bytes = (n: number): Uint8Array => Uint8Array.of(0, n >> 8, n & 255)

function world(options: TestRelayOptions = {}): { relay: TestRelay; network: RelayNetwork; client: RelayClient } {
  const relay = testRelay(options)
  const network = new RelayNetwork(relay)
  return { relay, network, client: new RelayClient(parseRelayUrl(ORIGIN), network.means) }
}

async function errorOf(work: Promise<unknown>): Promise<RelayError> {
  return await work.then(
    () => Promise.reject(new Error('it did not fail')),
    (error: RelayError) => error,
  )
}

test('the standard fetch is one that a client takes', () => {
  const standard: RelayFetch = globalThis.fetch
  expect(standard).toBeTypeOf('function')
})

test('what one client posts another reads, message by message, and the relay then has none', async () => {
  const { client, relay } = world()
  for (let n = 0; n < 5; n++) await client.post(key, bytes(n))
  const read: number[] = []
  const cursor = await readBox(client, alice.pair, 0, ({ data }) => void read.push(data[2]!))
  expect(read).toEqual([0, 1, 2, 3, 4])
  expect(cursor).toBe(START_US + 4)
  expect(await client.receive(alice.pair, 0)).toEqual([])
  expect(await relay.store.stats()).toMatchObject({ messages: 0 })
})

test('a reader that fails at a message finds it again, and none of those before', async () => {
  const { client } = world()
  for (let n = 0; n < 3; n++) await client.post(key, bytes(n))
  let cursor = 0
  const failing = readBox(client, alice.pair, 0, ({ at, data }) => {
    if (data[2] === 1) throw new Error('the disk of the reader is full')
    cursor = at
  })
  await expect(failing).rejects.toThrow('the disk of the reader is full')
  const again: number[] = []
  await readBox(client, alice.pair, cursor, ({ data }) => void again.push(data[2]!))
  expect(again).toEqual([1, 2])
})

test('a check gives a question only where there is news, or where it is asked for', async () => {
  const { client } = world()
  expect(await client.check(key, 0)).toEqual({ found: false, question: null })
  expect(await client.check(key, 0, { ask: true })).toEqual({ found: false, question: expect.any(String) })
  await client.post(key, bytes(1))
  expect(await client.check(key, 0)).toEqual({ found: true, question: expect.any(String) })
})

test('a question that came with the news saves a call, and one that is too old is asked for again', async () => {
  const { client, network, relay } = world()
  await client.post(key, bytes(1))
  const { question } = await client.check(key, 0)
  network.asked.length = 0
  expect(await client.receive(alice.pair, 0, { question })).toHaveLength(1)
  expect(network.asked).toHaveLength(1)
  // Used: the relay refuses it.
  expect(await client.receive(alice.pair, 0, { question })).toHaveLength(1)
  expect(network.asked).toHaveLength(4)
  // Late by the own clock: it is not even sent.
  relay.pass(90)
  network.clock.turn(90_000)
  network.asked.length = 0
  expect(await client.receive(alice.pair, 0, { question })).toHaveLength(1)
  expect(network.asked).toHaveLength(2)
})

test('a retired box refuses, and only its owner can retire it', async () => {
  const { client } = world()
  expect(await codeOf(client.retire({ ...bob.pair, key }))).toBe('QUESTION_CLOSED')
  await client.retire(alice.pair)
  expect(await codeOf(client.post(key, bytes(1)))).toBe('RELAY_USED')
})

test('a right to send lets a message in where the relay asks for one', async () => {
  const { client } = world({ tokens: ['secret'] })
  expect(await codeOf(client.post(key, bytes(1)))).toBe('RELAY_BAD_EXT')
  await client.post(key, bytes(1), { ext: await sendRight('secret', key) })
})

test.each([
  ['a question of another relay', 'https://other.example', 'QUESTION_ORIGIN'],
  ['a question under another scheme', 'http://relay.example', 'QUESTION_ORIGIN'],
  ['its own question', ORIGIN, 'done'],
])('%s is answered only by its origin', async (_, origin, code) => {
  const { client } = world({ origin })
  expect(await codeOf(client.receive(alice.pair, 0))).toBe(code)
})

test('the address of the call decides, with its path, and not the words of the relay', async () => {
  const relay = testRelay()
  const network = new RelayNetwork(relay)
  const client = new RelayClient(parseRelayUrl(`${ORIGIN}/some/path`), network.means)
  await client.receive(alice.pair, 0)
  expect(network.asked.map(({ url }) => url)).toEqual([`${ORIGIN}/some/path/`, `${ORIGIN}/some/path/`])
})

test('the offset of clocks is learned from the relay and serves its questions', async () => {
  const { client, network, relay } = world()
  network.clock.turn(3_600_000)
  expect(await errorOf(client.receive(alice.pair, 0))).toMatchObject({
    code: 'QUESTION_TIME',
    hint: 'set the clock of this computer',
  })
  network.script = async ({ body }) => ({
    headers: { date: new Date(relay.nowUs / 1000).toUTCString() },
    body: await relay.ask(body),
  })
  expect(await client.receive(alice.pair, 0)).toEqual([])
})

test('each refusal has its code and says what to do', async () => {
  const { client, network } = world()
  const codes = new Set<string>()
  for (const error of BOX_ERRORS) {
    network.script = () => ({ body: { ok: false, error } })
    const thrown = await errorOf(client.post(key, bytes(1)))
    expect(thrown.code).toBe(`RELAY_${error.toUpperCase().replace(' ', '_')}`)
    expect(thrown.hint).not.toBeNull()
    codes.add(thrown.code)
  }
  expect(codes.size).toBe(BOX_ERRORS.length)
  network.script = () => ({ body: { ok: false, error: 'Too often', retryAfter: 7 } })
  expect(await errorOf(client.post(key, bytes(1)))).toMatchObject({ details: { retryAfterSec: 7 } })
})

test.each([
  ['nothing', { body: '' }],
  ['a page', { body: '<html>' }],
  ['other JSON', { body: { hello: 1 } }],
  ['a list', { body: [] }],
  ['an unknown error', { body: { ok: false, error: 'Teapot' } }],
  ['a missing page', { status: 404, body: 'Not found' }],
  ['a body that is not UTF-8', { stream: new Blob([Uint8Array.of(0x22, 0xff, 0x22)]).stream() }],
])('an answer that is %s is not one of a relay', async (_, scripted) => {
  const { client, network } = world()
  network.script = () => scripted
  expect(await codeOf(client.check(key, 0))).toBe('RELAY_STRANGE')
})

test('a gateway whose relay is down counts as unreachable, and so does a failed connection', async () => {
  const { client, network } = world()
  network.script = () => ({ status: 502, body: '<html>Bad gateway' })
  expect(await codeOf(client.check(key, 0))).toBe('RELAY_UNREACHABLE')
  const other = new RelayClient(parseRelayUrl('https://nobody.example'), network.means)
  network.script = () => null
  expect(await errorOf(other.check(key, 0))).toMatchObject({ code: 'RELAY_UNREACHABLE', cause: expect.any(TypeError) })
})

test.each([
  [
    'do not rise',
    [
      { at: 6, data: 'AAAA' },
      { at: 6, data: 'AAAA' },
    ],
  ],
  ['begin at the cursor', [{ at: 5, data: 'AAAA' }]],
  ['are no integers', [{ at: 6.5, data: 'AAAA' }]],
  ['are above 2^53', [{ at: 2 ** 53, data: 'AAAA' }]],
  ['have data that is not base64url', [{ at: 6, data: 'A' }]],
  ['have no data', [{ at: 6 }]],
  ['are no messages', ['text']],
])('messages that %s are not taken from a relay', async (_, messages) => {
  const { client, network, relay } = world()
  network.script = async ({ body }) =>
    (body as { action: string }).action === 'receive'
      ? { body: { ok: true, at: 6, data: 'AAAA', messages } }
      : { body: await relay.ask(body) }
  expect(await codeOf(client.receive(alice.pair, 5))).toBe('RELAY_STRANGE')
})

test('a relay of the text alone, which knows no lists, is read as well', async () => {
  const { client, network, relay } = world()
  network.script = async ({ body }) => {
    const answer: Record<string, unknown> = { ...(await relay.ask(body)) }
    delete answer['messages']
    return { body: answer }
  }
  await client.post(key, bytes(1))
  await client.post(key, bytes(2))
  const read: number[] = []
  await readBox(client, alice.pair, 0, ({ data }) => void read.push(data[2]!))
  expect(read).toEqual([1, 2])
})

test('a body without an end is cut off', async () => {
  const { client, network } = world()
  let sent = 0
  const stream = new ReadableStream<Uint8Array>({
    pull: (controller) => {
      sent += 1 << 16
      controller.enqueue(new Uint8Array(1 << 16).fill(0x20))
    },
  })
  network.script = () => ({ stream })
  expect(await codeOf(client.check(key, 0))).toBe('RELAY_STRANGE')
  expect(sent).toBeLessThan(4 << 20)
  expect(network.asked[0]!.request.signal.aborted).toBe(true)
})

test('a relay that does not answer is left after a minute, and one that stops in its answer too', async () => {
  const { client, network } = world()
  network.script = ({ request }) =>
    new Promise((_, reject) => request.signal.addEventListener('abort', () => reject(request.signal.reason as Error)))
  const silent = errorOf(client.check(key, 0))
  await network.clock.waited(60_000)
  network.clock.turn(60_000)
  expect(await silent).toMatchObject({ code: 'RELAY_SILENT' })
  let begin = (): void => {}
  const began = new Promise<void>((resolve) => (begin = resolve))
  network.script = ({ request }) => ({
    stream: new ReadableStream(
      {
        start: (controller) => request.signal.addEventListener('abort', () => controller.error(request.signal.reason)),
        pull: () => begin(),
      },
      { highWaterMark: 0 },
    ),
  })
  const stuck = errorOf(client.check(key, 0))
  await began
  expect(network.clock.waits).toEqual([60_000])
  network.clock.turn(60_000)
  expect(await stuck).toMatchObject({ code: 'RELAY_SILENT' })
  expect(network.clock.waits).toEqual([])
})

test('a call that its caller ends throws the reason of the caller', async () => {
  const { client, network } = world()
  const caller = new AbortController()
  network.script = ({ request }) => {
    caller.abort(new Error('the person closed the window'))
    return Promise.reject(request.signal.reason as Error)
  }
  await expect(client.check(key, 0, { signal: caller.signal })).rejects.toThrow('the person closed the window')
  await expect(client.check(key, 0, { signal: caller.signal })).rejects.toThrow('the person closed the window')
  expect(network.clock.waits).toEqual([])
})

test('no call follows a redirect, sends a cookie, or names the page that it comes from', async () => {
  const { client, network } = world()
  await client.post(key, bytes(1))
  await client.receive(alice.pair, 0)
  const wait = client.wait([{ key, at: 0 }])
  await wait.next()
  await wait.return()
  expect(network.asked.length).toBe(4)
  for (const { request } of network.asked) {
    expect(request).toMatchObject({
      redirect: 'error',
      credentials: 'omit',
      cache: 'no-store',
      referrerPolicy: 'no-referrer',
    })
  }
})

test('a stream tells of messages that were there and of those that come, with questions that can be answered', async () => {
  const { client } = world()
  await client.post(key, bytes(1))
  const wait = client.wait([
    { key, at: 0 },
    { key: bob.pair.key, at: 0 },
  ])
  const news = async (): Promise<News> => (await wait.next()).value as News
  const first = await news()
  expect(first.key).toBe(key)
  expect(await client.receive(alice.pair, 0, { question: first.question })).toHaveLength(1)
  const next = news()
  await client.post(bob.pair.key, bytes(2))
  expect((await next).key).toBe(bob.pair.key)
  await wait.return()
})

test('a stream that is left ends its call', async () => {
  const { client, network } = world()
  await client.post(key, bytes(1))
  for await (const { question } of client.wait([{ key, at: 0 }])) {
    expect(question).not.toBeNull()
    break
  }
  expect(network.asked.at(-1)!.request.signal.aborted).toBe(true)
  expect(network.clock.waits).toEqual([])
})

test('a stream that falls silent is left, and comments keep it', async () => {
  const { client, network } = world()
  let controller!: ReadableStreamDefaultController<Uint8Array>
  network.script = ({ request }) => ({
    headers: { 'content-type': 'text/event-stream' },
    stream: new ReadableStream({
      start: (given) => {
        controller = given
        request.signal.addEventListener('abort', () => controller.error(request.signal.reason))
      },
    }),
  })
  const ended = errorOf(client.wait([{ key, at: 0 }]).next())
  for (let n = 0; n < 3; n++) {
    await network.clock.waited(70_000)
    network.clock.turn(60_000)
    controller.enqueue(new TextEncoder().encode(': still here\n\n'))
  }
  await network.clock.waited(70_000)
  network.clock.turn(70_000)
  expect(await ended).toMatchObject({ code: 'RELAY_SILENT' })
})

test.each([
  [
    'a refusal',
    { body: { ok: false, error: 'Too often', retryAfter: 9 } },
    { code: 'RELAY_TOO_OFTEN', details: { retryAfterSec: 9 } },
  ],
  [
    'no such path',
    { status: 404, body: { error: 'No such path' } },
    { code: 'RELAY_STRANGE', details: { status: 404 } },
  ],
  ['a page', { body: '<html>' }, { code: 'RELAY_STRANGE', details: { status: 200 } }],
  ['a gateway without its relay', { status: 504, body: '' }, { code: 'RELAY_UNREACHABLE' }],
  [
    'an endless line',
    { headers: { 'content-type': 'text/event-stream' }, body: `data: ${'x'.repeat(30_000)}` },
    { code: 'RELAY_STRANGE' },
  ],
])('%s instead of a stream has its code', async (_, scripted, error) => {
  const { client, network } = world()
  network.script = () => scripted
  expect(await errorOf(client.wait([{ key, at: 0 }]).next())).toMatchObject(error)
})

test('the same bytes go to all relays of a box, and one that is down does not keep them from the others', async () => {
  const { client, network } = world()
  const second = testRelay({ origin: 'https://second.example' })
  network.add('https://second.example', second)
  const places = [
    { client, ext: null },
    { client: new RelayClient(parseRelayUrl('https://down.example'), network.means), ext: null },
    { client: new RelayClient(parseRelayUrl('https://second.example'), network.means), ext: null },
  ]
  const posted = await postToAll(places, key, bytes(1))
  expect(posted.map(({ error }) => error?.code ?? 'posted')).toEqual(['posted', 'RELAY_UNREACHABLE', 'posted'])
  for (const place of [places[0]!, places[2]!]) {
    expect(await place.client.receive(alice.pair, 0)).toEqual([{ at: START_US, data: bytes(1) }])
  }
  const ended = AbortSignal.abort(new Error('enough'))
  await expect(postToAll(places, key, bytes(2), ended)).rejects.toThrow('enough')
})
