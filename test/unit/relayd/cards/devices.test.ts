/** Device tokens at a relay: each reason to refuse a request, and the device of a good one. */
import { expect, test } from 'vitest'
import type { DeviceToken } from '../../../../src/card/token.ts'
import { formatHex } from '../../../../src/core/encoding/bytes.ts'
import { Devices, type DevicePurpose, type DeviceRequest } from '../../../../src/relayd/cards/devices.ts'
import { APP, cardKeyPair, makeToken, signedCard, verifiedCard, type CardWishes } from '../../../support/cards.ts'
import { makePersona, NOW_SEC, sodium } from '../../../support/made-persona.ts'
import { CARDS_URL, testCards } from '../../../support/relay-cards.ts'
import { cardAt } from '../../../../src/card/place.ts'

const alice = makePersona(1)
const bob = makePersona(2)
const ALICE = formatHex(alice.positions[0]!.personaId)
const BOB = formatHex(bob.positions[0]!.personaId)
const PATH = `/store/${ALICE}/x?y=1`
const BODY = 'a sealed object'
const OWN = { own: ALICE }

interface Asked extends Partial<DeviceToken> {
  readonly device?: number
}

interface World {
  /** The moment of the relay, at first that of the tokens. */
  nowSec: number
  readonly put: (wishes?: CardWishes, bearer?: string) => Promise<void>
  readonly judge: (
    asked?: Asked,
    request?: Partial<DeviceRequest>,
    purpose?: DevicePurpose,
  ) => ReturnType<Devices['judge']>
}

function world(url = CARDS_URL): World {
  const { cards, store } = testCards({ tokens: ['secret'] })
  const devices = new Devices({ store, engine: sodium, url, nowUs: () => relay.nowSec * 1_000_000 })
  const relay: World = {
    nowSec: NOW_SEC,
    put: async (wishes = {}, bearer = 'secret') => {
      const { root, chain, app, text } = verifiedCard(alice, wishes)
      const at = cardAt(root, chain.personaId, app, sodium)
      const put = await cards.put({ at }, text, bearer === '' ? null : bearer, { address: 'home' })
      expect(put.outcome).toBe('kept')
    },
    judge: ({ device = 1, ...wishes } = {}, request = {}, purpose = OWN) => {
      const bearer = makeToken(alice, BODY, { origin: CARDS_URL, path: PATH, ...wishes }, device)
      const bodyHash = sodium.sha256(Buffer.from(BODY))
      return devices.judge({ method: 'PUT', path: PATH, bodyHash, bearer, ...request }, purpose)
    },
  }
  return relay
}

test('a device that the newest card lists is known, with its card', async () => {
  const { put, judge } = world()
  await put()
  expect(await judge()).toEqual({
    outcome: 'good',
    device: {
      persona: ALICE,
      app: APP,
      deviceKey: cardKeyPair(1).publicKey,
      bodyHash: sodium.sha256(Buffer.from(BODY)),
      card: { at: expect.stringMatching(/^[\w-]{22}$/) as string, text: signedCard(alice), isGuest: false },
      listed: verifiedCard(alice).devices,
    },
  })
})

test('a card that was put without a right says so', async () => {
  const { put, judge } = world()
  await put({}, '')
  expect(await judge()).toMatchObject({ outcome: 'good', device: { card: { isGuest: true } } })
})

test('each request that differs from the token is refused', async () => {
  const { put, judge } = world()
  await put()
  const request = { outcome: 'request' }
  expect(await judge({}, { method: 'GET' })).toEqual(request)
  expect(await judge({}, { path: `/store/${ALICE}/x` })).toEqual(request)
  expect(await judge({}, { bodyHash: new Uint8Array(32) })).toEqual(request)
  expect(await judge({ origin: 'https://other.example' })).toEqual(request)
})

test('a body that has not come yet is the concern of the caller, who gets its hash', async () => {
  const { put, judge } = world()
  await put()
  const bodyHash = sodium.sha256(Buffer.from('another body'))
  expect(await judge({ bodyHash }, { bodyHash: null })).toMatchObject({ outcome: 'good', device: { bodyHash } })
})

test('a token is good for the purpose that it names, and for no other', async () => {
  const { put, judge } = world()
  await put()
  const forBob = { to: bob.positions[0]!.personaId }
  const request = { outcome: 'request' }
  expect(await judge(forBob, {}, { to: BOB })).toMatchObject({ outcome: 'good', device: { persona: ALICE } })
  expect(await judge(forBob, {}, { to: ALICE })).toEqual(request)
  expect(await judge({}, {}, { to: BOB })).toEqual(request)
  expect(await judge(forBob, {}, OWN)).toEqual(request)
  expect(await judge({}, {}, { own: BOB })).toEqual(request)
})

test('a token outside of its time is answered with the time of the relay', async () => {
  const relay = world()
  await relay.put()
  for (const [nowSec, outcome] of [
    [NOW_SEC - 121, 'clock'],
    [NOW_SEC - 120, 'good'],
    [NOW_SEC + 119, 'good'],
    [NOW_SEC + 120, 'clock'],
  ] as const) {
    relay.nowSec = nowSec
    expect(await relay.judge(), String(nowSec)).toMatchObject(outcome === 'good' ? { outcome } : { outcome, nowSec })
  }
})

test('a device without a card here, or out of its newest card, is asked for the card', async () => {
  const { put, judge } = world()
  const card = { outcome: 'card' }
  expect(await judge()).toEqual(card)
  await put({ app: 'mail' })
  expect(await judge()).toEqual(card)
  await put()
  expect(await judge({ device: 3 })).toEqual(card)
  expect((await judge({ device: 2 })).outcome).toBe('good')
  await put({ seq: 2, devices: [1] })
  expect(await judge({ device: 2 })).toEqual(card)
})

test('a rotation in one app shuts out the devices of all cards of the epoch before', async () => {
  const { put, judge } = world()
  await put()
  expect((await judge()).outcome).toBe('good')
  await put({ app: 'mail', epoch: 1, devices: [1] })
  expect(await judge()).toEqual({ outcome: 'card' })
})

test('a card that is over lists nobody', async () => {
  const relay = world()
  await relay.put()
  const issuedAtSec = NOW_SEC + 30 * 86_400
  relay.nowSec = issuedAtSec - 1
  expect((await relay.judge({ issuedAtSec })).outcome).toBe('good')
  relay.nowSec = issuedAtSec
  expect(await relay.judge({ issuedAtSec })).toEqual({ outcome: 'card' })
})

test('a text that is no token, or whose signature is wrong, is no token', async () => {
  const { put, judge } = world()
  await put()
  const good = makeToken(alice, BODY, { origin: CARDS_URL, path: PATH })
  const end = good.endsWith('AAAA') ? 'BBBB' : 'AAAA'
  for (const bearer of [null, '', 'secret', `${good}.x`, `${good.slice(0, -4)}${end}`, signedCard(alice)])
    expect(await judge({}, { bearer }), String(bearer)).toEqual({ outcome: 'token' })
})

test('a token names the path with that of the address of the relay', async () => {
  const { put, judge } = world(`${CARDS_URL}/relay`)
  await put()
  expect((await judge({ path: `/relay${PATH}` })).outcome).toBe('good')
  expect(await judge()).toEqual({ outcome: 'request' })
})
