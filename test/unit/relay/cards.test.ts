/** The client's side of cards, against the server over HTTP. */
import { expect, test } from 'vitest'
import { cardAt } from '../../../src/card/place.ts'
import { signToken } from '../../../src/card/token.ts'
import { encodeUtf8, formatHex } from '../../../src/core/encoding/bytes.ts'
import { cardPath, parseCardPath } from '../../../src/relay/paths/card-place.ts'
import { getCard, putCard, putPublicCard, type TokenTarget } from '../../../src/relay/cards.ts'
import { RelayClient } from '../../../src/relay/client.ts'
import { errorOfCardRefusal } from '../../../src/relay/card-refusal.ts'
import type { RelayFetch } from '../../../src/relay/means.ts'
import { isPassing } from '../../../src/relay/repeat.ts'
import { CARD_ERRORS } from '../../../src/relay/wire.ts'
import { APP, cardKeyPair, signedCard, verifiedCard } from '../../support/cards.ts'
import { codeOf } from '../../support/code-of.ts'
import { makePersona, NOW_SEC, sodium } from '../../support/made-persona.ts'
import { CARDS_URL, testCards, type TestCards, type TestCardsOptions } from '../../support/relay-cards.ts'
import { serveBoxes } from '../../support/relay-http.ts'
import { TestBoxes } from '../../support/test-boxes.ts'

const alice = makePersona(1)
const { personaId } = alice.positions[0]!
const PLACE = { at: cardAt(verifiedCard(alice).root, personaId, APP, sodium) }
const OPEN = { persona: formatHex(personaId), app: APP }

/** A client whose clock is `aheadSec` before that of the relay. It calls the relay by its name; the requests go to the test's server. */
async function world(options: TestCardsOptions = {}, aheadSec = 0): Promise<TestCards & { client: RelayClient }> {
  const relay = testCards(options)
  const { url } = await serveBoxes({ boxes: new TestBoxes(), cards: relay.cards })
  const fetch: RelayFetch = (to, request) => globalThis.fetch(to.replace(CARDS_URL, url), request)
  const clock = { nowMs: () => (NOW_SEC + aheadSec) * 1000, after: () => () => {} }
  const address = { url: `${CARDS_URL}/`, origin: CARDS_URL }
  return Object.assign(relay, { client: new RelayClient(address, { fetch, clock, random: () => 0.5 }) })
}

/** A device token of Alice's first device. */
function sign(card: string) {
  const { publicKey, secretKey } = cardKeyPair(1)
  return (target: TokenTarget, nowSec: number): string =>
    signToken(
      {
        ...target,
        personaId,
        app: APP,
        deviceKey: publicKey,
        to: null,
        issuedAtSec: nowSec,
        expiresAtSec: nowSec + 60,
        bodyHash: sodium.sha256(encodeUtf8(card)),
      },
      (message) => sodium.sign(message, secretKey),
    )
}

test('a place is read from the path that it makes', () => {
  for (const place of [PLACE, OPEN]) expect(parseCardPath(cardPath(place))).toEqual(place)
  for (const path of ['card', 'card/', `box/${PLACE.at}`, `card/${PLACE.at}=`, `card/${OPEN.persona}/A`, 'card/a/b/c'])
    expect(parseCardPath(path), path).toBeNull()
})

test('a client gets the card that another one put, and null where there is none', async () => {
  const { client } = await world()
  const card = signedCard(alice)
  expect(await getCard(client, PLACE)).toBeNull()
  expect(await putCard(client, PLACE, card)).toEqual({ outcome: 'kept' })
  expect(await putCard(client, PLACE, card)).toEqual({ outcome: 'kept' })
  expect(await getCard(client, PLACE)).toBe(card)
  expect(await getCard(client, OPEN)).toBeNull()
})

test('a client hears of the card from which the next one is made', async () => {
  const { client } = await world()
  const [first, second] = [signedCard(alice), signedCard(alice, { seq: 2 })]
  await putCard(client, PLACE, second)
  expect(await putCard(client, PLACE, first)).toEqual({ outcome: 'newer', card: second })
  expect(await putCard(client, PLACE, signedCard(alice, { seq: 70_000 }))).toEqual({ outcome: 'held', card: second })
  await putCard(client, PLACE, signedCard(alice, { epoch: 2, seq: 3 }))
  expect(await putCard(client, PLACE, signedCard(alice, { seq: 4 }))).toEqual({ outcome: 'ended', epoch: 2 })
})

test('a client puts a card into the open, also where its clock is hours off', async () => {
  for (const aheadSec of [0, 7200, -7200]) {
    const { client } = await world({}, aheadSec)
    const card = signedCard(alice)
    expect(await putPublicCard(client, OPEN, card, sign(card))).toEqual({ outcome: 'kept' })
    expect(await getCard(client, OPEN)).toBe(card)
    // The token of another card is none for this one.
    const other = signedCard(alice, { seq: 2 })
    expect(await codeOf(putPublicCard(client, OPEN, other, sign(card)))).toBe('RELAY_NO_RIGHT')
  }
})

test('a token of the operator makes the right', async () => {
  const { client } = await world({ tokens: ['secret'], limits: { maxGuestCards: 0 } })
  const card = signedCard(alice)
  expect(await codeOf(putCard(client, PLACE, card))).toBe('RELAY_NO_RIGHT')
  expect(await codeOf(putCard(client, PLACE, card, { token: 'wrong' }))).toBe('RELAY_NO_RIGHT')
  expect(await putCard(client, PLACE, card, { token: 'secret' })).toEqual({ outcome: 'kept' })
})

test('a card that no relay takes has a code of its own, and a busy relay is asked again later', async () => {
  const { client } = await world()
  expect(await codeOf(putCard(client, PLACE, 'x'))).toBe('RELAY_BAD_CARD')
  expect(await codeOf(putCard(client, PLACE, 'x'.repeat(9000)))).toBe('RELAY_TOO_BIG')
  const passing = CARD_ERRORS.filter((error) => isPassing(errorOfCardRefusal({ error })))
  expect(passing).toEqual(['Too often', 'Full'])
  expect(errorOfCardRefusal({ error: 'Too often', retryAfter: 3 }).details).toEqual({ retryAfterSec: 3 })
})

test.each([
  ['a page', 200, 'text', 'done'],
  ['no such path, as of a relay without cards', 404, JSON.stringify({ error: 'No such path' }), 'RELAY_STRANGE'],
  ['a gateway', 502, 'bad gateway', 'RELAY_UNREACHABLE'],
  ['an answer without an end', 200, 'x'.repeat(20_000), 'RELAY_STRANGE'],
  ['a refusal of boxes', 200, JSON.stringify({ ok: false, error: 'Used' }), 'done'],
])('%s is no card that was kept', async (_, status, body, code) => {
  const address = { url: `${CARDS_URL}/`, origin: CARDS_URL }
  const fetch: RelayFetch = () => Promise.resolve(new Response(body, { status }))
  const clock = { nowMs: () => 0, after: () => () => {} }
  const client = new RelayClient(address, { fetch, clock, random: () => 0 })
  // Whatever text comes with 200 is for a verification to refuse.
  expect(await codeOf(getCard(client, PLACE))).toBe(code)
  expect(await codeOf(putCard(client, PLACE, 'x'))).toBe(code === 'done' ? 'RELAY_STRANGE' : code)
})
