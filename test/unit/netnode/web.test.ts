/** The real program personad-net calls servers on loopback for the daemon. */
import { once } from 'node:events'
import { afterAll, describe, expect, test } from 'vitest'
import type { Net } from '../../../src/daemon/net/net.ts'
import { MAX_CALLS_OF_HOST } from '../../../src/daemon/net/turns.ts'
import type { WebRequest } from '../../../src/daemon/net/web.ts'
import type { WebResponse } from '../../../src/daemon/net/web-answer.ts'
import { MAX_CALLS, MAX_REQUEST_BYTES, WINDOW_BYTES } from '../../../src/netnode/protocol.ts'
import { NetStory } from '../../support/net-program.ts'
import { WebServer, type Answer } from '../../support/web-server.ts'

const GET: WebRequest = { method: 'GET' }

async function textOf({ body }: WebResponse): Promise<string> {
  let text = ''
  for await (const part of body) text += Buffer.from(part).toString()
  return text
}

const ends: (() => Promise<void>)[] = []
afterAll(async () => {
  for (const end of ends) await end()
})
/** One program for all tests: to start it costs more than most of them. */
let shared: Promise<NetStory> | null = null

async function story(
  answer: Answer,
): Promise<{ readonly story: NetStory; readonly net: Net; readonly server: WebServer }> {
  shared ??= new NetStory({}, {}, (end) => void ends.push(end)).run()
  const started = await shared
  return { story: started, net: started.net, server: await WebServer.start(answer) }
}

describe('a call', () => {
  test('carries method, path, body and the headers that may be sent, and brings status, body and the headers that may come', async () => {
    let seen: unknown
    const { net, server } = await story((request, response) => {
      seen = request.headers
      response.writeHead(201, { 'Content-Type': 'application/json', ETag: '"x"', 'Set-Cookie': 'a=b' })
      response.end('{"ok":true}')
    })
    const headers = { 'Content-Type': 'text/plain', Authorization: 'Bearer x' }
    const answer = await net.fetch(`${server.url}a/b`, { method: 'POST', body: 'hello', headers })
    expect(await textOf(answer)).toBe('{"ok":true}')
    expect(answer.status).toBe(201)
    const names = ['content-type', 'ETag', 'set-cookie', 'date'] as const
    expect(names.map((name) => answer.headers.get(name))).toEqual(['application/json', '"x"', null, expect.any(String)])
    expect(server.asked).toEqual(['POST /a/b hello'])
    expect(seen).toEqual({
      'content-type': 'text/plain',
      authorization: 'Bearer x',
      'content-length': '5',
      host: `127.0.0.1:${server.port}`,
      connection: 'keep-alive',
    })
  })

  test('needs no bootstrap nodes, and several use one connection after another', async () => {
    const { net, server } = await story((_request, response) => void response.end('x'))
    for (let i = 0; i < 5; i++) expect(await textOf(await net.fetch(server.url, GET))).toBe('x')
    expect(server.connections).toBe(1)
  })

  test('with another method or header is not made', async () => {
    const { net, server } = await story((_request, response) => void response.end())
    await expect(net.fetch(server.url, { method: 'PATCH' })).rejects.toThrow(TypeError)
    await expect(net.fetch(server.url, { ...GET, headers: { Cookie: 'a=b' } })).rejects.toThrow(TypeError)
    expect(server.asked).toEqual([])
  })

  test('with a body in parts and no length, or with a longer one than personad-net takes, is not made', async () => {
    const { net, server } = await story((_request, response) => void response.end())
    const put = (bodyBytes?: number): Promise<WebResponse> => {
      const body = new ReadableStream<Uint8Array>()
      return net.fetch(server.url, { method: 'PUT', body, ...(bodyBytes === undefined ? {} : { bodyBytes }) })
    }
    await expect(put()).rejects.toThrow(TypeError)
    await expect(put(MAX_REQUEST_BYTES + 1)).rejects.toThrow(TypeError)
    expect(server.asked).toEqual([])
  })

  test('has the length of its body, also if the body is in parts, and none without a body', async () => {
    const lengths: unknown[] = []
    const { net, server } = await story(({ method, headers }, response) => {
      lengths.push([method, headers['content-length'], headers['transfer-encoding']])
      response.end()
    })
    for (const method of ['GET', 'HEAD', 'DELETE', 'POST', 'PUT']) await net.fetch(server.url, { method })
    for (const bytes of [0, 1, 2 * WINDOW_BYTES]) {
      const body = new Blob([new Uint8Array(bytes)]).stream()
      await net.fetch(server.url, { method: 'PUT', body, bodyBytes: bytes })
    }
    expect(lengths).toEqual([
      ...['GET', 'HEAD', 'DELETE'].map((method) => [method, undefined, undefined]),
      ...[0, 0, 0, 1, 2 * WINDOW_BYTES].map((bytes, i) => [i === 0 ? 'POST' : 'PUT', String(bytes), undefined]),
    ])
  })

  test('with a body in parts has a connection of its own, because the parts cannot be sent again', async () => {
    const isUsed = new Set<unknown>()
    const { net, server } = await story((request, response) => {
      if (isUsed.has(request.socket)) return void request.socket.destroy()
      isUsed.add(request.socket)
      response.end('x')
    })
    for (let i = 0; i < 2; i++) {
      expect(await textOf(await net.fetch(server.url, GET))).toBe('x')
      const body = new Blob([new Uint8Array(2 * WINDOW_BYTES)]).stream()
      expect((await net.fetch(server.url, { method: 'PUT', body, bodyBytes: 2 * WINDOW_BYTES })).status).toBe(200)
    }
    expect(server.asked.filter((line) => line.startsWith('PUT'))).toHaveLength(2)
  })

  test('over a connection that the server closed meanwhile is made again, once', async () => {
    const isUsed = new Set<unknown>()
    const { net, server } = await story((request, response) => {
      // Closes without a word at the second request of a connection.
      if (isUsed.has(request.socket)) return void request.socket.destroy()
      isUsed.add(request.socket)
      response.end('x')
    })
    for (let i = 0; i < 3; i++) expect(await textOf(await net.fetch(server.url, GET))).toBe('x')
    expect(server.connections).toBe(3)
    // The new connection is not kept, so the third call meets none that is closed.
    expect(server.asked).toHaveLength(4)
  })

  test('over the first of several connections that the server closed meanwhile goes by a new one', async () => {
    const isUsed = new Set<unknown>()
    const both = Promise.withResolvers<void>()
    const { net, server } = await story((request, response) => {
      if (isUsed.has(request.socket)) return void request.socket.destroy()
      if (isUsed.add(request.socket).size === 2) both.resolve()
      void both.promise.then(() => response.end('x'))
    })
    // The server answers once there are two connections, and both are kept.
    const twice = [net.fetch(server.url, GET), net.fetch(server.url, GET)]
    for (const answer of twice) expect(await textOf(await answer)).toBe('x')
    expect(await textOf(await net.fetch(server.url, GET))).toBe('x')
    expect([server.connections, server.asked.length]).toEqual([3, 4])
  })
})

describe('an answer', () => {
  test('of any length comes whole and in order, and a short one in one piece', async () => {
    const sizes = [0, 1, WINDOW_BYTES - 1, WINDOW_BYTES, WINDOW_BYTES + 1, 2_000_000]
    const { net, server } = await story((request, response) => {
      const [, size, how] = request.url!.split('/')
      const bytes = Buffer.alloc(Number(size), 'personad ')
      if (how === 'chunked') response.write(bytes.subarray(0, 1))
      response.end(how === 'chunked' ? bytes.subarray(1) : bytes)
    })
    for (const size of sizes)
      for (const how of ['whole', 'chunked']) {
        const text = await textOf(await net.fetch(`${server.url}${size}/${how}`, GET))
        expect(text === Buffer.alloc(size, 'personad ').toString(), `${size} ${how}`).toBe(true)
      }
  })

  test('that nobody reads stops at one window, and goes on when somebody does', async () => {
    const TOTAL = 32 * 1024 * 1024
    let written = 0
    const {
      net,
      server,
      story: { children },
    } = await story((_request, response) => {
      response.writeHead(200, { 'Content-Type': 'text/event-stream' })
      const chunk = Buffer.alloc(65_536, 'x')
      const more = (): void => {
        while (written < TOTAL) {
          written += chunk.length
          if (!response.write(chunk)) {
            response.once('drain', more)
            return
          }
        }
        response.end()
      }
      more()
    })
    const answer = await net.fetch(server.url, GET)
    // Another call is not held up by it.
    const other = await WebServer.start((_request, response) => void response.end('x'))
    for (let i = 0; i < 20; i++) expect(await textOf(await net.fetch(other.url, GET))).toBe('x')
    const writtenUnread = written
    expect(writtenUnread).toBeLessThan(TOTAL / 2)
    let length = 0
    for await (const part of answer.body) length += part.length
    expect(length).toBe(TOTAL)
    expect(children).toHaveLength(1)
  })

  test('of events comes part by part, while others wait for their ends', async () => {
    let send: (text: string) => void = () => {}
    const { net, server } = await story((_request, response) => {
      response.writeHead(200, { 'Content-Type': 'text/event-stream' })
      response.write(': here\n\n')
      send = (text) => void (text === '' ? response.end() : response.write(text))
    })
    const answer = await net.fetch(server.url, GET)
    const reader = answer.body.getReader()
    const next = async (): Promise<string> => Buffer.from((await reader.read()).value ?? []).toString()
    expect(await next()).toBe(': here\n\n')
    for (const text of ['data: 1\n\n', 'data: 2\n\n']) {
      send(text)
      expect(await next()).toBe(text)
    }
    send('')
    expect(await reader.read()).toMatchObject({ done: true })
  })

  test('that is longer than asked for is refused, with its length and without', async () => {
    const { net, server } = await story((request, response) => {
      if (request.url === '/length') response.setHeader('Content-Length', 1001)
      response.write('x')
      response.end('x'.repeat(1000))
    })
    for (const path of ['length', 'chunked']) {
      const fetched = net.fetch(`${server.url}${path}`, { ...GET, maxBytes: 1000 }).then(textOf)
      await expect(fetched).rejects.toMatchObject({ code: 'NET_TOO_LARGE' })
      expect(await textOf(await net.fetch(`${server.url}${path}`, { ...GET, maxBytes: 1001 }))).toHaveLength(1001)
    }
  })

  test('to HEAD may name any length', async () => {
    const { net, server } = await story((_request, response) => {
      response.setHeader('Content-Length', 20_971_520)
      response.end()
    })
    const answer = await net.fetch(server.url, { method: 'HEAD' })
    expect([answer.status, await textOf(answer)]).toEqual([200, ''])
  })

  test('that changes the protocol ends the call at once', async () => {
    const { net, server } = await story((request) => {
      request.socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n')
    })
    await expect(net.fetch(server.url, GET)).rejects.toMatchObject({ code: 'NET_STRANGE' })
  })

  test('that leads elsewhere is not followed', async () => {
    const statuses = [301, 302, 303, 307, 308]
    const { net, server } = await story((request, response) => {
      response.writeHead(Number(request.url!.slice(1)), { Location: '/200' })
      response.end()
    })
    for (const status of statuses)
      await expect(net.fetch(`${server.url}${status}`, GET)).rejects.toMatchObject({ code: 'NET_REDIRECT' })
    expect(server.asked).toHaveLength(statuses.length)
  })

  test('that breaks off, is no HTTP, or does not come at all is an error that passes', async () => {
    const { net, server } = await story((request, response) => {
      if (request.url === '/none') return void request.socket.destroy()
      if (request.url === '/noise') return void request.socket.end('noise\r\n\r\n')
      response.writeHead(200, { 'Content-Length': 100 })
      response.write('x')
      setImmediate(() => request.socket.destroy())
    })
    const { url } = server
    const codeOf = async (path: string): Promise<unknown> =>
      await net
        .fetch(`${url}${path}`, GET)
        .then(textOf)
        .catch((error: { code?: string }) => error.code)
    expect(await codeOf('none')).toBe('NET_UNREACHABLE')
    expect(await codeOf('noise')).toBe('NET_STRANGE')
    expect(await codeOf('half')).toBe('NET_UNREACHABLE')
    server.stop()
    expect(await codeOf('gone')).toBe('NET_UNREACHABLE')
  })
})

describe('a call that nobody waits for any more', () => {
  test('is ended at the server, before and after the head of its answer', async () => {
    const closed: Promise<unknown>[] = []
    const begun = Promise.withResolvers<void>()
    const { net, server } = await story((request, response) => {
      closed.push(once(response, 'close'))
      if (request.url === '/head') {
        response.writeHead(200, { 'Content-Type': 'text/event-stream' })
        response.write('x')
      } else begun.resolve()
    })
    const reason = new Error('enough')
    const before = new AbortController()
    const fetched = net.fetch(server.url, { ...GET, signal: before.signal })
    await begun.promise
    before.abort(reason)
    await expect(fetched).rejects.toBe(reason)
    const after = new AbortController()
    const { body } = await net.fetch(`${server.url}head`, { ...GET, signal: after.signal })
    after.abort(reason)
    await expect(body.getReader().read()).rejects.toBe(reason)
    const { body: left } = await net.fetch(`${server.url}head`, GET)
    await left.cancel()
    await Promise.all(closed)
    expect(closed).toHaveLength(3)
  })
})

describe('calls at once', () => {
  test(`beyond ${MAX_CALLS_OF_HOST} of one host wait for the end of another, and one that is given up while it waits is never made`, async () => {
    const held: (() => void)[] = []
    let arrived = (): void => {}
    const { net, server } = await story((_request, response) => {
      held.push(() => void response.end('x'))
      arrived()
    })
    const arrivals = async (count: number): Promise<void> => {
      while (held.length < count) await new Promise<void>((done) => (arrived = done))
    }
    const texts = Array.from({ length: MAX_CALLS_OF_HOST + 2 }, () => net.fetch(server.url, GET).then(textOf))
    const given = new AbortController()
    const reason = new Error('enough')
    const impatient = net.fetch(server.url, { ...GET, signal: given.signal })
    await arrivals(MAX_CALLS_OF_HOST)
    given.abort(reason)
    await expect(impatient).rejects.toBe(reason)
    for (let i = 0; i < MAX_CALLS_OF_HOST; i++) held[i]!()
    await arrivals(MAX_CALLS_OF_HOST + 2)
    for (const end of held.slice(MAX_CALLS_OF_HOST)) end()
    expect(await Promise.all(texts)).toEqual(texts.map(() => 'x'))
    expect(server.asked).toHaveLength(MAX_CALLS_OF_HOST + 2)
  })

  test('of silent hosts leave a share for each other host', async () => {
    const { net, server } = await story(() => {})
    const silent = [server, await WebServer.start(() => {})]
    const given = new AbortController()
    const reason = new Error('enough')
    const calls = silent.flatMap(({ url }) =>
      Array.from({ length: MAX_CALLS }, () => net.fetch(url, { ...GET, signal: given.signal })),
    )
    const ends = calls.map((call) => expect(call).rejects.toBe(reason))
    const other = await WebServer.start((_request, response) => void response.end('x'))
    expect(await textOf(await net.fetch(other.url, GET))).toBe('x')
    given.abort(reason)
    await Promise.all(ends)
  })

  test('that are streams of events take half of the places at most', async () => {
    const answer: Answer = (_request, response) => {
      response.writeHead(200, { 'Content-Type': 'text/event-stream' })
      response.write('x')
    }
    const { net, server } = await story(answer)
    const servers = [server, await WebServer.start(answer), await WebServer.start(answer)]
    for (let i = 0; i < MAX_CALLS / 2; i++) await net.fetch(servers[i % servers.length]!.url, GET)
    await expect(net.fetch(server.url, GET)).rejects.toMatchObject({ code: 'NET_BUSY' })
    const other = await WebServer.start((_request, response) => void response.end('x'))
    expect(await textOf(await net.fetch(other.url, GET))).toBe('x')
  })
})

test('calls fail when personad-net is killed, and work again once it runs', async () => {
  const {
    net,
    server,
    story: program,
  } = await story((request, response) => {
    if (request.url === '/') return void response.end('x')
    response.writeHead(200, { 'Content-Type': 'text/event-stream' })
    response.write('x')
  })
  const { body } = await net.fetch(`${server.url}stream`, GET)
  const reader = body.getReader()
  await reader.read()
  program.children[0]!.kill('SIGKILL')
  await expect(reader.read()).rejects.toMatchObject({ code: 'NET_LOST' })
  await program.until(() => net.status().state === 'waiting')
  await expect(net.fetch(server.url, GET)).rejects.toMatchObject({ code: 'NET_DOWN' })
  net.start()
  expect(await textOf(await net.fetch(server.url, GET))).toBe('x')
})
