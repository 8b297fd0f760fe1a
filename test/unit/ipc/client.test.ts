import { execFile } from 'node:child_process'
import { chmodSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, onTestFinished, test } from 'vitest'
import { connect, type Client } from '../../../src/ipc/client.ts'
import { MAX_FRAME_BYTES } from '../../../src/ipc/wire/frame.ts'
import {
  Gate,
  openClient,
  startServer,
  temporaryDirectory,
  testHandlers,
  type TestEvent,
  type TestMethods,
} from '../../support/ipc.ts'

/** A server that answers with the bytes of the test, whatever the request. */
async function openToImpostor(onData: (socket: Socket) => void): Promise<Client<TestMethods, TestEvent>> {
  const socketPath = join(temporaryDirectory(), 'app.sock')
  const server = createServer((socket) => {
    socket.on('error', () => {})
    socket.on('data', () => onData(socket))
  })
  onTestFinished(() => void server.close())
  await new Promise<void>((resolve) => server.listen(socketPath, resolve))
  const client = await connect<TestMethods, TestEvent>({ socketPath, timeoutMs: 5000 })
  onTestFinished(() => client.close())
  return client
}

describe('connect', () => {
  test('says how to start the daemon if none runs', async () => {
    const socketPath = join(temporaryDirectory(), 'app.sock')
    await expect(connect({ socketPath })).rejects.toMatchObject({ code: 'DAEMON_UNREACHABLE', hint: /start/ })
    await expect(connect({ socketPath: '/nowhere/app.sock' })).rejects.toMatchObject({ code: 'DAEMON_UNREACHABLE' })
  })

  test('refuses a directory where others could have put a socket', async () => {
    const server = await startServer()
    chmodSync(dirname(server.socketPath), 0o777)
    await expect(openClient(server)).rejects.toMatchObject({ code: 'SOCKET_DIR_OPEN' })
  })

  test('refuses a path that is too long', async () => {
    await expect(connect({ socketPath: `/${'x'.repeat(107)}` })).rejects.toMatchObject({ code: 'SOCKET_PATH_TOO_LONG' })
  })

  test('fails beyond the limit of connections, and others do not notice', async () => {
    const server = await startServer({ limits: { maxConnections: 2 } })
    const [first, second] = [await openClient(server), await openClient(server)]
    const third = await openClient(server)
    await expect(third.closed).resolves.toMatchObject({ code: 'TOO_MANY_CONNECTIONS' })
    expect(await first.call('echo', { text: 'a' })).toEqual({ text: 'a' })
    await second.close()
    await expect.poll(() => server.connections()).toBe(1)
    const fourth = await openClient(server)
    expect(await fourth.call('echo', { text: 'b' })).toEqual({ text: 'b' })
  })
})

describe('a call', () => {
  test('gets its own answer, in any order of the answers', async () => {
    const gate = new Gate()
    const client = await openClient(await startServer({ handlers: testHandlers(gate) }))
    const slow = client.call('wait', { n: 1 })
    expect(await client.call('echo', { text: 'quick' })).toEqual({ text: 'quick' })
    gate.open()
    expect(await slow).toEqual({ n: 1 })
  })

  test('carries any text both ways', async () => {
    const client = await openClient(await startServer())
    const text = 'ü€😀\f\0\u{2028}"\\'
    expect(await client.call('echo', { text })).toEqual({ text })
  })

  test('throws code, message, hint and details when the daemon refuses it', async () => {
    const client = await openClient(await startServer())
    await expect(client.call('refuse')).rejects.toMatchObject({
      name: 'RpcError',
      code: 'DEVICE_UNKNOWN',
      message: 'there is no such device',
      hint: 'look',
      details: { bytesOver: 3 },
    })
  })

  test('fails in the client if its params do not fit a frame, and the connection lives on', async () => {
    const client = await openClient(await startServer())
    const text = 'x'.repeat(MAX_FRAME_BYTES)
    await expect(client.call('echo', { text })).rejects.toMatchObject({ code: 'FRAME_TOO_LARGE' })
    expect(await client.call('echo', { text: 'a' })).toEqual({ text: 'a' })
  })

  test('fails alone after its timeout, and its late answer is ignored', async () => {
    const gate = new Gate()
    const client = await openClient(await startServer({ handlers: testHandlers(gate) }), 20)
    await expect(client.call('wait', { n: 1 })).rejects.toMatchObject({ code: 'TIMEOUT' })
    gate.open()
    expect(await client.call('echo', { text: 'a' })).toEqual({ text: 'a' })
  })
})

describe('a connection', () => {
  test('ends with the server and does not reconnect', async () => {
    const gate = new Gate()
    const server = await startServer({ handlers: testHandlers(gate), limits: { drainMs: 20 } })
    const client = await openClient(server)
    const waiting = expect(client.call('wait', { n: 1 })).rejects.toMatchObject({ code: 'CONNECTION_CLOSED' })
    await client.call('echo', { text: 'the call before has arrived' })
    await server.close()
    await waiting
    expect(await client.closed).toMatchObject({ code: 'CONNECTION_CLOSED' })
    await startServer({ socketPath: server.socketPath })
    await expect(client.call('echo', { text: 'a' })).rejects.toMatchObject({ code: 'CONNECTION_CLOSED' })
  })

  test('ends without an error by close(), which fails waiting calls', async () => {
    const client = await openClient(await startServer())
    const waiting = expect(client.call('wait', { n: 1 })).rejects.toMatchObject({ code: 'CONNECTION_CLOSED' })
    await client.close()
    await waiting
    expect(await client.closed).toBe(null)
    await expect(client.call('echo', { text: 'a' })).rejects.toMatchObject({ code: 'CONNECTION_CLOSED' })
  })

  test('ends without a warning of the process, however many calls wait', async () => {
    const client = await openClient(await startServer())
    const warnings: Error[] = []
    const note = (warning: Error): void => void warnings.push(warning)
    process.on('warning', note)
    onTestFinished(() => void process.off('warning', note))
    const waiting = Array.from({ length: 20 }, (_, n) => client.call('wait', { n }))
    await client.close()
    expect((await Promise.allSettled(waiting)).every(({ status }) => status === 'rejected')).toBe(true)
    await new Promise((resolve) => setImmediate(resolve))
    expect(warnings).toEqual([])
  })

  test.each([
    { code: 'FRAME_TOO_LARGE', bytes: 'x'.repeat(MAX_FRAME_BYTES + 1) },
    { code: 'FRAME_NOT_JSON', bytes: 'x\f' },
    { code: 'PROTOCOL', bytes: '{"type":"news","data":1}\f' },
    { code: 'PROTOCOL', bytes: '{"type":"rpc","data":{"jsonrpc":"2.0","id":1}}\f' },
    { code: 'PROTOCOL', bytes: '{"type":"event","data":{}}\f' },
  ])('ends when the server breaks the protocol: $code', async ({ code, bytes }) => {
    const client = await openToImpostor((socket) => socket.write(bytes))
    await expect(client.call('echo', { text: 'a' })).rejects.toMatchObject({ code })
    expect(await client.closed).toMatchObject({ code })
  })
})

describe('events', () => {
  test('reach their subscribers, until the subscription is closed', async () => {
    const server = await startServer()
    const [client, other] = [await openClient(server), await openClient(server)]
    const seen: unknown[] = []
    const ticks = await client.subscribe(['tick'], (event) => seen.push(event))
    const all = await client.subscribe(null, (event) => seen.push([event]))
    await other.subscribe(['tock'], (event) => seen.push(['other', event]))
    const publishBoth = async (n: number): Promise<void> => {
      server.publish({ event: 'tick', n } as TestEvent)
      server.publish({ event: 'tock', n } as TestEvent)
      // An answer arrives after all earlier events.
      await client.call('anything')
      await other.call('anything')
    }
    await publishBoth(1)
    expect(new Set(seen.splice(0))).toEqual(
      new Set([
        { event: 'tick', n: 1 },
        [{ event: 'tick', n: 1 }],
        [{ event: 'tock', n: 1 }],
        ['other', { event: 'tock', n: 1 }],
      ]),
    )
    await all.close()
    await publishBoth(2)
    expect(new Set(seen.splice(0))).toEqual(new Set([{ event: 'tick', n: 2 }, ['other', { event: 'tock', n: 2 }]]))
    await ticks.close()
    await publishBoth(3)
    expect(seen).toEqual([['other', { event: 'tock', n: 3 }]])
  })

  test('pass the filter of the publisher', async () => {
    const server = await startServer()
    const [client, other] = [await openClient(server), await openClient(server)]
    const seen: string[] = []
    await client.subscribe(['tick'], () => seen.push('first'))
    await other.subscribe(['tick'], () => seen.push('second'))
    server.publish({ event: 'tick' }, (caller) => caller.id === 2)
    await client.call('anything')
    await other.call('anything')
    expect(seen).toEqual(['second'])
  })

  test('that do not fit a frame are counted in lagged', async () => {
    const server = await startServer()
    const client = await openClient(server)
    const { promise, resolve } = Promise.withResolvers<unknown>()
    await client.subscribe(['tick'], resolve)
    server.publish({ event: 'tick', n: 'x'.repeat(MAX_FRAME_BYTES) } as { event: string })
    expect(await promise).toEqual({ event: 'lagged', data: { missed: 1, after: 0 } })
  })
})

test('an open client does not keep its process alive; a waiting call does', async () => {
  const server = await startServer()
  const run = async (source: string): Promise<string> => {
    const module = `import { connect } from ${JSON.stringify(import.meta.resolve('../../../src/ipc/client.ts'))}
      const client = await connect({ socketPath: process.argv[1] })
      ${source}`
    const args = ['--input-type=module', '-e', module, server.socketPath]
    return (await promisify(execFile)(process.execPath, args)).stdout
  }
  expect(await run(`console.log(JSON.stringify(await client.call('echo', { text: 'hi' })))`)).toBe('{"text":"hi"}\n')
  expect(await run(`console.log('connected')`)).toBe('connected\n')
})
