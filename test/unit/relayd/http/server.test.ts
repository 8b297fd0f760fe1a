import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { HandClock } from '../../../support/hand-clock.ts'
import { postText, RawConnection, serveBoxes } from '../../../support/relay-http.ts'
import { TestBoxes } from '../../../support/test-boxes.ts'

const CORS = {
  'access-control-allow-origin': '*',
  'access-control-expose-headers': 'etag, retry-after, content-range, date',
}

async function post(url: string, body: string | Uint8Array<ArrayBuffer>, headers = {}): Promise<Response> {
  return await fetch(url, { method: 'POST', body, headers })
}

test('a body is JSON whatever its Content-Type says, also as curl sends it', async () => {
  const boxes = new TestBoxes()
  const { url } = await serveBoxes({ boxes })
  const body = { pub: 'p', ext: null, action: 'check', at: 0 }
  for (const type of [
    'application/json',
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
  ])
    expect(await (await post(url, JSON.stringify(body), { 'content-type': type })).json()).toEqual({ ok: true })
  const curl = promisify(execFile)('curl', ['--silent', `${url}/`, '-d', JSON.stringify(body, null, 1)])
  expect(JSON.parse((await curl).stdout)).toEqual({ ok: true })
  expect(boxes.bodies.map((call) => call.body)).toEqual(Array.from({ length: 5 }, () => body))
})

test('every answer lets pages of other origins read it, sets no cookie, and is kept by nobody', async () => {
  const { url } = await serveBoxes({ boxes: new TestBoxes() })
  const answers = [
    await post(url, '{}'),
    await post(url, 'nonsense'),
    await post(`${url}/wait`, '{}'),
    await fetch(url),
    await fetch(`${url}/info`),
    await fetch(`${url}/healthz`),
    await fetch(`${url}/nothing`),
    await fetch(url, { method: 'DELETE' }),
    await fetch(url, { method: 'OPTIONS' }),
  ]
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200, 200, 404, 405, 204])
  for (const { headers } of answers) {
    expect(Object.fromEntries(headers)).toMatchObject(CORS)
    expect(headers.get('set-cookie')).toBeNull()
  }
  expect(answers[0]!.headers.get('cache-control')).toBe('no-store')
})

test('OPTIONS allows what a page needs, for a day, on every path', async () => {
  const { url } = await serveBoxes({ boxes: new TestBoxes() })
  for (const path of ['/', '/wait', '/info', '/healthz', '/card/x']) {
    const { status, headers } = await fetch(url + path, { method: 'OPTIONS' })
    expect(status).toBe(204)
    expect(headers.get('access-control-max-age')).toBe('86400')
    expect(headers.get('access-control-allow-headers')).toBe('authorization, content-type, if-none-match, range')
    expect(headers.get('access-control-allow-methods')).toContain('POST')
  }
})

test('a refusal of a box is an answer with status 200, and says in a header too when to try again', async () => {
  const boxes = new TestBoxes()
  boxes.reply = () => ({ ok: false, error: 'Too often', retryAfter: 7 })
  const { url } = await serveBoxes({ boxes })
  const answer = await post(url, '{}')
  expect([answer.status, answer.headers.get('retry-after')]).toEqual([200, '7'])
  expect(await answer.json()).toEqual({ ok: false, error: 'Too often', retryAfter: 7 })
})

test.each([
  ['no JSON', '{"pub": "x" "at": 0}'],
  ['nothing', ''],
  ['bytes that are no UTF-8', new Uint8Array([0x22, 0xff, 0x22])],
  ['a byte order mark', new Uint8Array([0xef, 0xbb, 0xbf, 0x7b, 0x7d])],
])('%s is a bad request, and reaches no box', async (_, body) => {
  const boxes = new TestBoxes()
  const { url } = await serveBoxes({ boxes })
  expect(await (await post(url, body)).json()).toEqual({ ok: false, error: 'Bad request' })
  expect(boxes.bodies).toEqual([])
})

test('JSON of a great depth is read as any other', async () => {
  const boxes = new TestBoxes()
  const { url } = await serveBoxes({ boxes })
  const deep = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth)
  expect(await (await post(url, deep(10_000))).json()).toEqual({ ok: true })
  expect(await (await post(url, deep(100_000))).json()).toEqual({ ok: false, error: 'Too big' })
  expect(boxes.bodies).toHaveLength(1)
})

test('a body is too big from the first byte over the limit on, announced or not', async () => {
  const boxes = new TestBoxes()
  const { url, port } = await serveBoxes({ boxes })
  const body = (bytes: number): string => `"${'x'.repeat(bytes - 2)}"`
  expect(await (await post(url, body(20 * 1024))).json()).toEqual({ ok: true })
  expect(await (await post(url, body(20 * 1024 + 1))).json()).toEqual({ ok: false, error: 'Too big' })
  // In two pieces and without a length, one byte over the limit.
  for (const bytes of [20 * 1024, 20 * 1024 + 1]) {
    const chunked = await RawConnection.open(port)
    const text = body(bytes)
    chunked.socket.write('POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n')
    chunked.socket.write(`1000\r\n${text.slice(0, 0x1000)}\r\n`)
    chunked.socket.write(`${(bytes - 0x1000).toString(16)}\r\n${text.slice(0x1000)}\r\n0\r\n\r\n`)
    await chunked.received(bytes === 20 * 1024 ? '"ok":true' : '"Too big"')
    expect(chunked.text).toMatch(/^HTTP\/1.1 200 /)
  }
  expect(boxes.bodies).toHaveLength(2)
})

test('a sender that goes on after its body was too big is cut off', async () => {
  const { port } = await serveBoxes({ boxes: new TestBoxes(), http: { maxDrainBytes: 100_000 } })
  const sender = await RawConnection.open(port)
  sender.socket.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000000\r\n\r\n')
  const piece = Buffer.alloc(65_536)
  const write = (): void => void sender.socket.write(piece, (error) => error == null && write())
  write()
  await sender.closed
  expect(sender.text).toContain('"Too big"')
})

test('a sender that is slow with its header or its body is cut off', async () => {
  const boxes = new TestBoxes()
  const { port } = await serveBoxes({ boxes, http: { headersMs: 50, requestMs: 100, lookMs: 10 } })
  const [silent, header, body] = await Promise.all([1, 2, 3].map(() => RawConnection.open(port)))
  header!.socket.write('POST / HTTP/1.1\r\nHost: x\r\n')
  body!.socket.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{')
  await Promise.all([silent!.closed, header!.closed, body!.closed])
  expect(boxes.bodies).toEqual([])
  const late = 'HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n'
  expect([silent!.text, header!.text, body!.text]).toEqual([late, late, ''])
})

test('a text that is no HTTP, or a header above 8192 bytes, is answered by a status alone, and the connection ends', async () => {
  const { port } = await serveBoxes({ boxes: new TestBoxes() })
  const head = 'GET /healthz HTTP/1.1\r\nHost: x\r\nX: '
  for (const [text, answer] of [
    [`${head}${'x'.repeat(8000)}\r\n\r\n`, '200 OK'],
    [`${head}${'x'.repeat(8192)}\r\n\r\n`, '431 Request Header Fields Too Large'],
    ['no HTTP\r\n\r\n', '400 Bad Request'],
  ] as const) {
    const sender = await RawConnection.open(port)
    sender.socket.write(text)
    if (answer === '200 OK') await sender.received('HTTP/1.1 200 OK')
    else await sender.closed
    if (answer !== '200 OK') expect(sender.text).toBe(`HTTP/1.1 ${answer}\r\nConnection: close\r\n\r\n`)
  }
})

test('a body byte by byte is read whole', async () => {
  const boxes = new TestBoxes()
  const { port } = await serveBoxes({ boxes })
  const sender = await RawConnection.open(port)
  sender.socket.write('POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n')
  const text = JSON.stringify({ note: 'é'.repeat(2000) })
  for (const byte of Buffer.from(text))
    sender.socket.write(Buffer.concat([Buffer.from('1\r\n'), Buffer.of(byte), Buffer.from('\r\n')]))
  sender.socket.write('0\r\n\r\n')
  await sender.received('"ok":true')
  expect(boxes.bodies[0]!.body).toEqual(JSON.parse(text))
})

test('requests sent at once on one connection are answered in their order, up to a number', async () => {
  const boxes = new TestBoxes()
  boxes.reply = (body) => body as { ok: true }
  const { port } = await serveBoxes({ boxes })
  const few = await RawConnection.open(port)
  few.socket.write(Array.from({ length: 16 }, (_, i) => postText('/', `{"ok":true,"n":${i}}`)).join(''))
  await few.received('"n":15')
  expect([...few.text.matchAll(/"n":(\d+)/g)].map(([, n]) => Number(n))).toEqual(
    Array.from({ length: 16 }, (_, i) => i),
  )
  boxes.reply = () => new Promise(() => {})
  const many = await RawConnection.open(port)
  many.socket.write(postText('/', '{}').repeat(17))
  await many.closed
  expect(boxes.bodies).toHaveLength(16 + 16)
})

test('a reader that does not take its answer in time is cut off, and others are served', async () => {
  const boxes = new TestBoxes()
  const clock = new HandClock()
  const big = 'x'.repeat(8 << 20)
  boxes.reply = () => ({ ok: true, at: 1, data: big })
  const { server, port, url } = await serveBoxes({ boxes, clock })
  const slow = await RawConnection.open(port)
  slow.socket.pause()
  slow.socket.write(postText('/', '{}'))
  await clock.waited(60_000)
  expect(server.connections.unreadBytes).toBeGreaterThan(1 << 20)
  boxes.reply = () => ({ ok: true })
  expect(await (await post(url, '{}')).json()).toEqual({ ok: true })
  clock.turn(60_000)
  slow.socket.resume()
  await slow.closed
  expect(slow.text.length).toBeLessThan(big.length)
  expect(server.counters.all()).toContainEqual(['connections_ended_total{reason="slow reader"}', 1])
  expect(server.connections.unreadBytes).toBe(0)
})

test('an answer that its reader takes at once starts no timer', async () => {
  const clock = new HandClock()
  const { url } = await serveBoxes({ boxes: new TestBoxes(), clock })
  await post(url, '{}')
  expect(clock.waits).toEqual([])
})

test('answers that nobody reads take no more memory than allowed', async () => {
  const boxes = new TestBoxes()
  const big = 'x'.repeat(8 << 20)
  boxes.reply = () => ({ ok: true, at: 1, data: big })
  const { server, port } = await serveBoxes({ boxes, clock: new HandClock(), http: { maxUnreadBytes: 12 << 20 } })
  const readers = await Promise.all(Array.from({ length: 4 }, () => RawConnection.open(port)))
  for (const { socket } of readers) {
    socket.pause()
    socket.write(postText('/', '{}'))
  }
  await Promise.any(
    readers.map(async ({ socket, closed }) => {
      await new Promise((resolve) => socket.once('readable', resolve))
      socket.resume()
      await closed
    }),
  )
  expect(server.connections.unreadBytes).toBeLessThanOrEqual(12 << 20)
  expect(server.counters.all().map(([name]) => name)).toContain('connections_ended_total{reason="unread answers"}')
})

test('one address has only so many connections, a trusted proxy any number', async () => {
  const http = { maxConnectionsOfAddress: 2 }
  const { port, server } = await serveBoxes({ boxes: new TestBoxes(), http })
  const [first, second, third] = await Promise.all([1, 2, 3].map(() => RawConnection.open(port)))
  await Promise.race([first!.closed, second!.closed, third!.closed])
  expect(server.connections.size).toBe(2)
  const trusting = await serveBoxes({ boxes: new TestBoxes(), http, trustProxy: ['127.0.0.0/8'] })
  const all = await Promise.all([1, 2, 3].map(() => RawConnection.open(trusting.port)))
  for (const { socket } of all) socket.write(postText('/', '{}'))
  for (const one of all) await one.received('"ok":true')
})

test('all connections together have a limit', async () => {
  const { port, server } = await serveBoxes({
    boxes: new TestBoxes(),
    http: { maxConnections: 2 },
    trustProxy: ['127.0.0.1'],
  })
  const all = await Promise.all([1, 2, 3].map(() => RawConnection.open(port)))
  await Promise.race(all.map(({ closed }) => closed))
  expect(server.connections.size).toBe(2)
})

test('a box hears of its caller only a name, by the header of a trusted proxy', async () => {
  const boxes = new TestBoxes()
  const { url } = await serveBoxes({ boxes, trustProxy: ['127.0.0.1'] })
  for (const address of ['192.0.2.7', '192.0.2.7', '192.0.2.8']) await post(url, '{}', { 'x-forwarded-for': address })
  const names = boxes.bodies.map(({ caller }) => caller.address)
  expect(names.every((name) => /^[\w-]{16}$/.test(name))).toBe(true)
  expect([names[0] === names[1], names[0] === names[2]]).toEqual([true, false])
})

test('below a path the routes are the same', async () => {
  const { url } = await serveBoxes({ boxes: new TestBoxes(), about: { url: 'https://relay.example/boxes/' } })
  for (const path of ['/boxes/', '/boxes', '/'])
    expect(await (await post(url + path, '{}')).json()).toEqual({ ok: true })
  expect((await fetch(`${url}/boxes/info`)).status).toBe(200)
})

test('an error of the boxes is answered, and ends nothing', async () => {
  const boxes = new TestBoxes()
  boxes.reply = () => Promise.reject(new Error('the disk is gone'))
  const { url, errors } = await serveBoxes({ boxes })
  const answer = await post(url, '{}')
  expect([answer.status, await answer.json()]).toEqual([500, { error: 'Failed' }])
  expect(errors).toHaveLength(1)
  expect((await fetch(`${url}/info`)).status).toBe(200)
})

test('a stop answers what runs, and takes nothing new', async () => {
  const boxes = new TestBoxes()
  let finish = (): void => {}
  boxes.reply = () => new Promise((resolve) => (finish = (): void => resolve({ ok: true })))
  const { server, port } = await serveBoxes({ boxes })
  const running = await RawConnection.open(port)
  const idle = await RawConnection.open(port)
  running.socket.write(postText('/', '{}'))
  while (boxes.bodies.length === 0) await new Promise((resolve) => setImmediate(resolve))
  const closed = server.close()
  await idle.closed
  await expect(RawConnection.open(port)).rejects.toThrow('ECONNREFUSED')
  finish()
  await closed
  await running.closed
  expect(running.text).toMatch(/^HTTP\/1.1 200 .*Connection: close.*"ok":true/is)
})

test('a stop waits only so long for a request that does not come', async () => {
  const clock = new HandClock()
  const { server, port } = await serveBoxes({ boxes: new TestBoxes(), clock })
  const half = await RawConnection.open(port)
  half.socket.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{')
  while (server.connections.size === 0) await new Promise((resolve) => setImmediate(resolve))
  const closed = server.close()
  await clock.waited(10_000)
  clock.turn(10_000)
  await closed
  await half.closed
})

test('the health follows the store', async () => {
  let isHealthy = true
  const { url } = await serveBoxes({ boxes: new TestBoxes(), isHealthy: () => isHealthy })
  expect(await (await fetch(`${url}/healthz`)).json()).toEqual({ ok: true })
  isHealthy = false
  const answer = await fetch(`${url}/healthz`)
  expect([answer.status, await answer.json()]).toEqual([503, { ok: false }])
})

test('the page for people says whose the relay is and what its limits are, as text', async () => {
  const terms = { text: '<script>alert(1)</script>', price: '1 € a year', url: 'https://relay.example/"terms"' }
  const { url } = await serveBoxes({ boxes: new TestBoxes(), about: { terms } })
  const answer = await fetch(url)
  const html = await answer.text()
  expect(answer.headers.get('content-type')).toBe('text/html; charset=utf-8')
  expect(answer.headers.get('content-security-policy')).toContain("default-src 'none'")
  expect(html).toContain('Ada &#38; Co operates this relay')
  for (const part of ['16384 characters', '128 messages', '60 minutes', '30 days', '1 € a year'])
    expect(html).toContain(part)
  expect(html).not.toMatch(/<script|"terms"/)
})

test('/info names every limit in force', async () => {
  const { url } = await serveBoxes({ boxes: new TestBoxes() })
  const info = (await (await fetch(`${url}/info`)).json()) as { limits: Record<string, unknown> }
  expect(info).toMatchObject({ software: 'persona-relay', url: 'https://relay.example', senders: 'everybody' })
  expect(info.limits).toMatchObject({ dataChars: 16_384, messageSeconds: 3600, boxSeconds: 2_592_000, waitBoxes: 256 })
  expect(Object.keys(info.limits)).toHaveLength(35)
})

test('HEAD has the header of GET and no body', async () => {
  const { url } = await serveBoxes({ boxes: new TestBoxes() })
  for (const path of ['/', '/info', '/healthz']) {
    const [get, head] = [await fetch(url + path), await fetch(url + path, { method: 'HEAD' })]
    const length = get.headers.get('content-length')
    expect([head.status, head.headers.get('content-length'), await head.text()]).toEqual([200, length, ''])
    expect(Number(length)).toBe(Buffer.byteLength(await get.text()))
  }
})
