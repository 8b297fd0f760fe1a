/** Objects over HTTP, as any program puts and gets them: real files, and a store in memory. */
import { expect, test } from 'vitest'
import { formatHex } from '../../../../src/core/encoding/bytes.ts'
import { OBJECT_ERRORS } from '../../../../src/relay/wire.ts'
import { RELAY_LIMITS } from '../../../../src/relay/limits.ts'
import { costOfObject } from '../../../../src/relayd/store/rules.ts'
import { makePersona, NOW_SEC, sodium } from '../../../support/made-persona.ts'
import { CARDS_URL } from '../../../support/relay-cards.ts'
import { objectIdOf, RelayDevices, type Asked } from '../../../support/relay-devices.ts'
import { etagOf, objectWorld } from '../../../support/relay-object-world.ts'

const BODY = 'sealed bytes of Alice'
const ETAG = etagOf(BODY)
const DAY_SEC = 86_400

const SEEN = new Set<unknown>()

/** Status and body of a refusal. */
function refused({ status, body }: Asked): [number, Record<string, unknown>] {
  const { ok, ...rest } = body as Record<string, unknown>
  expect(ok).toBe(false)
  SEEN.add(rest['error'])
  return [status, rest]
}

test('an object that a device put is given to whoever knows its id, with its hash', async () => {
  const { alice, kept, coming } = await objectWorld()
  const path = alice.objectPath(1)
  const put = await alice.ask('PUT', path, BODY, { headers: { 'if-none-match': '*' } })
  expect([put.status, put.body, put.headers.get('etag')]).toEqual([201, { ok: true }, ETAG])
  const got = await alice.ask('GET', path)
  expect([got.status, got.bytes.toString()]).toEqual([200, BODY])
  for (const [name, value] of [
    ['etag', ETAG],
    ['content-length', String(BODY.length)],
    ['content-type', 'application/octet-stream'],
    ['x-content-type-options', 'nosniff'],
    ['access-control-allow-origin', '*'],
    ['accept-ranges', 'bytes'],
    ['cache-control', 'no-store'],
  ] as const)
    expect(got.headers.get(name), name).toBe(value)
  const head = await alice.ask('HEAD', path)
  expect([head.status, head.headers.get('content-length'), head.bytes.length]).toEqual([200, String(BODY.length), 0])
  expect([kept().length, coming()]).toEqual([1, []])
})

test('nothing on the disk shows the id of an object', async () => {
  const { alice, kept } = await objectWorld()
  await alice.ask('PUT', alice.objectPath(1), BODY)
  const bytes = Buffer.from(objectIdOf(1), 'base64url')
  const name = formatHex(sodium.sha256(bytes))
  expect(kept()).toEqual([`${alice.personaId}.${name}`])
})

test('an object never changes: another one with its id is refused, with the hash of the one there', async () => {
  const { alice } = await objectWorld()
  const path = alice.objectPath(1)
  await alice.ask('PUT', path, BODY)
  for (const body of [BODY, 'other bytes']) {
    const again = await alice.ask('PUT', path, body)
    expect(refused(again)).toEqual([412, { error: 'There' }])
    expect(again.headers.get('etag')).toBe(ETAG)
  }
  expect((await alice.ask('GET', path)).bytes.toString()).toBe(BODY)
})

test('an id that nobody used, or that another persona used, finds nothing', async () => {
  const { alice, bob } = await objectWorld()
  await alice.ask('PUT', alice.objectPath(1), BODY)
  for (const path of [alice.objectPath(2), bob.objectPath(1)]) {
    expect(refused(await alice.ask('GET', path))).toEqual([404, { error: 'No such object' }])
    expect((await alice.ask('HEAD', path)).status).toBe(404)
  }
})

test('a device deletes an object, once', async () => {
  const { alice, kept, store } = await objectWorld()
  const before = await store.stats()
  const path = alice.objectPath(1)
  await alice.ask('PUT', path, BODY)
  expect(await store.stats()).toMatchObject({ objects: 1, bytes: before.bytes + costOfObject(BODY.length) })
  const gone = await alice.ask('DELETE', path, '', { device: 2 })
  expect([gone.status, gone.body]).toEqual([200, { ok: true }])
  expect(refused(await alice.ask('GET', path))[0]).toBe(404)
  expect(refused(await alice.ask('DELETE', path))).toEqual([404, { error: 'No such object' }])
  expect([kept(), await store.stats()]).toEqual([[], before])
  expect((await alice.ask('PUT', path, 'again')).status).toBe(201)
})

test('nobody puts or deletes an object but a device that the newest card lists', async () => {
  const { alice, bob, kept } = await objectWorld()
  const path = alice.objectPath(1)
  await alice.ask('PUT', alice.objectPath(2), BODY)
  const other = bob.persona.positions[0]!.personaId
  const cases: readonly (readonly [Parameters<RelayDevices['ask']>[3], Record<string, unknown>])[] = [
    [{ device: null }, { error: 'Token' }],
    [{ bearer: 'secret' }, { error: 'Token' }],
    [{ device: 3 }, { error: 'Card' }],
    [{ app: 'mail' }, { error: 'Card' }],
    [{ personaId: other }, { error: 'Request' }],
    [{ to: other }, { error: 'Request' }],
    [{ origin: 'https://other.example' }, { error: 'Request' }],
    [{ method: 'POST' }, { error: 'Request' }],
    [{ path: alice.objectPath(3) }, { error: 'Request' }],
    [
      { issuedAtSec: NOW_SEC - 120, expiresAtSec: NOW_SEC },
      { error: 'Clock', now: NOW_SEC },
    ],
  ]
  for (const [options, body] of cases) {
    const put = await alice.ask('PUT', path, BODY, options)
    expect([refused(put), put.headers.get('www-authenticate')]).toEqual([[401, body], 'Bearer'])
    expect(refused(await alice.ask('DELETE', alice.objectPath(2), '', options))).toEqual([401, body])
  }
  expect(kept()).toHaveLength(1)
})

test('a body that is not the one which the device signed leaves nothing', async () => {
  const { alice, kept, coming, store } = await objectWorld()
  const before = await store.stats()
  for (const sent of ['sealed bytes of Mallet', BODY.slice(1), `${BODY}!`])
    expect(refused(await alice.ask('PUT', alice.objectPath(1), BODY, { sent }))).toEqual([401, { error: 'Request' }])
  expect([kept(), coming(), await store.stats()]).toEqual([[], [], before])
})

test('an object without bytes is none', async () => {
  const { alice, coming } = await objectWorld()
  expect(refused(await alice.ask('PUT', alice.objectPath(1), ''))).toEqual([400, { error: 'Bad request' }])
  expect(coming()).toEqual([])
})

test('a card that is here without a right keeps no objects, unless the relay lists its persona', async () => {
  const id = formatHex(makePersona(3).positions[0]!.personaId)
  for (const personas of [[], [id]]) {
    const { server, cards } = await objectWorld({ personas })
    const carol = new RelayDevices(makePersona(3), server.url)
    await carol.putCard(cards, null)
    const put = await carol.ask('PUT', carol.objectPath(1), BODY)
    if (personas.length === 0) expect(refused(put)).toEqual([401, { error: 'Token' }])
    else expect(put.status).toBe(201)
  }
})

test('an object has at most so many bytes, whether its sender announces them or not', async () => {
  const { alice, kept, coming } = await objectWorld({ object: { maxObjectBytes: 1000 } })
  const fits = 'x'.repeat(1000)
  expect((await alice.ask('PUT', alice.objectPath(1), fits)).status).toBe(201)
  expect(refused(await alice.ask('PUT', alice.objectPath(2), `${fits}x`))).toEqual([
    413,
    { error: 'Too big', bytes: 1000 },
  ])
  const stream = (bytes: number): ReadableStream => new Blob(['x'.repeat(bytes)]).stream()
  expect((await alice.ask('PUT', alice.objectPath(3), fits, { sent: stream(1000) })).status).toBe(201)
  expect(refused(await alice.ask('PUT', alice.objectPath(4), fits, { sent: stream(1001) }))[0]).toBe(413)
  expect([kept().length, coming()]).toEqual([2, []])
  expect(RELAY_LIMITS.object.maxObjectBytes).toBe(20 * 1024 * 1024)
})

test('a persona has room for so many bytes, and the relay for so many of all', async () => {
  const maxPersonaBytes = 2 * costOfObject(BODY.length)
  const { alice, bob } = await objectWorld({
    object: { maxPersonaBytes },
    others: { maxDiskBytes: maxPersonaBytes + 8000 },
  })
  for (const n of [1, 2]) expect((await alice.ask('PUT', alice.objectPath(n), BODY)).status).toBe(201)
  expect(refused(await alice.ask('PUT', alice.objectPath(3), BODY))).toEqual([403, { error: 'Too much' }])
  expect(refused(await bob.ask('PUT', bob.objectPath(1), BODY))).toEqual([507, { error: 'Full' }])
  await alice.ask('DELETE', alice.objectPath(1))
  expect((await bob.ask('PUT', bob.objectPath(1), BODY)).status).toBe(201)
})

test.each([
  ['bytes=0-5', 206, 'sealed', 'bytes 0-5/21'],
  ['bytes=7-11', 206, 'bytes', 'bytes 7-11/21'],
  ['bytes=16-', 206, 'Alice', 'bytes 16-20/21'],
  ['bytes=-5', 206, 'Alice', 'bytes 16-20/21'],
  ['bytes=-100', 206, BODY, 'bytes 0-20/21'],
  ['bytes=20-20', 206, 'e', 'bytes 20-20/21'],
  ['bytes=0-999', 206, BODY, 'bytes 0-20/21'],
  ['bytes=21-', 416, null, 'bytes */21'],
  ['bytes=21-30', 416, null, 'bytes */21'],
  ['bytes=-0', 416, null, 'bytes */21'],
  ['bytes=5-4', 200, BODY, null],
  ['bytes=0-1,3-4', 200, BODY, null],
  ['bytes=a-b', 200, BODY, null],
  ['lines=0-1', 200, BODY, null],
  ['bytes=9999999999999999-', 200, BODY, null],
])('the range %s is answered %i', async (range, status, text, contentRange) => {
  const { alice } = await objectWorld()
  await alice.ask('PUT', alice.objectPath(1), BODY)
  const got = await alice.ask('GET', alice.objectPath(1), '', { headers: { range } })
  expect([got.status, got.headers.get('content-range')]).toEqual([status, contentRange])
  if (text === null) expect(refused(got)).toEqual([416, { error: 'Bad range', bytes: BODY.length }])
  else expect([got.bytes.toString(), got.headers.get('etag')]).toEqual([text, ETAG])
  const head = await alice.ask('HEAD', alice.objectPath(1), '', { headers: { range } })
  expect([head.status, head.headers.get('content-length')]).toEqual([200, String(BODY.length)])
})

test('an object is given for 31 days, and its file goes after that', async () => {
  const relay = await objectWorld()
  const { alice, objects, kept, store } = relay
  await alice.ask('PUT', alice.objectPath(1), BODY)
  relay.nowSec = NOW_SEC + 31 * DAY_SEC - 1
  expect((await alice.ask('GET', alice.objectPath(1))).status).toBe(200)
  expect(await objects.expire(relay.nowSec * 1e6, 10)).toBe(0)
  relay.nowSec = NOW_SEC + 31 * DAY_SEC
  expect(refused(await alice.ask('GET', alice.objectPath(1)))[0]).toBe(404)
  expect(kept()).toHaveLength(1)
  expect(await objects.expire(relay.nowSec * 1e6, 10)).toBe(1)
  expect([kept(), (await store.stats()).objects]).toEqual([[], 0])
})

test('paths that are none of an object do not exist, whatever they try', async () => {
  const { alice, kept } = await objectWorld()
  const [id, persona] = [objectIdOf(1), alice.personaId]
  const paths = [
    `/store/${persona}`,
    `/store/${persona}/`,
    `/store/${persona}/${id}/`,
    `/store/${persona}/${id}A`,
    `/store/${persona}/${id.slice(1)}`,
    `/store/${persona}/${id}=`,
    `/store/${persona.toLowerCase()}/${id}`,
    `/store/${persona}/..%2f..%2fcontrol.sock`,
    `/store/${persona}/%2e%2e`,
    `/store/%2e%2e/${id}`,
    `/store//${id}`,
    `/store/${persona}/${id.slice(0, -1)}%00`,
    '/store',
    `/persona/${persona}/x`,
    '/persona/',
  ]
  for (const path of paths) expect((await alice.ask('PUT', path, BODY)).status, path).toBe(404)
  expect(kept()).toEqual([])
  expect((await alice.ask('POST', alice.objectPath(1), BODY)).headers.get('allow')).toBe(
    'GET, HEAD, PUT, DELETE, OPTIONS',
  )
  expect((await alice.ask('GET', alice.personaPath)).headers.get('allow')).toBe('DELETE, OPTIONS')
})

test('pages of every origin may put, get and delete objects', async () => {
  const { alice } = await objectWorld()
  const { status, headers } = await alice.ask('OPTIONS', alice.objectPath(1), '', { device: null })
  expect([status, headers.get('access-control-allow-methods')]).toEqual([204, 'GET, HEAD, POST, PUT, DELETE, OPTIONS'])
  expect(headers.get('access-control-allow-headers')).toBe('authorization, content-type, if-none-match, range')
  expect(headers.get('access-control-expose-headers')).toBe('etag, retry-after, content-range, date')
  expect(headers.get('access-control-max-age')).toBe('86400')
})

test('a relay below a path reads device tokens for that path', async () => {
  const { alice } = await objectWorld({ url: `${CARDS_URL}/relay` })
  const path = alice.objectPath(1)
  expect(refused(await alice.ask('PUT', `/relay${path}`, BODY, { path }))).toEqual([401, { error: 'Request' }])
  expect((await alice.ask('PUT', `/relay${path}`, BODY)).status).toBe(201)
  // A proxy may cut the path off.
  expect((await alice.ask('GET', path)).status).toBe(200)
})

test('a caller asks no more often for objects than for boxes', async () => {
  const { alice } = await objectWorld()
  for (let n = 0; n < RELAY_LIMITS.address.burst; n++) await alice.ask('HEAD', alice.objectPath(1))
  for (const method of ['GET', 'PUT', 'DELETE'])
    expect(refused(await alice.ask(method, alice.objectPath(1), method === 'PUT' ? BODY : ''))).toEqual([
      429,
      { error: 'Too often', retryAfter: 1 },
    ])
  expect(refused(await alice.ask('DELETE', alice.personaPath))[0]).toBe(429)
})

test('all that a relay has of a persona goes at the word of one device, and nothing of others', async () => {
  const { alice, bob, kept, cards, store } = await objectWorld()
  await alice.putCard(cards, 'secret', { app: 'mail' })
  for (const n of [1, 2, 3]) await alice.ask('PUT', alice.objectPath(n), BODY)
  await bob.ask('PUT', bob.objectPath(1), BODY)
  for (const [options, error] of [
    [{ device: null }, 'Token'],
    [{ device: 3 }, 'Card'],
    [{ path: bob.personaPath }, 'Request'],
  ] as const)
    expect(refused(await alice.ask('DELETE', alice.personaPath, '', options))).toEqual([401, { error }])
  expect(refused(await bob.ask('DELETE', alice.personaPath))).toEqual([401, { error: 'Request' }])
  expect(kept()).toHaveLength(4)
  const gone = await alice.ask('DELETE', alice.personaPath)
  expect([gone.status, gone.body]).toEqual([200, { ok: true }])
  expect(await store.stats()).toMatchObject({ cards: 1, objects: 1, inboxes: 0 })
  expect(kept().every((name) => name.startsWith(bob.personaId))).toBe(true)
  expect(refused(await alice.ask('GET', alice.objectPath(1)))[0]).toBe(404)
  expect((await bob.ask('GET', bob.objectPath(1))).status).toBe(200)
  // The token was good for a card that is gone.
  expect(refused(await alice.ask('DELETE', alice.personaPath))).toEqual([401, { error: 'Card' }])
})

test('every reason for a refusal was seen, but one that needs two senders at once', () => {
  expect(OBJECT_ERRORS.filter((error) => !SEEN.has(error))).toEqual(['Busy'])
})
