/** Objects and inboxes of a relay on loopback, as the daemon reaches them: by the real program personad-net. */
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { afterAll, describe, expect, onTestFinished, test } from 'vitest'
import type { Net } from '../../../src/daemon/net/net.ts'
import { WINDOW_BYTES } from '../../../src/netnode/protocol.ts'
import { systemClock } from '../../../src/process/pulse.ts'
import { RelayClient } from '../../../src/relay/client.ts'
import { acknowledge, followInbox, listEntries, postEntry, setSenders } from '../../../src/relay/inboxes.ts'
import {
  deleteObject,
  deletePersona,
  getObject,
  headObject,
  putObject,
  type ObjectsAt,
  type SignObject,
} from '../../../src/relay/objects.ts'
import { codeOf } from '../../support/code-of.ts'
import { alice, bob, inboxOf, inboxWorld } from '../../support/inbox-world.ts'
import { NOW_SEC, sodium } from '../../support/made-persona.ts'
import { NetStory } from '../../support/net-program.ts'
import { signOf, sourceOf } from '../../support/object-client.ts'
import { CARDS_URL } from '../../support/relay-cards.ts'
import { objectIdOf } from '../../support/relay-devices.ts'
import { objectWorld, type ObjectWorld, type ObjectWorldOptions } from '../../support/relay-object-world.ts'
import { WebServer } from '../../support/web-server.ts'

const MIB = 1 << 20
const ID = objectIdOf(1)

const ends: (() => Promise<void>)[] = []
afterAll(async () => {
  for (const end of ends) await end()
})
let shared: Promise<NetStory> | null = null

async function program(): Promise<NetStory> {
  shared ??= new NetStory({}, {}, (end) => void ends.push(end)).run()
  return await shared
}

/** A client whose relay knows itself by a name that leads nowhere. */
function clientOf(net: Net, url: string): RelayClient {
  const means = {
    fetch: net.fetch.bind(net),
    clock: { ...systemClock, nowMs: () => NOW_SEC * 1000 },
    random: () => 0.5,
  }
  return new RelayClient({ url: `${url}/`, origin: CARDS_URL }, means)
}

interface World extends ObjectWorld {
  readonly at: ObjectsAt
  readonly sign: SignObject
  readonly story: NetStory
}

async function world(options: ObjectWorldOptions = {}): Promise<World> {
  const [story, relay] = [await program(), await objectWorld(options)]
  const { net } = story
  const at = { client: clientOf(net, relay.server.url), fetch: net.fetch.bind(net), persona: relay.alice.personaId }
  return Object.assign(relay, { story, at, sign: signOf(relay.alice) })
}

async function whole(at: ObjectsAt, id: string, from = 0): Promise<Buffer> {
  const found = await getObject(at, id, { from, maxBytes: 20 * MIB })
  return Buffer.concat(await Array.fromAsync(found!.parts))
}

describe('an object', () => {
  test('of any size, in parts of any size, comes to the relay and back as it was, whole or from a byte on', async () => {
    const { at, sign } = await world()
    const bodies = [1, WINDOW_BYTES - 1, WINDOW_BYTES, WINDOW_BYTES + 1, 2 * WINDOW_BYTES, MIB + 7]
    for (const [i, bytes] of bodies.entries()) {
      const [id, body, partBytes] = [objectIdOf(i), randomBytes(bytes), i % 2 === 0 ? 192 << 10 : 1000]
      expect(await putObject(at, id, sourceOf(body, partBytes), sign), `${bytes}`).toBe('kept')
      expect(await headObject(at, id)).toEqual(sodium.sha256(body))
      expect(body.equals(await whole(at, id)), `${bytes}`).toBe(true)
      expect(body.subarray(bytes - 1).equals(await whole(at, id, bytes - 1)), `${bytes}`).toBe(true)
    }
  })

  test('is asked for, deleted, and goes with its persona', async () => {
    const { at, sign, kept } = await world()
    const body = randomBytes(3 * MIB)
    expect(await headObject(at, ID)).toBeNull()
    expect(await getObject(at, ID, { maxBytes: MIB })).toBeNull()
    expect(await putObject(at, ID, sourceOf(body), sign)).toBe('kept')
    expect(await putObject(at, ID, sourceOf(body), sign)).toBe('same')
    expect(body.equals(await whole(at, ID))).toBe(true)
    expect(await codeOf(getObject(at, ID, { maxBytes: body.length - 1 }))).toBe('RELAY_TOO_BIG')
    expect(await deleteObject(at, ID, sign)).toBe(true)
    expect(await deleteObject(at, ID, sign)).toBe(false)
    expect(await putObject(at, ID, sourceOf(body), sign)).toBe('kept')
    await deletePersona(at, sign)
    expect(kept()).toEqual([])
  })

  test('that the relay refuses before its end is refused with the reason of the relay, and its rest is not read', async () => {
    const { at, sign } = await world({ object: { maxObjectBytes: 1000 } })
    let read = 0
    const source = sourceOf(randomBytes(4 * MIB))
    const parts = async function* (): AsyncGenerator<Uint8Array> {
      for await (const part of source.parts()) {
        read += part.length
        yield part
      }
    }
    expect(await codeOf(putObject(at, ID, { ...source, parts }, sign))).toBe('RELAY_TOO_BIG')
    expect(read).toBeLessThan(source.bytes)
  })
})

describe('an object that stops on its way', () => {
  test('leaves nothing at the relay, and its source is closed: given up by the owner, failed or short at its source', async () => {
    const { at, sign, coming, kept } = await world()
    const body = randomBytes(MIB)
    const reason = new Error('enough')
    const ways: [string, (stop: AbortController) => void][] = [
      ['given up', (stop) => stop.abort(reason)],
      ['failed', () => expect.fail('the disk of the sender')],
      ['short', () => {}],
    ]
    for (const [way, halfway] of ways) {
      const stop = new AbortController()
      let isClosed = false
      const parts = async function* (): AsyncGenerator<Uint8Array> {
        try {
          yield body.subarray(0, MIB / 2)
          await expect.poll(coming).toHaveLength(1)
          halfway(stop)
        } finally {
          isClosed = true
        }
      }
      const put = putObject(at, ID, { ...sourceOf(body), parts }, sign, { signal: stop.signal })
      if (way === 'given up') await expect(put).rejects.toBe(reason)
      else expect(await codeOf(put), way).toBe('RELAY_UNREACHABLE')
      await expect.poll(() => isClosed, { message: way }).toBe(true)
      await expect.poll(coming, { message: way }).toEqual([])
    }
    expect(kept()).toEqual([])
    expect(await putObject(at, ID, sourceOf(body), sign)).toBe('kept')
  })

  test('because the relay takes nothing is not read on either, and goes on when the relay does', async () => {
    const TOTAL = 32 * MIB
    const { net } = await program()
    const { promise: asked, resolve: take } = Promise.withResolvers<Socket>()
    const server = createServer({ pauseOnConnect: true }, take)
    await once(server.listen(0, '127.0.0.1'), 'listening')
    onTestFinished(() => void server.close())
    let read = 0
    const body = new ReadableStream<Uint8Array>({
      pull: (controller) => {
        read += WINDOW_BYTES
        controller.enqueue(new Uint8Array(WINDOW_BYTES))
      },
    })
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
    const put = net.fetch(url, { method: 'PUT', body, bodyBytes: TOTAL })
    const socket = await asked
    const other = await WebServer.start((_request, response) => void response.end())
    for (let before = -1; before < read;) {
      before = read
      for (let i = 0; i < 20; i++) await (await net.fetch(other.url, { method: 'GET' })).body.cancel()
    }
    expect(read).toBeLessThan(TOTAL / 2)
    let taken = 0
    socket.on('data', ({ length }) => {
      taken += length
      if (taken > TOTAL) socket.end('HTTP/1.1 204 No Content\r\n\r\n')
    })
    socket.resume()
    expect((await put).status).toBe(204)
    expect(read).toBeGreaterThanOrEqual(TOTAL)
  })
})

describe('an inbox', () => {
  test('is written to, read by pages and by events, and ruled', async () => {
    const [{ net }, relay] = [await program(), await inboxWorld()]
    const client = clientOf(net, relay.url)
    const [fromAlice, bobs] = [inboxOf(bob, alice), inboxOf(bob, bob)]
    await postEntry(client, fromAlice, 'AAAA')
    await postEntry(client, fromAlice, 'BBBB')
    const { entries, next } = await listEntries(client, bobs, 0, { limit: 1 })
    expect([entries, next]).toMatchObject([[{ encId: 'AAAA' }], entries[0]!.n])
    await acknowledge(client, bobs, [entries[0]!.n])
    const seen: string[] = []
    for await (const { encId } of followInbox(client, bobs, 0)) {
      seen.push(encId)
      if (seen.length === 2) break
      await postEntry(client, fromAlice, 'CCCC')
    }
    expect(seen).toEqual(['BBBB', 'CCCC'])
    await expect.poll(() => relay.served.server.openStreams.size).toBe(0)
    await setSenders(client, bobs, { strangers: 0 })
    expect(await codeOf(postEntry(client, fromAlice, 'DDDD'))).toBe('RELAY_NO_STRANGERS')
  })
})
