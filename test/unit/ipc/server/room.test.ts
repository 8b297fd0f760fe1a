/** Limits of the memory and places that clients which stand still cost the others. */
import { describe, expect, test } from 'vitest'
import { Room, type Tenant } from '../../../../src/ipc/server/room.ts'
import { openClient, RawClient, startServer } from '../../../support/ipc.ts'

const HALF = 500_000

describe('clients that read nothing', () => {
  test('hold no more than the room; the one that stood still for longest is cut, and a client that reads is served', async () => {
    const room = new Room(4 * HALF)
    const server = await startServer({ room })
    const honest = await openClient(server)
    const deaf = Array.from({ length: 20 }, () => new RawClient(server))
    for (const client of deaf) {
      client.socket.pause()
      for (let n = 0; n < 4; n++) client.call(n, 'big', { bytes: HALF })
      expect(await honest.call('big', { bytes: HALF })).toHaveLength(HALF)
      expect(room.heldBytes).toBeLessThanOrEqual(4 * HALF)
    }
    await expect.poll(() => server.connections()).toBeLessThan(6)
    for (const client of deaf) client.socket.destroy()
    await expect.poll(() => room.heldBytes).toBe(0)
    expect(await honest.call('big', { bytes: HALF })).toHaveLength(HALF)
  })

  test('and clients that do not end a frame share the same room', async () => {
    const room = new Room(4 * HALF)
    const server = await startServer({ room })
    const honest = await openClient(server)
    for (let n = 0; n < 20; n++) new RawClient(server).socket.write('x'.repeat(HALF))
    await expect.poll(() => server.connections()).toBeLessThan(6)
    expect(room.heldBytes).toBeLessThanOrEqual(4 * HALF)
    expect(await honest.call('echo', { text: 'a' })).toEqual({ text: 'a' })
  })
})

describe('a new client', () => {
  test.each([
    ['idle', () => {}],
    ['subscribed and silent', (client: RawClient) => client.call(1, 'subscribe', { events: ['tick'] })],
    ['in the middle of a frame', (client: RawClient) => client.socket.write('{"type":')],
  ])('gets a place although all are taken by clients that are %s', async (_, begin) => {
    const server = await startServer({ limits: { maxConnections: 4, idleMs: 50 } })
    const idle = Array.from({ length: 4 }, () => new RawClient(server))
    for (const client of idle) begin(client)
    await expect.poll(() => server.connections()).toBe(4)
    await new Promise((resolve) => setTimeout(resolve, 100))
    const fresh = await openClient(server)
    expect(await fresh.call('echo', { text: 'a' })).toEqual({ text: 'a' })
    expect(server.connections()).toBe(4)
    await expect.poll(() => idle.map((client) => client.lastCode()).filter((code) => code === 'IDLE')).toHaveLength(1)
  })

  test('takes no place of a client at work, nor of a subscriber while another is idle', async () => {
    const server = await startServer({ limits: { maxConnections: 3, idleMs: 50 } })
    const [working, subscribed, idle] = [new RawClient(server), new RawClient(server), new RawClient(server)]
    working.call(1, 'wait', { n: 1 })
    subscribed.call(1, 'subscribe', { events: ['tick'] })
    await subscribed.received(1)
    idle.call(1, 'echo', { text: 'a' })
    await idle.received(1)
    await new Promise((resolve) => setTimeout(resolve, 100))
    await openClient(server)
    await idle.closed
    expect([working.frames.length, subscribed.frames.length]).toEqual([0, 1])
  })
})

test('long calls run a few at a time, and each client has one in a round', async () => {
  const room = new Room()
  const order: string[] = []
  const busy = Array.from({ length: 50 }, () => ({ movedAtMs: 0, isBusy: true, isSubscribed: false, cut() {} }))
  const call = async (name: string, tenant: (typeof busy)[0]): Promise<void> => {
    const leave = await room.enter(tenant)
    order.push(name)
    await new Promise((resolve) => setImmediate(resolve))
    leave()
  }
  const first = busy.flatMap((tenant) => [call('busy', tenant), call('busy', tenant)])
  await Promise.resolve()
  expect(order).toHaveLength(4)
  const honest = { ...busy[0]! }
  await call('honest', honest)
  expect(order.indexOf('honest')).toBeLessThan(56)
  await Promise.all(first)
  expect(order).toHaveLength(101)
})

test('a client that stays does not wait for those that connect anew for each long call', async () => {
  const room = new Room()
  const tenant = (): Tenant => ({ movedAtMs: 0, isBusy: true, isSubscribed: false, cut() {} })
  const seen = { strangers: 0, isOver: false }
  const call = async (from: Tenant): Promise<void> => {
    const leave = await room.enter(from)
    await new Promise((resolve) => setImmediate(resolve))
    leave()
  }
  // Each of 50 clients calls once and comes back as another connection.
  const comeBack = async (): Promise<void> => {
    while (!seen.isOver) {
      await call(tenant())
      seen.strangers++
    }
  }
  const others = Array.from({ length: 50 }, comeBack)
  const honest = tenant()
  for (let n = 0; n < 20; n++) {
    const before = seen.strangers
    await call(honest)
    expect(seen.strangers - before).toBeLessThanOrEqual(2 * 50)
  }
  seen.isOver = true
  await Promise.all(others)
})
