/** Inboxes over HTTP, as any program calls them (docs/inbox.md). */
import { afterAll, describe, expect, test } from 'vitest'
import type { DeviceToken } from '../../../../src/card/token.ts'
import { formatBase64url } from '../../../../src/core/encoding/bytes.ts'
import { INBOX_ERRORS } from '../../../../src/relay/wire.ts'
import { APP, cardKeyPair } from '../../../support/cards.ts'
import {
  alice,
  bob,
  carol,
  idOf,
  inboxWorld,
  pathOf,
  placeOf,
  type InboxWorld,
  type Reply,
} from '../../../support/inbox-world.ts'

const DAY_SEC = 86_400
const SEEN = new Set<unknown>()

/** Status and body of a refusal. */
function refused({ status, body: { ok, ...body } }: Reply): [number, Record<string, unknown>] {
  expect(ok).toBe(false)
  SEEN.add(body['error'])
  return [status, body]
}

const TAKEN = { status: 202, body: { ok: true } }
const idsIn = (entries: readonly { readonly encId: string }[]): string[] => entries.map(({ encId }) => encId)

test('an entry reaches each device of its owner, with who left it and where their card lies', async () => {
  const { post, list } = await inboxWorld()
  const posted = await post(alice, 'AAAA', { device: 2 })
  expect(posted).toMatchObject(TAKEN)
  // Whoever posts learns nothing about the inbox.
  expect(Object.keys(posted.body)).toEqual(['ok'])
  for (const device of [1, 2]) {
    const [entry, ...more] = await list(bob, device)
    expect(more).toEqual([])
    expect(entry).toEqual({
      n: expect.any(Number) as number,
      from: idOf(alice),
      app: APP,
      kid: formatBase64url(cardKeyPair(2).publicKey),
      at: placeOf(alice),
      encId: 'AAAA',
    })
  }
})

test('an entry is listed for a device until it acknowledges it, and goes after the last of them', async () => {
  const { post, list, ack, store } = await inboxWorld()
  for (const encId of ['AAAA', 'BBBB']) await post(alice, encId)
  const [first, second] = await list(bob)
  expect((await ack(bob, 1, [first!.n, first!.n])).body).toEqual({ ok: true })
  expect((await ack(bob, 1, [first!.n])).status).toBe(200)
  expect(idsIn(await list(bob))).toEqual(['BBBB'])
  expect(idsIn(await list(bob, 2))).toEqual(['AAAA', 'BBBB'])
  await ack(bob, 2, [first!.n, second!.n])
  expect(await store.stats()).toMatchObject({ entries: 1 })
  await ack(bob, 1, [second!.n])
  expect(await store.stats()).toMatchObject({ entries: 0 })
})

test('a list has pages, and none is longer than the relay allows', async () => {
  const { post, call, list } = await inboxWorld({ others: { maxList: 3 } })
  for (const encId of ['AAAA', 'BBBB', 'CCCC', 'DDDD']) await post(alice, encId)
  const page = async (query: string): Promise<Reply> => await call(bob, { path: `${pathOf(bob)}?app=${APP}${query}` })
  const first = await page('&limit=9')
  expect(idsIn(await list(bob))).toEqual(['AAAA', 'BBBB', 'CCCC'])
  const after = first.body['next'] as number
  expect((await page(`&after=${after}&limit=3`)).body).toMatchObject({ entries: [{ encId: 'DDDD' }], next: null })
})

describe('a device token is refused', () => {
  test('when it is of another relay, method, path, body, app or receiver, or of no use at all', async () => {
    const { post, call } = await inboxWorld()
    const wishes: readonly Partial<DeviceToken>[] = [
      { origin: 'https://other.example' },
      { method: 'PUT' },
      { path: pathOf(carol) },
      { bodyHash: new Uint8Array(32) },
      { to: carol.positions[0]!.personaId },
      { to: null },
      { app: 'mail' },
    ]
    for (const token of wishes.slice(0, -1))
      expect(refused(await post(alice, 'AAAA', { token }))).toEqual([401, { error: 'Request' }])
    const mail = await post(alice, 'AAAA', { body: JSON.stringify({ app: 'mail', encId: 'AAAA' }) })
    expect(refused(mail)).toEqual([401, { error: 'Request' }])
    // Nobody reads, acknowledges or rules the inbox of somebody else.
    const path = `${pathOf(bob)}?app=${APP}`
    expect(refused(await call(alice, { path }))).toEqual([401, { error: 'Request' }])
    const body = JSON.stringify({ app: APP, n: [1] })
    for (const part of ['ack', 'senders'] as const)
      expect(
        refused(
          await call(alice, {
            method: 'POST',
            path: pathOf(bob, part),
            body: part === 'ack' ? body : `{"app":"${APP}"}`,
          }),
        )[0],
      ).toBe(401)
    expect(refused(await call(alice, { path: `${pathOf(bob, 'events')}?app=${APP}` }))[0]).toBe(401)
    // A query is a part of what the device signs.
    expect(refused(await call(bob, { path, token: { path: pathOf(bob) } }))).toEqual([401, { error: 'Request' }])
  })

  test('when there is none, or its signature is wrong', async () => {
    const { url, bearerOf } = await inboxWorld()
    const path = `${pathOf(bob)}?app=${APP}`
    const good = bearerOf(bob, { path })
    const bad = `${good.slice(0, -4)}${good.endsWith('AAAA') ? 'BBBB' : 'AAAA'}`
    for (const headers of [undefined, { authorization: `Bearer ${bad}` }, { authorization: 'Basic AAAA' }]) {
      const answer = await fetch(url + path, headers === undefined ? {} : { headers })
      expect(answer.headers.get('www-authenticate')).toBe('Bearer')
      const reply = {
        status: answer.status,
        body: (await answer.json()) as Record<string, unknown>,
        headers: answer.headers,
      }
      expect(refused(reply)).toEqual([401, { error: 'Token' }])
    }
    expect((await fetch(url + path, { headers: { authorization: `Bearer ${good}` } })).status).toBe(200)
  })

  test('outside of its time, and the answer says what time it is', async () => {
    const { post, list, nowSec } = await inboxWorld()
    for (const issuedAtSec of [nowSec - 120, nowSec + 121]) {
      const clock = [401, { error: 'Clock', now: nowSec }]
      expect(refused(await post(alice, 'AAAA', { token: { issuedAtSec, expiresAtSec: issuedAtSec + 120 } }))).toEqual(
        clock,
      )
    }
    expect(await post(alice, 'AAAA', { token: { issuedAtSec: nowSec - 119, expiresAtSec: nowSec + 1 } })).toMatchObject(
      TAKEN,
    )
    expect(await list(bob)).toHaveLength(1)
  })

  test('when no card here lists its device, until one is put', async () => {
    const { post, putCard } = await inboxWorld()
    expect(refused(await post(carol, 'AAAA'))).toEqual([401, { error: 'Card' }])
    expect(refused(await post(alice, 'AAAA', { device: 3 }))).toEqual([401, { error: 'Card' }])
    expect(await putCard(alice, { seq: 2, devices: [1, 2, 3] }, true)).toBe(200)
    expect(await post(alice, 'AAAA', { device: 3 })).toMatchObject(TAKEN)
  })

  test('when a rotation left its device out, and no card of the old epoch or of a second chain brings it back', async () => {
    const { post, list, putCard, call } = await inboxWorld()
    expect(await post(alice, 'AAAA', { device: 2 })).toMatchObject(TAKEN)
    await putCard(alice, { epoch: 1, seq: 2, devices: [1] }, true)
    expect(refused(await post(alice, 'BBBB', { device: 2 }))).toEqual([401, { error: 'Card' }])
    expect(await putCard(alice, { seq: 9, devices: [1, 2] }, true)).toBe(409)
    const second = { chain: { next: new Uint8Array(32).fill(9) }, seq: 9 }
    expect(await putCard(alice, second, true)).not.toBe(200)
    expect(refused(await post(alice, 'BBBB', { device: 2 }))).toEqual([401, { error: 'Card' }])
    expect(await post(alice, 'CCCC')).toMatchObject(TAKEN)
    // The same for a device of the owner.
    await putCard(bob, { epoch: 1, seq: 2, devices: [2] })
    expect(refused(await call(bob, { path: `${pathOf(bob)}?app=${APP}` }))).toEqual([401, { error: 'Card' }])
    expect(idsIn(await list(bob, 2))).toEqual(['AAAA', 'CCCC'])
  })
})

test('a request that is replayed changes nothing, also after its entry is gone', async () => {
  const { url, bearerOf, list, ack } = await inboxWorld()
  const body = JSON.stringify({ app: APP, encId: 'AAAA' })
  const call = { method: 'POST', path: pathOf(bob), body }
  const authorization = `Bearer ${bearerOf(alice, { ...call, token: { to: bob.positions[0]!.personaId } })}`
  const replay = async (): Promise<number> =>
    (await fetch(url + call.path, { ...call, headers: { authorization } })).status
  expect([await replay(), await replay()]).toEqual([202, 202])
  const [entry, ...more] = await list(bob)
  expect(more).toEqual([])
  for (const device of [1, 2]) await ack(bob, device, [entry!.n])
  expect(await replay()).toBe(202)
  expect(await list(bob)).toEqual([])
})

test('only a card that is here by right has an inbox', async () => {
  const { post, call, putCard } = await inboxWorld()
  expect(refused(await post(bob, 'AAAA', { to: alice }))).toEqual([404, { error: 'No such inbox' }])
  expect(refused(await post(bob, 'AAAA', { to: carol }))).toEqual([404, { error: 'No such inbox' }])
  expect(refused(await call(alice, { path: `${pathOf(alice)}?app=${APP}` }))).toEqual([401, { error: 'Token' }])
  await putCard(alice)
  expect(await post(bob, 'AAAA', { to: alice })).toMatchObject(TAKEN)
  expect((await call(alice, { path: `${pathOf(alice)}?app=${APP}` })).status).toBe(200)
})

test('an inbox ends to be there with its card, and its entries are there when a new one comes', async () => {
  const world = await inboxWorld()
  await world.post(alice, 'AAAA')
  world.nowSec += 30 * DAY_SEC
  await world.putCard(alice, { seq: 2 }, true)
  expect(refused(await world.post(alice, 'BBBB'))[0]).toBe(404)
  await world.putCard(bob, { seq: 2 })
  expect(idsIn(await world.list(bob))).toEqual(['AAAA'])
})

test('a phone in a drawer for a month keeps nobody out, and what came last waits for it', async () => {
  const world = await inboxWorld({ inbox: { maxEntries: 2 } })
  for (let day = 0; day <= 40; day++) {
    expect(await world.post(alice, `AA${String(day).padStart(2, '0')}`)).toMatchObject(TAKEN)
    await world.ack(
      bob,
      1,
      (await world.list(bob)).map(({ n }) => n),
    )
    world.nowSec += DAY_SEC
    if (day % 7 === 0) {
      await world.putCard(alice, { seq: 2 + day }, true)
      await world.putCard(bob, { seq: 2 + day })
    }
    for (let n = 0; n < 5; n++) await world.store.expire(world.nowSec * 1e6, 100)
  }
  // From day 30 on no entry waits for the phone; those before wait for nobody either.
  expect(await world.store.stats()).toMatchObject({ entries: 0 })
  expect(await world.list(bob, 2)).toEqual([])
  await world.post(alice, 'BBBB')
  await world.ack(
    bob,
    1,
    (await world.list(bob)).map(({ n }) => n),
  )
  expect(idsIn(await world.list(bob, 2))).toEqual(['BBBB'])
})

test('a device that joins later sees what comes later, and only that waits for it', async () => {
  const { post, list, ack, putCard, store } = await inboxWorld()
  await post(alice, 'AAAA')
  await putCard(bob, { seq: 2, devices: [1, 2, 3] })
  await post(alice, 'BBBB')
  for (const device of [1, 2])
    await ack(
      bob,
      device,
      (await list(bob, device)).map(({ n }) => n),
    )
  expect(idsIn(await list(bob, 3))).toEqual(['BBBB'])
  await ack(
    bob,
    3,
    (await list(bob, 3)).map(({ n }) => n),
  )
  expect(await store.stats()).toMatchObject({ entries: 0 })
})

test('a sender who is blocked is answered as any other, and nothing happens', async () => {
  const { post, senders, list } = await inboxWorld()
  expect((await senders(bob, { block: [idOf(alice)] })).body).toEqual({ ok: true })
  const [blocked, other] = [await post(alice, 'AAAA'), await post(bob, 'BBBB')]
  expect([blocked.status, blocked.body]).toEqual([other.status, other.body])
  expect(idsIn(await list(bob))).toEqual(['BBBB'])
  await senders(bob, { forget: [idOf(alice)] })
  await post(alice, 'AAAA')
  expect(idsIn(await list(bob))).toEqual(['BBBB', 'AAAA'])
})

test('strangers have a small part of an inbox, and none where the owner says so', async () => {
  const { post, senders } = await inboxWorld({ inbox: { maxEntries: 8, maxStrangers: 3, maxOfStranger: 2 } })
  const full = [429, { error: 'Inbox full', retryAfter: 3600 }]
  for (const encId of ['AAAA', 'BBBB']) expect(await post(alice, encId)).toMatchObject(TAKEN)
  const third = await post(alice, 'CCCC')
  expect(refused(third)).toEqual(full)
  expect(third.headers.get('retry-after')).toBe('3600')
  await senders(bob, { allow: [idOf(alice)] })
  for (const encId of ['CCCC', 'DDDD']) expect(await post(alice, encId)).toMatchObject(TAKEN)
  expect(refused(await post(alice, 'EEEE'))).toEqual(full)
  await senders(bob, { forget: [idOf(alice)], strangers: 0 })
  expect(refused(await post(alice, 'FFFF'))).toEqual([403, { error: 'No strangers' }])
})

test('the first card of a later epoch ends what a device has told about senders, and no other card does', async () => {
  const { post, senders, list, putCard } = await inboxWorld()
  await senders(bob, { block: [idOf(alice)], strangers: 0 })
  expect(await putCard(bob, { seq: 2 })).toBe(200)
  await post(alice, 'AAAA')
  expect(await list(bob)).toEqual([])
  expect(await putCard(bob, { epoch: 1, seq: 3 })).toBe(200)
  await post(alice, 'BBBB')
  expect(idsIn(await list(bob))).toEqual(['BBBB'])
  await senders(bob, { block: [idOf(alice)] })
  expect(await putCard(bob, { epoch: 1, seq: 4 })).toBe(200)
  await post(alice, 'CCCC')
  expect(idsIn(await list(bob))).toEqual(['BBBB'])
})

test('an inbox knows so many senders by name', async () => {
  const { senders } = await inboxWorld({ inbox: { maxNamed: 1 } })
  const allow = [alice, carol].map(idOf)
  expect(refused(await senders(bob, { allow }))).toEqual([403, { error: 'Too many senders' }])
})

test.each([
  ['no JSON', 'entries', 'AAAA'],
  ['no encId', 'entries', `{"app":"${APP}"}`],
  ['an encId that is no base64url', 'entries', `{"app":"${APP}","encId":"A=B"}`],
  ['another member', 'entries', `{"app":"${APP}","encId":"AAAA","urgent":true}`],
  ['an app of another form', 'entries', '{"app":"No App","encId":"AAAA"}'],
  ['no number', 'ack', `{"app":"${APP}","n":[]}`],
  ['a negative number', 'ack', `{"app":"${APP}","n":[-1]}`],
  ['more numbers than a list has', 'ack', JSON.stringify({ app: APP, n: Array.from({ length: 101 }, (_, n) => n) })],
  ['a sender who is no persona', 'senders', `{"app":"${APP}","allow":["Alice"]}`],
  [
    'a sender who is allowed and blocked',
    'senders',
    JSON.stringify({ app: APP, allow: [idOf(carol)], block: [idOf(carol)] }),
  ],
  ['a limit that is no number', 'senders', `{"app":"${APP}","strangers":"5"}`],
] as const)('a body with %s is refused', async (_, part, body) => {
  const { call, store } = await inboxWorld()
  const to = part === 'entries' ? bob.positions[0]!.personaId : null
  const reply = await call(bob, { method: 'POST', path: pathOf(bob, part), body, token: { to } })
  expect(refused(reply)).toEqual([400, { error: 'Bad request' }])
  expect(await store.stats()).toMatchObject({ inboxes: 0 })
})

test.each(['', '?app=', `?app=${APP}&app=${APP}`, `?app=${APP}&after=-1`, `?app=${APP}&limit=0`, `?app=${APP}&by=n`])(
  'a query %j is refused',
  async (query) => {
    const { call } = await inboxWorld()
    for (const part of ['entries', 'events'] as const)
      expect(refused(await call(bob, { path: pathOf(bob, part) + query }))).toEqual([400, { error: 'Bad request' }])
  },
)

test('an entry has at most 4 KiB, and a body of the owner 64 KiB', async () => {
  const { post, call } = await inboxWorld()
  const room = 4096 - JSON.stringify({ app: APP, encId: '' }).length
  const largest = 'A'.repeat(room - (room % 4))
  expect(await post(alice, largest)).toMatchObject(TAKEN)
  expect(refused(await post(alice, `${largest}AAAA`))).toEqual([413, { error: 'Too big', bytes: 4096 }])
  const call64 = { method: 'POST', path: pathOf(bob, 'senders'), body: 'x'.repeat(65_537) }
  expect(refused(await call(bob, call64))).toEqual([413, { error: 'Too big', bytes: 65_536 }])
})

test('an address, and a sender from whatever address, have so many requests at once', async () => {
  const busy = [429, { error: 'Too often', retryAfter: 1 }]
  const one = { burst: 3, perSec: 1 }
  const { post } = await inboxWorld({ others: { boxSends: one } })
  for (const encId of ['AAAA', 'BBBB', 'CCCC']) expect(await post(alice, encId)).toMatchObject(TAKEN)
  expect(refused(await post(alice, 'DDDD'))).toEqual(busy)
  expect(await post(bob, 'DDDD')).toMatchObject(TAKEN)
  const ofAddress = await inboxWorld({ others: { address: one } })
  // Two of them were for the cards.
  expect(await ofAddress.post(alice, 'AAAA')).toMatchObject(TAKEN)
  expect(refused(await ofAddress.post(bob, 'AAAA'))).toEqual(busy)
})

test('a full disk takes no entry, no rule and no new inbox', async () => {
  const probe = await inboxWorld()
  const maxDiskBytes = (await probe.store.stats()).bytes
  const { post, senders } = await inboxWorld({ others: { maxDiskBytes } })
  expect(refused(await post(alice, 'AAAA'))).toEqual([507, { error: 'Full' }])
  expect(refused(await senders(bob, { strangers: 1 }))).toEqual([507, { error: 'Full' }])
})

test('each path has its methods, and no other path is an inbox', async () => {
  const { url } = await inboxWorld()
  const answers: [number, string | null][] = []
  for (const [method, path] of [
    ['PUT', pathOf(bob)],
    ['GET', pathOf(bob, 'ack')],
    ['POST', pathOf(bob, 'events')],
    ['GET', `${pathOf(bob)}/`],
    ['GET', `${pathOf(bob)}/more`],
    ['GET', pathOf(bob).toLowerCase()],
  ] as const) {
    const { status, headers } = await fetch(url + path, { method })
    answers.push([status, headers.get('allow')])
  }
  const not = [404, null]
  const post = [405, 'POST, OPTIONS']
  expect(answers).toEqual([[405, 'GET, POST, OPTIONS'], post, [405, 'GET, OPTIONS'], not, not, not])
})

test('a relay below a path takes tokens for that path', async () => {
  const world: InboxWorld = await inboxWorld({ url: 'https://relay.example/below' })
  expect(await world.post(alice, 'AAAA')).toMatchObject(TAKEN)
  expect(refused(await world.post(alice, 'BBBB', { token: { path: pathOf(bob) } }))).toEqual([
    401,
    { error: 'Request' },
  ])
})

test('inboxes of two apps, and of two personas, know nothing of each other', async () => {
  const { post, list, putCard, call } = await inboxWorld()
  await putCard(carol)
  await putCard(bob, { app: 'mail' })
  await post(alice, 'AAAA')
  expect(await list(carol)).toEqual([])
  const mail = await call(bob, { path: `${pathOf(bob)}?app=mail`, token: { app: 'mail' } })
  expect(mail.body['entries']).toEqual([])
})

test('a persona without devices in its card has no inbox to read, and keeps what comes for the next ones', async () => {
  const { post, list, putCard } = await inboxWorld()
  await putCard(bob, { seq: 2, devices: [] })
  expect(await post(alice, 'AAAA')).toMatchObject(TAKEN)
  await putCard(bob, { seq: 3, devices: [4] })
  expect(idsIn(await list(bob, 4))).toEqual(['AAAA'])
})

afterAll(() => {
  expect(SEEN).toEqual(new Set(INBOX_ERRORS))
})
