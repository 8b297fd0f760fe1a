import { expect, test } from 'vitest'
import { HandClock } from '../../../support/hand-clock.ts'
import { postText, RawConnection, serveBoxes, type TestServer } from '../../../support/relay-http.ts'
import { TestBoxes } from '../../../support/test-boxes.ts'

const COMMENT = ': still here\n\n'

const bodyOf = (...pubs: readonly string[]): string => JSON.stringify({ boxes: pubs.map((pub) => ({ pub, at: 5 })) })

/** Opens a stream that has begun. */
async function openStream({ port }: TestServer, ...pubs: readonly string[]): Promise<RawConnection> {
  const connection = await RawConnection.open(port)
  connection.socket.write(postText('/wait', bodyOf(...pubs)))
  await connection.received(COMMENT)
  return connection
}

/** The events that came so far. */
function eventsOf(text: string): unknown[] {
  return [...text.matchAll(/^data: (.*)$/gm)].map(([, json]) => JSON.parse(json!) as unknown)
}

/** Lets the server do what does not wait for the network. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

const event = (pub: string): unknown => ({ pub, found: true, question: `question for ${pub}` })
const count = (text: string, part: string): number => text.split(part).length - 1

test('a stream tells at once what waits already, and nothing of empty boxes', async () => {
  const boxes = new TestBoxes()
  boxes.full.add('b')
  const served = await serveBoxes({ boxes })
  const stream = await openStream(served, 'a', 'b', 'c')
  await stream.received('data: ')
  expect(eventsOf(stream.text)).toEqual([event('b')])
  expect(stream.text).toMatch(/^HTTP\/1.1 200 .*Content-Type: text\/event-stream/is)
  expect(boxes.checks).toEqual(['a', 'b', 'c'].map((pub) => ({ pub, at: 5 })))
})

test('a stream tells of each message as it comes, with the moment that its reader named', async () => {
  const boxes = new TestBoxes()
  const stream = await openStream(await serveBoxes({ boxes }), 'a', 'b')
  boxes.deliver('b')
  await stream.received('question for b')
  boxes.deliver('a')
  await stream.received('question for a')
  expect(eventsOf(stream.text)).toEqual([event('b'), event('a')])
  expect(boxes.checks.slice(2)).toEqual([
    { pub: 'b', at: 5 },
    { pub: 'a', at: 5 },
  ])
})

test('a message that comes during the first checks is told', async () => {
  const boxes = new TestBoxes()
  let answer = (): void => {}
  boxes.replyToCheck = () => new Promise((resolve) => (answer = (): void => resolve({ ok: true, found: false })))
  const stream = await RawConnection.open((await serveBoxes({ boxes })).port)
  stream.socket.write(postText('/wait', bodyOf('a')))
  while (boxes.checks.length === 0) await settle()
  boxes.deliver('a')
  boxes.replyToCheck = () => ({ ok: true, found: true, question: 'late' })
  answer()
  await stream.received('late')
})

test('one caller may hold several streams, also for one box', async () => {
  const boxes = new TestBoxes()
  const served = await serveBoxes({ boxes })
  const streams = [await openStream(served, 'a'), await openStream(served, 'a', 'b')]
  boxes.deliver('a')
  for (const stream of streams) await stream.received('question for a')
})

test('many messages while the relay checks are one more event', async () => {
  const boxes = new TestBoxes()
  const stream = await openStream(await serveBoxes({ boxes }), 'a', 'b')
  for (let i = 0; i < 1000; i++) boxes.deliver('a')
  boxes.deliver('b')
  await stream.received('question for b')
  expect(eventsOf(stream.text).filter((each) => JSON.stringify(each).includes('"a"')).length).toBeLessThanOrEqual(2)
})

test.each([
  ['no list of boxes', '{"pub":"a","at":0}', { ok: false, error: 'Bad request' }],
  ['no JSON', 'boxes', { ok: false, error: 'Bad request' }],
  ['257 boxes', bodyOf(...Array.from({ length: 257 }, (_, i) => `p${i}`)), { ok: false, error: 'Bad request' }],
  ['too many bytes', bodyOf('x'.repeat(65_536)), { ok: false, error: 'Too big' }],
])('a wait with %s is refused as other requests are, and holds nothing', async (_, body, refusal) => {
  const boxes = new TestBoxes()
  const { url, server } = await serveBoxes({ boxes })
  const answer = await fetch(`${url}/wait`, { method: 'POST', body })
  expect([answer.status, await answer.json()]).toEqual([200, refusal])
  expect([server.streams.size, boxes.checks]).toEqual([0, []])
})

test('a stream whose box refuses the first check does not begin', async () => {
  const boxes = new TestBoxes()
  boxes.replyToCheck = ({ pub }) => (pub === 'bad' ? { ok: false, error: 'Bad request' } : { ok: true, found: false })
  const { url, server } = await serveBoxes({ boxes })
  const answer = await fetch(`${url}/wait`, { method: 'POST', body: bodyOf('good', 'bad') })
  expect(await answer.json()).toEqual({ ok: false, error: 'Bad request' })
  expect([server.streams.size, boxes.watchers('good'), boxes.watchers('bad')]).toEqual([0, 0, 0])
})

test('a comment goes out every 20 seconds, and keeps the stream open', async () => {
  const clock = new HandClock()
  const stream = await openStream(await serveBoxes({ boxes: new TestBoxes(), clock }), 'a')
  for (let n = 2; n <= 4; n++) {
    clock.turn(20_000)
    await stream.received(COMMENT)
    while (count(stream.text, COMMENT) < n) await new Promise((resolve) => stream.socket.once('data', resolve))
  }
})

test('a check that a busy relay refuses is made again with the next comment', async () => {
  const boxes = new TestBoxes()
  const clock = new HandClock()
  const stream = await openStream(await serveBoxes({ boxes, clock }), 'a')
  boxes.replyToCheck = () => ({ ok: false, error: 'Too often', retryAfter: 1 })
  boxes.deliver('a')
  await settle()
  expect(boxes.checks).toHaveLength(2)
  boxes.replyToCheck = () => ({ ok: true, found: true, question: 'now' })
  clock.turn(20_000)
  await stream.received('now')
})

test('a stream ends after an hour, so that a reader who vanished is forgotten', async () => {
  const clock = new HandClock()
  const boxes = new TestBoxes()
  const served = await serveBoxes({ boxes, clock })
  const stream = await openStream(served, 'a')
  for (let sec = 20; sec <= 3600; sec += 20) {
    clock.turn(20_000)
    await settle()
  }
  await stream.closed
  expect(stream.text.endsWith('0\r\n\r\n')).toBe(true)
  clock.turn(20_000)
  expect([served.server.streams.size, boxes.watchers('a'), clock.waits]).toEqual([0, 0, []])
})

test('a reader that takes nothing for a whole interval loses its stream, and its news take no memory', async () => {
  const boxes = new TestBoxes()
  const clock = new HandClock()
  const served = await serveBoxes({ boxes, clock })
  const question = 'q'.repeat(1 << 20)
  boxes.replyToCheck = ({ pub }) =>
    boxes.full.has(pub) ? { ok: true, found: true, question } : { ok: true, found: false }
  const stream = await openStream(served, 'a')
  stream.socket.pause()
  let checks = 0
  // The system takes some megabytes before it makes the relay wait.
  while (boxes.checks.length > checks) {
    checks = boxes.checks.length
    boxes.deliver('a')
    for (let i = 0; i < 50 && boxes.checks.length === checks; i++) await settle()
  }
  for (let i = 0; i < 1000; i++) boxes.deliver('a')
  expect(boxes.checks.length).toBe(checks)
  clock.turn(20_000)
  clock.turn(20_000)
  while (served.server.streams.size > 0) await settle()
  expect(served.server.counters.all()).toContainEqual(['connections_ended_total{reason="slow reader"}', 1])
  expect(boxes.watchers('a')).toBe(0)
})

test('a reader that was slow for a moment hears the rest', async () => {
  const boxes = new TestBoxes()
  const questions = new Map([
    ['a', 'q'.repeat(8 << 20)],
    ['b', 'short'],
  ])
  boxes.replyToCheck = ({ pub }) =>
    boxes.full.has(pub) ? { ok: true, found: true, question: questions.get(pub)! } : { ok: true, found: false }
  const stream = await openStream(await serveBoxes({ boxes, clock: new HandClock() }), 'a', 'b')
  stream.socket.pause()
  boxes.deliver('a')
  await settle()
  boxes.deliver('b')
  await settle()
  expect(boxes.checks).toHaveLength(3)
  stream.socket.resume()
  await stream.received('"question":"short"}')
  expect(boxes.checks).toHaveLength(4)
})

test('a reader that goes away is forgotten at once', async () => {
  const boxes = new TestBoxes()
  const { port, server } = await serveBoxes({ boxes })
  const stream = await openStream({ port, server, url: '', errors: [] }, 'a')
  stream.socket.destroy()
  while (server.streams.size > 0) await settle()
  expect(boxes.watchers('a')).toBe(0)
})

test('a reader that goes away during the first checks is forgotten too', async () => {
  const boxes = new TestBoxes()
  let answer = (): void => {}
  boxes.replyToCheck = () => new Promise((resolve) => (answer = (): void => resolve({ ok: true, found: false })))
  const { port, server } = await serveBoxes({ boxes })
  const stream = await RawConnection.open(port)
  stream.socket.write(postText('/wait', bodyOf('a')))
  while (boxes.checks.length === 0) await settle()
  stream.socket.destroy()
  while (server.connections.size > 0) await settle()
  answer()
  await settle()
  expect([server.streams.size, boxes.watchers('a')]).toEqual([0, 0])
})

test('one address holds only so many streams, and all together have a limit', async () => {
  const boxes = new TestBoxes()
  const wait = { maxStreamsOfAddress: 2, maxStreams: 3 }
  const { url } = await serveBoxes({ boxes, wait, trustProxy: ['127.0.0.1'] })
  const open = (address: string): Promise<Response> =>
    fetch(`${url}/wait`, { method: 'POST', body: bodyOf('a'), headers: { 'x-forwarded-for': address } })
  const all = [
    await open('192.0.2.1'),
    await open('192.0.2.1'),
    await open('192.0.2.1'),
    await open('192.0.2.2'),
    await open('192.0.2.3'),
  ]
  const types = all.map(({ headers }) => headers.get('content-type'))
  const [stream, json] = ['text/event-stream', 'application/json']
  expect(types).toEqual([stream, stream, json, stream, json])
  expect(await all[2]!.json()).toEqual({ ok: false, error: 'Too often', retryAfter: 60 })
  for (const { body, bodyUsed } of all) if (!bodyUsed) await body?.cancel()
})

test('a stop ends the streams', async () => {
  const served = await serveBoxes({ boxes: new TestBoxes() })
  const stream = await openStream(served, 'a')
  await served.server.close()
  await stream.closed
  expect(stream.text.endsWith('0\r\n\r\n')).toBe(true)
})

test('requests behind a stream on the same connection hold little, and end with it', async () => {
  const clock = new HandClock()
  const served = await serveBoxes({ boxes: new TestBoxes(), clock })
  const stream = await openStream(served, 'a')
  stream.socket.write(postText('/', '{}').repeat(20))
  await stream.closed
  expect(served.server.streams.size).toBe(0)
})

test('a fault of the boxes ends the stream, and nothing else', async () => {
  const boxes = new TestBoxes()
  const served = await serveBoxes({ boxes })
  const stream = await openStream(served, 'a')
  boxes.replyToCheck = () => Promise.reject(new Error('the disk is gone'))
  boxes.deliver('a')
  await stream.closed
  expect(served.errors).toHaveLength(1)
  expect((await fetch(`${served.url}/healthz`)).status).toBe(200)
})
