/** The client's side of objects, against the server over HTTP. */
import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { RelayClient } from '../../../src/relay/client.ts'
import type { ObjectFetch } from '../../../src/relay/means.ts'
import { errorOfObjectRefusal } from '../../../src/relay/object-refusal.ts'
import {
  deleteObject,
  deletePersona,
  getObject,
  headObject,
  putObject,
  type ObjectsAt,
  type SignObject,
} from '../../../src/relay/objects.ts'
import { isPassing } from '../../../src/relay/repeat.ts'
import { OBJECT_ERRORS } from '../../../src/relay/wire.ts'
import { codeOf } from '../../support/code-of.ts'
import { NOW_SEC, sodium } from '../../support/made-persona.ts'
import { signOf, sourceOf } from '../../support/object-client.ts'
import { CARDS_URL } from '../../support/relay-cards.ts'
import { objectIdOf } from '../../support/relay-devices.ts'
import { objectWorld, type ObjectWorld, type ObjectWorldOptions } from '../../support/relay-object-world.ts'

const MIB = 1 << 20
const [ID, OTHER] = [objectIdOf(1), objectIdOf(2)]

interface World extends ObjectWorld {
  readonly at: ObjectsAt
  readonly sign: SignObject
}

/** A client whose clock is `aheadSec` before that of the relay. It calls the relay by its name; the requests go to the test's server. */
async function world(options: ObjectWorldOptions = {}, aheadSec = 0): Promise<World> {
  const relay = await objectWorld(options)
  const fetch: ObjectFetch = (to, request) => globalThis.fetch(to.replace(CARDS_URL, relay.server.url), request)
  const clock = { nowMs: () => (NOW_SEC + aheadSec) * 1000, after: () => () => {} }
  const client = new RelayClient(
    { url: `${CARDS_URL}/`, origin: CARDS_URL },
    { fetch: () => Promise.reject(new Error('of boxes')), clock, random: () => 0.5 },
  )
  const at = { client, fetch, persona: relay.alice.personaId }
  return Object.assign(relay, { at, sign: signOf(relay.alice) })
}

/** Reads an object to its end. */
async function whole(at: ObjectsAt, id: string, from = 0, maxBytes = 32 * MIB): Promise<Buffer | null> {
  const found = await getObject(at, id, { from, maxBytes })
  return found === null ? null : Buffer.concat(await Array.fromAsync(found.parts))
}

test('a client puts an object in parts, and gets it whole or from a byte on', async () => {
  const { at, sign } = await world()
  const body = randomBytes(MIB + 7)
  expect(await headObject(at, ID)).toBeNull()
  expect(await whole(at, ID)).toBeNull()
  expect(await putObject(at, ID, sourceOf(body), sign)).toBe('kept')
  expect(await headObject(at, ID)).toEqual(sodium.sha256(body))
  const found = await getObject(at, ID, { maxBytes: body.length })
  expect([found!.bytes, found!.hash]).toEqual([body.length, sodium.sha256(body)])
  expect(body.equals(Buffer.concat(await Array.fromAsync(found!.parts)))).toBe(true)
  for (const from of [1, MIB, body.length - 1])
    expect(body.subarray(from).equals((await whole(at, ID, from))!)).toBe(true)
  expect(await whole(at, ID, body.length)).toBeNull()
})

test('a client that repeats hears whether its own object is there, or another one', async () => {
  const { at, sign } = await world()
  const body = randomBytes(100)
  expect(await putObject(at, ID, sourceOf(body), sign)).toBe('kept')
  expect(await putObject(at, ID, sourceOf(body), sign)).toBe('same')
  expect(await putObject(at, ID, sourceOf(randomBytes(100)), sign)).toBe('other')
})

test('a client signs by the time of the relay, also where its clock is hours off', async () => {
  for (const aheadSec of [7200, -7200]) {
    const { at, sign } = await world({}, aheadSec)
    expect(await putObject(at, ID, sourceOf(randomBytes(MIB)), sign)).toBe('kept')
    expect(await deleteObject(at, ID, sign)).toBe(true)
  }
})

test('a client deletes an object, and all of its persona', async () => {
  const { at, sign, kept } = await world()
  await putObject(at, ID, sourceOf(randomBytes(10)), sign)
  await putObject(at, OTHER, sourceOf(randomBytes(10)), sign)
  expect(await deleteObject(at, ID, sign)).toBe(true)
  expect(await deleteObject(at, ID, sign)).toBe(false)
  await deletePersona(at, sign)
  expect(kept()).toEqual([])
  expect(await codeOf(deletePersona(at, sign))).toBe('RELAY_NO_CARD')
})

test('each refusal has a code that says what to do', async () => {
  const { at, alice, sign } = await world({ object: { maxObjectBytes: 1000, maxPersonaBytes: 8000 } })
  const put = (id: string, bytes: number, by = sign): Promise<string> =>
    codeOf(putObject(at, id, sourceOf(randomBytes(bytes)), by))
  expect(await put(ID, 10, signOf(alice, 3))).toBe('RELAY_NO_CARD')
  expect(await put(ID, 10, () => 'x')).toBe('RELAY_NO_RIGHT')
  expect(await put(ID, 1001)).toBe('RELAY_TOO_BIG')
  expect(await put(ID, 10)).toBe('done')
  expect(await put(OTHER, 10)).toBe('RELAY_STORE_FULL')
  const passing = OBJECT_ERRORS.filter((error) => isPassing(errorOfObjectRefusal({ error })))
  expect(passing).toEqual(['Busy', 'Too often', 'Full'])
})

test('parts that fail end the call, and leave nothing at the relay', async () => {
  const { at, sign, coming, kept } = await world()
  const source = sourceOf(randomBytes(MIB))
  const failing = {
    ...source,
    parts: async function* (): AsyncGenerator<Uint8Array> {
      yield new Uint8Array(1000)
      throw new Error('the disk of the sender')
    },
  }
  expect(await codeOf(putObject(at, ID, failing, sign))).toBe('RELAY_UNREACHABLE')
  expect(await headObject(at, ID)).toBeNull()
  // The relay may still wait for the rest.
  await expect.poll(() => putObject(at, ID, source, sign)).toBe('kept')
  expect([coming(), kept().length]).toEqual([[], 1])
})

/** A client of something that answers with these headers and parts. */
async function answered(
  status: number,
  headers: Record<string, string>,
  parts: readonly Uint8Array[],
): Promise<ObjectsAt> {
  const { at } = await world()
  return { ...at, fetch: () => Promise.resolve(new Response(ReadableStream.from(parts), { status, headers })) }
}

const etag = `"${Buffer.alloc(32).toString('base64url')}"`
const part = (bytes: number): Uint8Array => new Uint8Array(bytes)

test('a relay that sends more, less or other parts than it says is not believed', async () => {
  const range = 'bytes 0-9/10'
  const read = async (...of: Parameters<typeof answered>): Promise<string> =>
    codeOf(whole(await answered(...of), ID, 0, 100))
  expect(await read(206, { etag, 'content-range': range }, [part(4), part(6)])).toBe('done')
  expect(await read(206, { etag, 'content-range': range }, [part(4), part(7)])).toBe('RELAY_STRANGE')
  expect(await read(206, { etag, 'content-range': range }, [part(9)])).toBe('RELAY_UNREACHABLE')
  expect(await read(206, { etag, 'content-range': 'bytes 0-100/101' }, [part(101)])).toBe('RELAY_TOO_BIG')
  expect(await read(206, { etag, 'content-range': 'bytes 1-9/10' }, [part(9)])).toBe('RELAY_STRANGE')
  expect(await read(206, { etag, 'content-range': 'bytes 0-8/10' }, [part(9)])).toBe('RELAY_STRANGE')
  expect(await read(206, { 'content-range': range }, [part(10)])).toBe('RELAY_STRANGE')
  expect(await read(206, { etag: '"x"', 'content-range': range }, [part(10)])).toBe('RELAY_STRANGE')
  expect(await read(200, { etag }, [part(10)])).toBe('RELAY_STRANGE')
  expect(await read(502, {}, [part(100_000)])).toBe('RELAY_UNREACHABLE')
})

test('a store that gives a byte now and then is left once the object takes longer than its bytes may', async () => {
  let [nowMs, given] = [0, 0]
  const body = new ReadableStream<Uint8Array>({
    pull: (controller) => {
      nowMs += 20_000
      given++
      controller.enqueue(Uint8Array.of(1))
    },
  })
  const headers = { etag: `"${'A'.repeat(43)}"`, 'content-range': 'bytes 0-163839/163840' }
  const client = new RelayClient(
    { url: `${CARDS_URL}/`, origin: CARDS_URL },
    {
      fetch: () => Promise.reject(new Error('of boxes')),
      clock: { nowMs: () => nowMs, after: () => () => {} },
      random: () => 0.5,
    },
  )
  const fetch: ObjectFetch = () => Promise.resolve(new Response(body, { status: 206, headers }))
  expect(await codeOf(whole({ client, fetch, persona: 'A1'.repeat(32) }, ID))).toBe('RELAY_SILENT')
  // 60 seconds, and 10 for so many bytes.
  expect(given).toBeLessThan(7)
})
