/** Cards over HTTP, as any program puts and gets them. */
import { expect, test } from 'vitest'
import { cardAt } from '../../../../src/card/place.ts'
import type { DeviceToken } from '../../../../src/card/token.ts'
import { formatHex } from '../../../../src/core/encoding/bytes.ts'
import { CARD_ERRORS } from '../../../../src/relay/wire.ts'
import { RELAY_LIMITS } from '../../../../src/relay/limits.ts'
import { APP, makeToken, signedCard, verifiedCard, type CardWishes } from '../../../support/cards.ts'
import { makePersona, NOW_SEC, sodium, type MadePersona } from '../../../support/made-persona.ts'
import { CARDS_URL, testCards, type TestCards, type TestCardsOptions } from '../../../support/relay-cards.ts'
import { serveBoxes } from '../../../support/relay-http.ts'
import { TestBoxes } from '../../../support/test-boxes.ts'

const alice = makePersona(1)
const bob = makePersona(2)
const ID = formatHex(alice.positions[0]!.personaId)
const DAY_SEC = 86_400

function placeOf(persona: MadePersona, wishes: CardWishes = {}): string {
  const { root, chain, app } = verifiedCard(persona, wishes)
  return `/card/${cardAt(root, chain.personaId, app, sodium)}`
}

const AT = placeOf(alice)
const OPEN = `/card/${ID}/${APP}`

interface Put {
  readonly status: number
  readonly body: Record<string, unknown>
  readonly headers: Headers
}

interface World extends TestCards {
  readonly url: string
  readonly put: (path: string, card: string, bearer?: string) => Promise<Put>
  readonly get: (path: string) => Promise<[status: number, text: string]>
}

async function world(options: TestCardsOptions = {}): Promise<World> {
  const test = testCards(options)
  const { url } = await serveBoxes({
    boxes: new TestBoxes(),
    cards: test.cards,
    about: { url: options.url ?? CARDS_URL },
  })
  return Object.assign(test, {
    url,
    put: async (path: string, card: string, bearer?: string): Promise<Put> => {
      const headers: Record<string, string> = bearer === undefined ? {} : { authorization: `Bearer ${bearer}` }
      const answer = await fetch(url + path, { method: 'PUT', body: card, headers })
      const body = (await answer.json()) as Record<string, unknown>
      return { status: answer.status, body, headers: answer.headers }
    },
    get: async (path: string): Promise<[number, string]> => {
      const answer = await fetch(url + path)
      return [answer.status, await answer.text()]
    },
  })
}

const SEEN = new Set<unknown>()

/** Status and body of a refusal. */
function refused(put: Put): [number, Record<string, unknown>] {
  const { ok, ...body } = put.body
  expect(ok).toBe(false)
  SEEN.add(body['error'])
  return [put.status, body]
}

test('a card that was put is given as it was, and a later one in its place', async () => {
  const { put, get, url } = await world()
  const [first, second] = [signedCard(alice), signedCard(alice, { seq: 2 })]
  const [status, text] = await get(AT)
  expect([status, JSON.parse(text)]).toEqual([404, { ok: false, error: 'No such card' }])
  SEEN.add('No such card')
  expect(await put(AT, first)).toMatchObject({ status: 200, body: { ok: true } })
  expect(await get(AT)).toEqual([200, first])
  expect((await put(AT, second)).status).toBe(200)
  expect(await get(AT)).toEqual([200, second])
  const { headers } = await fetch(url + AT, { method: 'HEAD' })
  expect(headers.get('content-type')).toBe('application/jose')
  expect(headers.get('content-length')).toBe(String(second.length))
  expect(headers.get('access-control-allow-origin')).toBe('*')
})

test('an older card is answered with the newer one, and a card of another chain with a dispute', async () => {
  const { put } = await world()
  const newer = signedCard(alice, { seq: 2 })
  await put(AT, newer)
  expect(refused(await put(AT, signedCard(alice)))).toEqual([409, { error: 'Newer', card: newer }])
  expect(refused(await put(AT, signedCard(alice, { seq: 65_539 })))).toEqual([409, { error: 'Held', card: newer }])
  const other = { chain: { next: new Uint8Array(32).fill(9) } }
  expect(refused(await put(placeOf(alice, other), signedCard(alice, other)))).toEqual([
    409,
    { error: 'Disputed', card: newer },
  ])
  expect((await put(AT, signedCard(alice, { epoch: 1, seq: 3 }))).status).toBe(200)
  expect(refused(await put(AT, signedCard(alice, { seq: 4 })))).toEqual([409, { error: 'Ended', epoch: 1 }])
})

test('a card that does not verify, that is over, or that stands at another place is refused', async () => {
  const { put, get } = await world()
  const card = signedCard(alice)
  const forged = `${card.slice(0, -4)}${card.endsWith('AAAA') ? 'BBBB' : 'AAAA'}`
  expect(refused(await put(AT, forged))[1]).toMatchObject({ error: 'Bad card', code: 'CARD_SIGNATURE' })
  expect(refused(await put(AT, `${card}\n`))[1]).toMatchObject({ error: 'Bad card', code: 'CARD_FORM' })
  expect(refused(await put(AT, ''))[0]).toBe(400)
  expect(refused(await put(AT, signedCard(bob)))).toEqual([400, { error: 'Bad at' }])
  expect(refused(await put(AT, signedCard(alice, { app: 'mail' })))).toEqual([400, { error: 'Bad at' }])
  const over = signedCard(alice, { issuedAtSec: NOW_SEC - 30 * DAY_SEC })
  expect(refused(await put(AT, over))).toEqual([400, { error: 'Expired' }])
  expect((await put(AT, signedCard(alice, { issuedAtSec: NOW_SEC - 30 * DAY_SEC + 1 }))).status).toBe(200)
  expect((await get(`/card/${'A'.repeat(21)}`))[0]).toBe(404)
})

test('a card has at most 8 KiB, and a larger body is refused from its first byte over', async () => {
  const { put } = await world()
  expect(refused(await put(AT, 'x'.repeat(8192)))[1]).toMatchObject({ error: 'Bad card' })
  expect(refused(await put(AT, 'x'.repeat(8193)))).toEqual([413, { error: 'Too big', bytes: 8192 }])
  expect(refused(await put(AT, 'x'.repeat(1 << 20)))[0]).toBe(413)
})

test('an address has so many cards without a token, and a token or a listed persona needs no such room', async () => {
  const { put } = await world({ tokens: ['secret'], personas: [ID], limits: { maxGuestCards: 1 } })
  expect((await put(placeOf(bob), signedCard(bob))).status).toBe(200)
  const carol = makePersona(3)
  const crowded = await put(placeOf(carol), signedCard(carol))
  expect(refused(crowded)).toEqual([429, { error: 'Too often', retryAfter: 3600 }])
  expect(crowded.headers.get('retry-after')).toBe('3600')
  expect((await put(placeOf(carol), signedCard(carol), 'secret')).status).toBe(200)
  expect((await put(AT, signedCard(alice))).status).toBe(200)
})

test('a relay may keep no card without a right; a token that is none of its own is no right', async () => {
  const { put } = await world({ tokens: ['other', 'secret'], personas: [ID], limits: { maxGuestCards: 0 } })
  const guest = await put(placeOf(bob), signedCard(bob))
  expect(refused(guest)).toEqual([401, { error: 'Token' }])
  expect(guest.headers.get('www-authenticate')).toBe('Bearer')
  for (const wrong of ['secret2', 'secre', 'Secret'])
    expect(refused(await put(AT, signedCard(alice), wrong))).toEqual([401, { error: 'Token' }])
  expect((await put(placeOf(bob), signedCard(bob), 'secret')).status).toBe(200)
  expect((await put(AT, signedCard(alice))).status).toBe(200)
})

test('a persona has cards for 16 apps', async () => {
  const { put } = await world({ limits: { maxApps: 2 } })
  const statuses: number[] = []
  for (const app of ['a', 'b', 'c']) {
    const answer = await put(placeOf(alice, { app }), signedCard(alice, { app }))
    statuses.push(answer.status)
    if (answer.status !== 200) expect(refused(answer)).toEqual([403, { error: 'Too many apps' }])
  }
  expect(statuses).toEqual([200, 200, 403])
  expect(RELAY_LIMITS.card.maxApps).toBe(16)
})

function token(card: string, wishes: Partial<DeviceToken> = {}, device = 1): string {
  return makeToken(alice, card, { origin: CARDS_URL, path: OPEN, ...wishes }, device)
}

test('a card lies in the open once a device of it put it there, until a later one comes', async () => {
  const { put, get } = await world()
  const card = signedCard(alice)
  await put(AT, card)
  expect((await get(OPEN))[0]).toBe(404)
  expect((await put(OPEN, card, token(card))).status).toBe(200)
  expect(await get(OPEN)).toEqual([200, card])
  expect(await get(AT)).toEqual([200, card])
  const later = signedCard(alice, { seq: 2 })
  await put(AT, later)
  expect((await get(OPEN))[0]).toBe(404)
  expect((await put(OPEN, later, token(later, {}, 2))).status).toBe(200)
  expect(await get(OPEN)).toEqual([200, later])
})

test('nobody but a device of the card puts it into the open', async () => {
  const { put, get } = await world({ tokens: ['secret'] })
  const card = signedCard(alice)
  const cases: readonly (readonly [string | undefined, Record<string, unknown>])[] = [
    [undefined, { error: 'Token' }],
    ['secret', { error: 'Token' }],
    [token(card, {}, 3), { error: 'Card' }],
    [token(card, { app: 'mail' }), { error: 'Card' }],
    [token(card, { personaId: bob.positions[0]!.personaId }), { error: 'Card' }],
    [token(card, { origin: 'https://other.example' }), { error: 'Request' }],
    [token(card, { method: 'GET' }), { error: 'Request' }],
    [token(card, { path: AT }), { error: 'Request' }],
    [token(signedCard(alice, { seq: 2 })), { error: 'Request' }],
    [token(card, { to: bob.positions[0]!.personaId }), { error: 'Request' }],
    [token(card, { issuedAtSec: NOW_SEC - 120, expiresAtSec: NOW_SEC }), { error: 'Clock', now: NOW_SEC }],
    [token(card, { issuedAtSec: NOW_SEC + 121, expiresAtSec: NOW_SEC + 122 }), { error: 'Clock', now: NOW_SEC }],
  ]
  for (const [bearer, body] of cases) expect(refused(await put(OPEN, card, bearer))).toEqual([401, body])
  expect((await get(OPEN))[0]).toBe(404)
  expect((await put(`/card/${ID}/mail`, card, token(card))).body).toEqual({ ok: false, error: 'Bad at' })
})

test('a relay below a path reads device tokens for that path', async () => {
  const { put, get } = await world({ url: `${CARDS_URL}/relay` })
  const card = signedCard(alice)
  expect(refused(await put(`/relay${OPEN}`, card, token(card)))).toEqual([401, { error: 'Request' }])
  expect((await put(`/relay${OPEN}`, card, token(card, { path: `/relay${OPEN}` }))).status).toBe(200)
  // A proxy may cut the path off.
  expect(await get(OPEN)).toEqual([200, card])
})

test('a caller asks no more often for cards than for boxes', async () => {
  const { get, put } = await world()
  const { burst } = RELAY_LIMITS.address
  for (let n = 0; n < burst; n++) await get(AT)
  const [status, text] = await get(AT)
  expect([status, JSON.parse(text)]).toEqual([429, { ok: false, error: 'Too often', retryAfter: 1 }])
  expect(refused(await put(AT, signedCard(alice)))[0]).toBe(429)
})

test('a path that is none of a card does not exist, and a card has no other methods', async () => {
  const { url } = await world()
  for (const path of [
    '/card',
    '/card/',
    '/card/x',
    `${AT}/`,
    `${AT}A`,
    `/card/${ID}`,
    `/card/${ID.toLowerCase()}/${APP}`,
  ])
    expect((await fetch(url + path)).status, path).toBe(404)
  for (const method of ['POST', 'DELETE']) {
    const answer = await fetch(url + AT, { method })
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'GET, HEAD, PUT, OPTIONS'])
  }
  const { status, headers } = await fetch(url + AT, { method: 'OPTIONS' })
  expect([status, headers.get('access-control-allow-methods')]).toEqual([204, 'GET, HEAD, POST, PUT, DELETE, OPTIONS'])
})

test('every reason for a refusal was seen, but a full disk', () => {
  expect(CARD_ERRORS.filter((error) => !SEEN.has(error))).toEqual(['Full'])
})
