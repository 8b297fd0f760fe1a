/** Streams of inboxes over HTTP (docs/inbox.md, "Events"). */
import { expect, test } from 'vitest'
import type { ComingInboxEntry, FollowedInbox } from '../../../../src/relayd/inbox/inbox-service.ts'
import type { InboxEntry } from '../../../../src/relay/wire.ts'
import { HTTP_LIMITS } from '../../../../src/relayd/http/http-limits.ts'
import { RELAY_LIMITS } from '../../../../src/relay/limits.ts'
import { APP } from '../../../support/cards.ts'
import { HandClock } from '../../../support/hand-clock.ts'
import { alice, bob, carol, inboxWorld, pathOf, type InboxWorld } from '../../../support/inbox-world.ts'
import { testCards } from '../../../support/relay-cards.ts'
import { RawConnection, serveBoxes, type TestServer } from '../../../support/relay-http.ts'
import { TestBoxes } from '../../../support/test-boxes.ts'

const COMMENT = ': still here\n\n'
const MANY = { boxSends: { burst: 1e6, perSec: 1 }, address: { burst: 1e6, perSec: 1 } }
const COMMENT_MS = RELAY_LIMITS.wait.commentSec * 1000

/** Opens a stream of Bob's inbox by one of his devices. */
async function openStream(world: InboxWorld, { device = 1, after = 0 } = {}): Promise<RawConnection> {
  const path = `${pathOf(bob, 'events')}?app=${APP}&after=${after}`
  const connection = await RawConnection.open(world.served.port)
  const bearer = world.bearerOf(bob, { path, device })
  connection.socket.write(`GET ${path} HTTP/1.1\r\nHost: relay.example\r\nAuthorization: Bearer ${bearer}\r\n\r\n`)
  await connection.received(COMMENT)
  return connection
}

/** The entries that came so far. */
function eventsOf({ text }: RawConnection): { n: number; encId: string }[] {
  return [...text.matchAll(/^data: (.*)$/gm)].map(([, json]) => JSON.parse(json!) as { n: number; encId: string })
}

const idsIn = (stream: RawConnection): string[] => eventsOf(stream).map(({ encId }) => encId)

test('a stream gives the entries that are there and those that come, as a list gives them', async () => {
  const world = await inboxWorld()
  await world.post(alice, 'AAAA')
  const stream = await openStream(world)
  expect(stream.text).toMatch(/^HTTP\/1.1 200 .*Content-Type: text\/event-stream/is)
  await stream.received('AAAA')
  await world.post(alice, 'BBBB')
  await stream.received('BBBB')
  expect(eventsOf(stream)).toEqual(await world.list(bob))
})

test('a stream gives only what comes after its cursor, and nothing that its device has acknowledged', async () => {
  const world = await inboxWorld()
  for (const encId of ['AAAA', 'BBBB', 'CCCC']) await world.post(alice, encId)
  const [first, second] = await world.list(bob)
  await world.ack(bob, 1, [second!.n])
  const streams = [
    await openStream(world, { after: first!.n }),
    await openStream(world, { device: 2, after: first!.n }),
  ]
  for (const stream of streams) await stream.received('CCCC')
  expect(streams.map(idsIn)).toEqual([['CCCC'], ['BBBB', 'CCCC']])
})

test('more entries than a stream reads at once all come, each once and in order', async () => {
  const world = await inboxWorld({ others: MANY })
  const encIds = Array.from({ length: 40 }, (_, n) => `E${String(n).padStart(3, '0')}`)
  for (const encId of encIds.slice(0, 35)) await world.post(bob, encId)
  const stream = await openStream(world)
  for (const encId of encIds.slice(35)) await world.post(bob, encId)
  await stream.received('E039')
  expect(idsIn(stream)).toEqual(encIds)
})

test('an entry of another inbox wakes no stream', async () => {
  const world = await inboxWorld()
  await world.putCard(carol)
  const stream = await openStream(world)
  await world.post(alice, 'AAAA', { to: carol })
  await world.post(alice, 'BBBB')
  await stream.received('BBBB')
  expect(idsIn(stream)).toEqual(['BBBB'])
})

test('a stream ends when its device leaves the card, before the next entry', async () => {
  const world = await inboxWorld()
  const [left, stays] = [await openStream(world, { device: 2 }), await openStream(world)]
  await world.putCard(bob, { seq: 2, devices: [1] })
  await world.post(alice, 'AAAA')
  await stays.received('AAAA')
  await left.closed
  expect(idsIn(left)).toEqual([])
  expect(world.served.server.openStreams.size).toBe(1)
})

test('a stream of a device that left the card ends with the next comment, if nothing comes', async () => {
  const clock = new HandClock()
  const world = await inboxWorld({ clock })
  const stream = await openStream(world, { device: 2 })
  await world.putCard(bob, { seq: 2, devices: [1] })
  clock.turn(COMMENT_MS)
  await stream.closed
})

test('a stream of an inbox whose card is over ends', async () => {
  const clock = new HandClock()
  const world = await inboxWorld({ clock })
  const stream = await openStream(world)
  world.nowSec += 31 * 86_400
  clock.turn(COMMENT_MS)
  await stream.closed
})

test('a stream ends after an hour', async () => {
  const clock = new HandClock()
  const stream = await openStream(await inboxWorld({ clock }))
  for (let ms = 0; ms < HTTP_LIMITS.streamMs; ms += COMMENT_MS) clock.turn(COMMENT_MS)
  await stream.closed
})

/** A stream of an inbox whose entries a test announces and stores. */
async function announcedStream(after = 0): Promise<{
  stream: RawConnection
  announce: (coming: ComingInboxEntry) => void
  store: (...entries: readonly InboxEntry[]) => void
  state: { isListed: boolean }
}> {
  const stored: InboxEntry[] = []
  const state = { isListed: true }
  let told = (_coming: ComingInboxEntry | null): void => {}
  const inbox: FollowedInbox = {
    after,
    read: async (from) => (state.isListed ? { entries: stored.filter(({ n }) => n > from), next: null } : null),
    isListed: async () => state.isListed,
    watch: (listener) => {
      told = listener
      return () => {}
    },
  }
  const inboxes = Object.assign(testCards().inboxes, { follow: async () => ({ outcome: 'followed' as const, inbox }) })
  const served = await serveBoxes({ boxes: new TestBoxes(), inboxes })
  const stream = await RawConnection.open(served.port)
  stream.socket.write(`GET ${pathOf(bob, 'events')} HTTP/1.1\r\nHost: relay.example\r\n\r\n`)
  await stream.received(COMMENT)
  return {
    stream,
    announce: (coming) => told(coming),
    store: (...entries) => {
      stored.push(...entries)
      told(null)
    },
    state,
  }
}

const numbered = (n: number, encId: string): InboxEntry => ({ n, from: '', app: APP, kid: '', at: '', encId })

test('an entry is given while it goes to the disk, and only once, where its reader has all before it', async () => {
  const { stream, announce, store } = await announcedStream()
  announce({ after: 0, entry: numbered(1, 'AAAA') })
  await stream.received('AAAA')
  store(numbered(1, 'AAAA'), numbered(2, 'BBBB'))
  await stream.received('BBBB')
  // Two come together, and the first one is on its way still.
  announce({ after: 3, entry: numbered(4, 'DDDD') })
  announce({ after: 1, entry: numbered(2, 'BBBB') })
  store(numbered(3, 'CCCC'), numbered(4, 'DDDD'))
  await stream.received('DDDD')
  expect(idsIn(stream)).toEqual(['AAAA', 'BBBB', 'CCCC', 'DDDD'])
})

test('an entry that still goes to the disk ends the stream of a device that left the card', async () => {
  const { stream, announce, state } = await announcedStream()
  state.isListed = false
  announce({ after: 0, entry: numbered(1, 'AAAA') })
  await stream.closed
  expect(idsIn(stream)).toEqual([])
})

/** A stream of an inbox that never ends to have entries of 1 MiB. */
async function endlessStream(
  clock: HandClock,
): Promise<{ stream: RawConnection; served: TestServer; reads: number[] }> {
  const reads: number[] = []
  const inbox: FollowedInbox = {
    after: 0,
    read: async (after) => {
      reads.push(after)
      const entry = { n: after + 1, from: '', app: APP, kid: '', at: '', encId: 'A'.repeat(1 << 20) }
      return { entries: [entry], next: after + 1 }
    },
    isListed: async () => true,
    watch: () => () => {},
  }
  const inboxes = Object.assign(testCards().inboxes, { follow: async () => ({ outcome: 'followed' as const, inbox }) })
  const served = await serveBoxes({ boxes: new TestBoxes(), inboxes, clock })
  const stream = await RawConnection.open(served.port)
  stream.socket.pause()
  stream.socket.write(`GET ${pathOf(bob, 'events')} HTTP/1.1\r\nHost: relay.example\r\n\r\n`)
  // The system takes some megabytes before it makes the relay wait.
  for (let quiet = 0, before = 0; quiet < 200; before = reads.length) {
    await new Promise((resolve) => setImmediate(resolve))
    quiet = reads.length === before && before > 0 ? quiet + 1 : 0
  }
  return { stream, served, reads }
}

test('a stream waits for its reader, and gives the rest when they take it', async () => {
  const { stream, reads } = await endlessStream(new HandClock())
  const before = reads.length
  stream.socket.resume()
  while (reads.length < before + 3) await new Promise((resolve) => setImmediate(resolve))
  expect(reads).toEqual(reads.map((_, n) => n))
})

test('a reader that takes nothing for a whole interval loses the stream', async () => {
  const clock = new HandClock()
  const { served } = await endlessStream(clock)
  for (let n = 0; n < 2; n++) clock.turn(COMMENT_MS)
  while (served.server.openStreams.size > 0) await new Promise((resolve) => setImmediate(resolve))
  expect(served.server.counters.all()).toContainEqual(['connections_ended_total{reason="slow reader"}', 1])
})

test('streams of inboxes count with those of boxes', async () => {
  const world = await inboxWorld({ others: MANY })
  await Promise.all(Array.from({ length: RELAY_LIMITS.wait.maxStreamsOfAddress }, () => openStream(world)))
  const refused = await world.call(bob, { path: `${pathOf(bob, 'events')}?app=${APP}` })
  expect([refused.status, refused.body]).toEqual([429, { ok: false, error: 'Too often', retryAfter: 60 }])
  const wait = await fetch(`${world.url}/wait`, { method: 'POST', body: '{"boxes":[{"pub":"a","at":0}]}' })
  expect(await wait.json()).toEqual({ ok: false, error: 'Too often', retryAfter: 60 })
})

test('a stop ends the streams', async () => {
  const world = await inboxWorld()
  const stream = await openStream(world)
  await world.served.server.close()
  await stream.closed
})
