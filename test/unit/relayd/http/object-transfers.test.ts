/** Objects on their way: bodies that break off or stall, readers that leave, and requests for one object at once. */
import { randomBytes } from 'node:crypto'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { OBJECT_ERRORS } from '../../../../src/relay/wire.ts'
import { HTTP_LIMITS } from '../../../../src/relayd/http/http-limits.ts'
import { HandClock } from '../../../support/hand-clock.ts'
import { RawConnection } from '../../../support/relay-http.ts'
import { etagOf, objectWorld, type ObjectWorld } from '../../../support/relay-object-world.ts'

const BODY = 'x'.repeat(1000)
const HALF = 'x'.repeat(500)

/** A sender that has sent the header and a part of the body, which the relay has. */
async function sendPart(relay: ObjectWorld, number = 1, body = HALF): Promise<RawConnection> {
  const { alice, server } = relay
  const sender = await RawConnection.open(server.port)
  sender.socket.write(alice.putHeader(alice.objectPath(number), BODY) + body)
  await expect.poll(() => bytesComing(relay)).toBe(body.length)
  return sender
}

/** Bytes that the files have of objects that are coming. */
function bytesComing({ directory, coming }: ObjectWorld): number {
  return coming().reduce((sum, name) => sum + statSync(join(directory, 'objects/coming', name)).size, 0)
}

function counted({ server }: ObjectWorld, name: string): number {
  return server.server.counters.all().find(([each]) => each === name)?.[1] ?? 0
}

/** Resolves once nothing of an upload is left. */
async function expectNothing({ store, kept, coming }: ObjectWorld): Promise<void> {
  await expect.poll(() => store.objects.unfinished(10)).toEqual([])
  expect([kept(), coming()]).toEqual([[], []])
  expect(await store.stats()).toMatchObject({ objects: 0 })
}

test('a sender that leaves in the middle leaves nothing, and may send the object again', async () => {
  const relay = await objectWorld()
  const before = await relay.store.stats()
  const sender = await sendPart(relay)
  sender.socket.destroy()
  await expectNothing(relay)
  expect(await relay.store.stats()).toEqual(before)
  expect((await relay.alice.ask('PUT', relay.alice.objectPath(1), BODY)).status).toBe(201)
})

test('a store that fails while a short body is still coming fails that request alone', async () => {
  const relay = await objectWorld()
  const { alice, server, store } = relay
  const unhandled: unknown[] = []
  const note = (error: unknown): void => void unhandled.push(error)
  process.on('unhandledRejection', note)
  onTestFinished(() => void process.off('unhandledRejection', note))
  const begin = store.objects.begin.bind(store.objects)
  const { promise: begun, resolve } = Promise.withResolvers<void>()
  store.objects.begin = async () => {
    resolve()
    throw new Error('the disk is away')
  }
  const sender = await RawConnection.open(server.port)
  sender.socket.write(alice.putHeader(alice.objectPath(1), BODY) + HALF)
  await begun
  // Node looks for rejections that nobody handled after each round.
  await new Promise((round) => void setImmediate(round))
  sender.socket.write(HALF)
  await expect.poll(() => sender.text).toContain('HTTP/1.1 500')
  expect(unhandled).toEqual([])
  store.objects.begin = begin
  expect((await alice.ask('PUT', alice.objectPath(1), BODY)).status).toBe(201)
})

test('a sender that falls silent is cut off, and leaves nothing', async () => {
  const clock = new HandClock()
  const relay = await objectWorld({ clock })
  const sender = await sendPart(relay)
  clock.turn(HTTP_LIMITS.requestMs - 1)
  expect(sender.socket.closed).toBe(false)
  clock.turn(1)
  await sender.closed
  expect(sender.text).toBe('')
  expect(counted(relay, 'connections_ended_total{reason="slow sender"}')).toBe(1)
  await expectNothing(relay)
})

test('a sender that is never silent and always slow is cut off after the time of its body', async () => {
  const clock = new HandClock()
  const minBytesPerSec = 50
  const relay = await objectWorld({ clock, http: { minBytesPerSec } })
  const sender = await sendPart(relay)
  const wholeMs = HTTP_LIMITS.requestMs + (BODY.length / minBytesPerSec) * 1000
  const stepMs = HTTP_LIMITS.requestMs / 2
  let passedMs = 0
  for (let bytes = HALF.length + 1; passedMs + stepMs < wholeMs; bytes++) {
    clock.turn(stepMs)
    passedMs += stepMs
    expect(sender.socket.closed).toBe(false)
    sender.socket.write('x')
    await expect.poll(() => bytesComing(relay)).toBe(bytes)
  }
  expect(passedMs).toBeGreaterThan(HTTP_LIMITS.requestMs)
  clock.turn(wholeMs - passedMs)
  await sender.closed
  await expectNothing(relay)
})

test('of two requests for one object the second is refused while the first sends', async () => {
  const relay = await objectWorld()
  const { alice } = relay
  const sender = await sendPart(relay)
  const other = await alice.ask('PUT', alice.objectPath(1), BODY)
  expect([other.status, other.body]).toEqual([409, { ok: false, error: 'Busy' }])
  expect(OBJECT_ERRORS).toContain('Busy')
  expect((await alice.ask('GET', alice.objectPath(1))).status).toBe(404)
  expect((await alice.ask('DELETE', alice.objectPath(1))).status).toBe(404)
  sender.socket.write(BODY.slice(HALF.length))
  await sender.received('201 Created')
  expect((await alice.ask('GET', alice.objectPath(1))).bytes.toString()).toBe(BODY)
})

test('a persona that is deleted takes along what its devices are sending', async () => {
  // On this clock no sender is ever too slow.
  const relay = await objectWorld({ clock: new HandClock() })
  const sender = await sendPart(relay)
  expect((await relay.alice.ask('DELETE', relay.alice.personaPath)).status).toBe(200)
  await sender.closed
  expect(sender.text).toBe('')
  await expectNothing(relay)
})

test('a refusal reaches a sender after its whole body, on a connection that goes on', async () => {
  const { alice, server } = await objectWorld()
  const sender = await RawConnection.open(server.port)
  const body = 'y'.repeat(3 << 20)
  const path = alice.objectPath(1)
  sender.socket.write(alice.putHeader(path, BODY, body.length) + body)
  await sender.received('"error":"Request"')
  sender.text = ''
  sender.socket.write(alice.putHeader(path, BODY) + BODY)
  await sender.received('201 Created')
})

test('only so many objects travel at one time, and so many of one address', async () => {
  for (const object of [{ maxTransfers: 1 }, { maxTransfersOfAddress: 1 }]) {
    const relay = await objectWorld({ object })
    const { alice } = relay
    expect((await alice.ask('PUT', alice.objectPath(2), BODY)).status).toBe(201)
    const sender = await sendPart(relay)
    for (const method of ['PUT', 'GET']) {
      const busy = await alice.ask(method, alice.objectPath(method === 'PUT' ? 3 : 2), method === 'PUT' ? BODY : '')
      expect([busy.status, busy.body]).toEqual([429, { ok: false, error: 'Too often', retryAfter: 10 }])
    }
    sender.socket.write(BODY.slice(HALF.length))
    await sender.received('201 Created')
    await expect.poll(() => relay.objects.transfers).toBe(0)
    expect((await alice.ask('GET', alice.objectPath(2))).status).toBe(200)
  }
})

test('a reader that takes nothing is cut off, and one that leaves frees its place', async () => {
  const clock = new HandClock()
  const relay = await objectWorld({ clock })
  const { alice, server, objects } = relay
  const body = randomBytes(16 << 20)
  expect((await alice.ask('PUT', alice.objectPath(1), body)).headers.get('etag')).toBe(etagOf(body))
  const request = `GET ${alice.objectPath(1)} HTTP/1.1\r\nHost: x\r\n\r\n`
  const lazy = await RawConnection.open(server.port)
  lazy.socket.pause()
  lazy.socket.write(request)
  await expect.poll(() => objects.transfers).toBe(1)
  const { requestMs, minBytesPerSec } = HTTP_LIMITS
  await expect.poll(() => counted(relay, 'requests_total{route="object",outcome="get: found"}')).toBe(1)
  clock.turn(requestMs + (body.length / minBytesPerSec) * 1000)
  await expect.poll(() => objects.transfers).toBe(0)
  expect(counted(relay, 'connections_ended_total{reason="slow reader"}')).toBe(1)
  const brief = await RawConnection.open(server.port)
  brief.socket.write(request)
  await brief.received('200 OK')
  brief.socket.destroy()
  await expect.poll(() => objects.transfers).toBe(0)
  expect(server.errors).toEqual([])
})
