/** Hostile bytes on the real socket. After each attack the other clients must still be served. */
import { execFile } from 'node:child_process'
import { linkSync } from 'node:fs'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { connect } from '../../src/ipc/client.ts'
import { MAX_FRAME_BYTES } from '../../src/ipc/wire/frame.ts'
import type { IpcServer } from '../../src/ipc/server/server.ts'
import { Gate, openClient, RawClient, startServer, testHandlers, type TestEvent } from '../support/ipc.ts'

/** Checks that the client that was connected before and a new one get answers. */
async function expectAlive(server: IpcServer, before: Awaited<ReturnType<typeof openClient>>): Promise<void> {
  expect(await before.call('echo', { text: 'before' })).toEqual({ text: 'before' })
  const after = await openClient(server)
  expect(await after.call('echo', { text: 'after' })).toEqual({ text: 'after' })
  await after.close()
}

function frame(data: unknown): string {
  return `${JSON.stringify({ type: 'rpc', data })}\f`
}

function echoFrame(text: string): string {
  return frame({ jsonrpc: '2.0', id: 1, method: 'echo', params: { text } })
}

function isLagged({ data }: { data: unknown }): boolean {
  return (data as { event?: string }).event === 'lagged'
}

const brokenStreams: { what: string; bytes: string | Uint8Array; code: string }[] = [
  { what: 'a frame over the cap', bytes: `"${'x'.repeat(MAX_FRAME_BYTES)}"\f`, code: 'FRAME_TOO_LARGE' },
  { what: 'a frame over the cap that never ends', bytes: 'x'.repeat(3 * MAX_FRAME_BYTES), code: 'FRAME_TOO_LARGE' },
  { what: 'garbage UTF-8', bytes: Buffer.from([0x22, 0xff, 0xfe, 0x22, 0x0c]), code: 'FRAME_NOT_UTF8' },
  { what: 'another protocol', bytes: 'GET / HTTP/1.1\r\n\r\n\f', code: 'FRAME_NOT_JSON' },
  { what: 'zeros', bytes: Buffer.concat([Buffer.alloc(1000), Buffer.from('\f')]), code: 'FRAME_NOT_JSON' },
  { what: 'JSON nested 100000 deep', bytes: `${'['.repeat(100_000)}${']'.repeat(100_000)}\f`, code: 'FRAME_TOO_DEEP' },
  {
    what: 'params nested 100000 deep',
    bytes: `{"type":"rpc","data":{"jsonrpc":"2.0","id":1,"method":"anything","params":{"value":${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}}}}\f`,
    code: 'FRAME_TOO_DEEP',
  },
  { what: 'an event', bytes: '{"type":"event","data":{"event":"tick"}}\f', code: 'FRAME_TYPE_UNKNOWN' },
  { what: "a name of node-ipc's own events", bytes: '{"type":"error","data":{}}\f', code: 'FRAME_TYPE_UNKNOWN' },
  { what: 'a name of Object.prototype', bytes: '{"type":"__proto__","data":{}}\f', code: 'FRAME_TYPE_UNKNOWN' },
  { what: 'no envelope', bytes: '[]\f', code: 'FRAME_NOT_ENVELOPE' },
]

describe('a broken stream', () => {
  test.each(brokenStreams)('gets an error and is closed, and nobody else: $what', async ({ bytes, code }) => {
    const server = await startServer()
    const before = await openClient(server)
    const hostile = new RawClient(server)
    hostile.call(1, 'echo', { text: 'the frame before it is answered' })
    await hostile.received(1)
    hostile.socket.write(bytes)
    await hostile.closed
    expect(hostile.lastCode()).toBe(code)
    expect(hostile.frames).toHaveLength(2)
    await expectAlive(server, before)
  })

  test('is not read further: calls after the bad frame do not run', async () => {
    const ran: string[] = []
    const handlers = { ...testHandlers(), echo: ({ text }: { text: string }) => (ran.push(text), { text }) }
    const server = await startServer({ handlers })
    const hostile = new RawClient(server)
    hostile.socket.write(`${echoFrame('first')}x\f${echoFrame('second')}`)
    await hostile.closed
    hostile.socket.end(echoFrame('third'))
    await expectAlive(server, await openClient(server))
    expect(ran).toEqual(['first', 'before', 'after'])
  })
})

describe('a client', () => {
  test('that does not end a frame in time is closed, but not one between two frames', async () => {
    const server = await startServer({ limits: { frameTimeoutMs: 50 } })
    const [idle, hostile] = [await openClient(server), new RawClient(server)]
    hostile.socket.write('{"type":')
    await hostile.closed
    expect(hostile.lastCode()).toBe('FRAME_TIMEOUT')
    await expectAlive(server, idle)
  })

  test('that drips single bytes is closed after the same time', async () => {
    const server = await startServer({ limits: { frameTimeoutMs: 50 } })
    const hostile = new RawClient(server)
    const drip = (): void => {
      if (hostile.socket.writable && hostile.frames.length === 0) hostile.socket.write(' ', () => setImmediate(drip))
    }
    drip()
    await hostile.closed
    expect(hostile.lastCode()).toBe('FRAME_TIMEOUT')
  })

  test('that ends its side still gets its answers, and is then closed', async () => {
    const gate = new Gate()
    const server = await startServer({ handlers: testHandlers(gate), limits: { maxInFlight: 2 } })
    const halfOpen = new RawClient(server)
    for (let n = 0; n < 5; n++) halfOpen.call(n, 'wait', { n })
    halfOpen.socket.end()
    await expect.poll(() => gate.running).toBe(2)
    gate.open()
    await halfOpen.closed
    expect(halfOpen.frames).toHaveLength(5)
    await expect.poll(() => server.connections()).toBe(0)
  })

  test('that ends its side inside a frame, or sends nothing, is dropped', async () => {
    const server = await startServer()
    const before = await openClient(server)
    for (const bytes of ['', '{"type":', 'x'.repeat(100_000)]) {
      const halfOpen = new RawClient(server)
      halfOpen.socket.end(bytes)
      await halfOpen.closed
    }
    await expect.poll(() => server.connections()).toBe(1)
    await expectAlive(server, before)
  })

  test('that is gone before its answer does no harm', async () => {
    const gate = new Gate()
    const server = await startServer({ handlers: testHandlers(gate) })
    const [before, gone] = [await openClient(server), new RawClient(server)]
    gone.call(1, 'wait', { n: 1 })
    await expect.poll(() => gate.running).toBe(1)
    gone.socket.destroy()
    gate.open()
    await expect.poll(() => server.connections()).toBe(1)
    await expectAlive(server, before)
  })
})

describe('10000 pipelined calls', () => {
  test('are all answered, a few at a time, while the sender waits', async () => {
    const gate = new Gate()
    const server = await startServer({ handlers: testHandlers(gate) })
    const [before, hostile] = [await openClient(server), new RawClient(server)]
    const padding = ' '.repeat(2000)
    for (let n = 0; n < 10_000; n++) {
      hostile.socket.write(`${padding}${frame({ jsonrpc: '2.0', id: n, method: 'wait', params: { n } })}`)
    }
    await expect.poll(() => gate.running).toBe(32)
    await expectAlive(server, before)
    // 20 MB were sent. The bytes that the server has not read are still with the sender.
    expect(hostile.socket.writableLength).toBeGreaterThan(18_000_000)
    gate.open()
    const frames = await hostile.received(10_000)
    const ids = frames.map(({ data }) => (data as { id: number; result: { n: number } }).id)
    expect(ids.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 10_000 }, (_, n) => n))
    expect(gate.mostRunning).toBe(32)
    await expectAlive(server, before)
  })

  test('of a client that reads no answer stop when its unread answers reach the limit', async () => {
    let ran = 0
    const handlers = { ...testHandlers(), big: ({ bytes }: { bytes: number }) => (ran++, 'x'.repeat(bytes)) }
    const server = await startServer({ handlers, limits: { maxPending: 1_000_000 } })
    const [before, hostile] = [await openClient(server), new RawClient(server)]
    hostile.socket.pause()
    for (let n = 0; n < 10_000; n++) hostile.call(n, 'big', { bytes: 100_000 })
    await expect.poll(() => ran).toBeGreaterThan(9)
    await expectAlive(server, before)
    await expectAlive(server, before)
    // The limit, and the buffers of the kernel.
    expect(ran).toBeLessThan(30)
    hostile.socket.resume()
    await hostile.received(500)
    expect(ran).toBeGreaterThan(400)
  })
})

describe('a subscriber that does not read', () => {
  test('misses events and learns how many; another subscriber receives all', async () => {
    const server = await startServer({ limits: { maxPending: 200_000 } })
    const [reader, hostile] = [await openClient(server), new RawClient(server)]
    const seen: number[] = []
    await reader.subscribe(['tick'], (event) => {
      if (event.event === 'tick') seen.push(event.n)
    })
    hostile.call(1, 'subscribe', { events: ['tick'] })
    await hostile.received(1)
    hostile.socket.pause()
    const words = 'x'.repeat(1000)
    for (let n = 0; n < 5000; n++) {
      server.publish({ event: 'tick', n, words } as TestEvent)
      if (n % 50 === 0) await reader.call('anything')
    }
    await reader.call('anything')
    expect(seen).toEqual(Array.from({ length: 5000 }, (_, n) => n))

    hostile.socket.resume()
    await expect.poll(() => hostile.frames.findIndex(isLagged)).toBeGreaterThan(0)
    server.publish({ event: 'tick', n: 5000 } as TestEvent)
    await expect.poll(() => hostile.frames.at(-1)?.data).toEqual({ event: 'tick', n: 5000 })
    const events = hostile.frames.slice(1).map(({ data }) => data as TestEvent & { data?: { missed: number } })
    const missed = events.reduce((sum, { data }) => sum + (data?.missed ?? 0), 0)
    const got = events.filter(({ event }) => event === 'tick').map(({ n }) => n)
    // In order from the first one, and every loss is counted.
    expect(got.length + missed).toBe(5001)
    expect(got.length).toBeLessThan(2000)
    expect(got.slice(0, -1)).toEqual(Array.from({ length: got.length - 1 }, (_, n) => n))
    hostile.call(2, 'echo', { text: 'and calls go on' })
    await expect.poll(() => hostile.frames.at(-1)?.data).toMatchObject({ id: 2 })
  })
})

describe('the server', () => {
  test('survives a throw in a handler, and its caller learns no details', async () => {
    const server = await startServer()
    const before = await openClient(server)
    for (const method of ['throw', 'reject', 'unsayable'] as const) {
      const failing = await openClient(server)
      await expect(failing.call(method)).rejects.toMatchObject({
        code: 'INTERNAL',
        message: `the daemon failed in ${method}`,
      })
      expect(await failing.call('echo', { text: 'a' })).toEqual({ text: 'a' })
    }
    await expectAlive(server, before)
  })

  test('gives an app only its permissions, and the owner all', async () => {
    const app = await openClient(await startServer({ role: 'app' }))
    await expect(app.call('erase')).rejects.toMatchObject({ code: 'PERMISSION_DENIED' })
    const granted = await openClient(await startServer({ role: 'app', appPermissions: ['admin'] }))
    expect(await granted.call('erase')).toBe(null)
    await expect(granted.call('echo', { text: 'a' })).rejects.toMatchObject({ code: 'PERMISSION_DENIED' })
    const admin = await openClient(await startServer({ role: 'admin' }))
    expect(await admin.call('erase')).toBe(null)
  })

  test('answers running calls before it closes, and accepts no more', async () => {
    const gate = new Gate()
    const server = await startServer({ handlers: testHandlers(gate), limits: { maxInFlight: 2 } })
    const client = new RawClient(server)
    for (let n = 0; n < 5; n++) client.call(n, 'wait', { n })
    await expect.poll(() => gate.running).toBe(2)
    // A client that uses the socket under another name is too late as well.
    const otherName = `${server.socketPath}2`
    linkSync(server.socketPath, otherName)
    const closed = server.close()
    await expect(connect({ socketPath: otherName })).rejects.toMatchObject({ code: 'DAEMON_UNREACHABLE' })
    await expect(openClient(server)).rejects.toMatchObject({ code: 'DAEMON_UNREACHABLE' })
    gate.open()
    await client.closed
    client.socket.destroy()
    await closed
    expect(client.frames.map(({ data }) => (data as { id: number }).id)).toEqual([0, 1])
  })

  test('closes in a bounded time, whatever runs and whoever does not read', async () => {
    const server = await startServer({ limits: { drainMs: 30, lingerMs: 10 } })
    const [waiting, deaf] = [new RawClient(server), new RawClient(server)]
    waiting.call(1, 'wait', { n: 1 })
    deaf.socket.pause()
    for (let n = 0; n < 50; n++) deaf.call(n, 'big', { bytes: 500_000 })
    waiting.call(2, 'echo', { text: 'arrived' })
    await waiting.received(1)
    await server.close()
    expect(server.connections()).toBe(0)
  })
})

test('a client in Python needs a few lines of its standard library', async () => {
  const server = await startServer()
  const python = (...args: string[]): Promise<{ stdout: string }> =>
    promisify(execFile)('python3', [`${import.meta.dirname}/../support/client.py`, server.socketPath, ...args])
  const { stdout } = await python('echo', '{"text": "grüße"}')
  expect(JSON.parse(stdout)).toEqual({ text: 'grüße' })
  await expect(python('erase')).rejects.toMatchObject({
    stderr: expect.stringMatching(/^PERMISSION_DENIED: /) as string,
  })
})
