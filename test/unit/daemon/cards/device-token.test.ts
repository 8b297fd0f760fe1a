/** Device tokens of this device, and what a caller does when a relay does not take one. */
import { expect, test } from 'vitest'
import { judgeToken, verifyToken, type TokenRequest } from '../../../../src/card/token.ts'
import { verifyCard, type VerifiedCard } from '../../../../src/card/verify.ts'
import { deviceToken, withToken, type TokenAnswer, type TokenOf } from '../../../../src/daemon/cards/device-token.ts'
import type { AppKeys } from '../../../../src/daemon/cards/app-keys.ts'
import { seedOf, engine, person, START_SEC } from '../../../support/person.ts'
import { cardOf, CHAT, entryOf } from '../../../support/people-cards.ts'

const alice = person('Alice')
const keys: AppKeys = {
  sigSeed: seedOf("sig of Alice's laptop for chat"),
  encSecret: seedOf("enc of Alice's laptop for chat"),
  old: [],
}
const OF: TokenOf = {
  personaId: alice.position.personaId,
  app: CHAT,
  deviceKey: entryOf(alice, 'laptop').sig,
  to: null,
}
const REQUEST: TokenRequest = {
  origin: 'https://relay.example',
  method: 'POST',
  path: '/inbox/x',
  bodyHash: engine.sha256(),
}

/** A relay that judges tokens as the format says, by a clock of its own. */
class Relay {
  card: VerifiedCard | null = null
  readonly verdicts: string[] = []
  readonly #nowSec: number

  constructor(nowSec: number) {
    this.#nowSec = nowSec
  }

  readonly ask = (nowSec: number): Promise<TokenAnswer> => {
    const token = verifyToken(deviceToken(OF, REQUEST, keys, nowSec, engine), engine)
    const verdict = judgeToken(token, REQUEST, this.card, this.#nowSec)
    this.verdicts.push(verdict)
    if (verdict === 'Clock') return Promise.resolve({ refused: 'Clock', relaySec: this.#nowSec })
    return Promise.resolve({ refused: verdict === 'Card' ? 'Card' : null })
  }

  readonly put = (devices: readonly string[]): Promise<void> => {
    this.card = verifyCard(cardOf(alice, devices, { issuedAtSec: START_SEC }), engine)
    return Promise.resolve()
  }
}

test('a token is good at once where the relay has the card', async () => {
  const relay = new Relay(START_SEC)
  await relay.put(['laptop'])
  expect(
    await withToken(
      relay.ask,
      () => relay.put([]),
      () => START_SEC,
    ),
  ).toEqual({ refused: null })
  expect(relay.verdicts).toEqual(['good'])
})

test.each([-86_400, -121, 121, 86_400])(
  'a clock that is %i s off is mended by the time of the relay',
  async (aheadSec) => {
    const relay = new Relay(START_SEC)
    await relay.put(['laptop'])
    const answer = await withToken(
      relay.ask,
      () => relay.put([]),
      () => START_SEC + aheadSec,
    )
    expect([answer.refused, relay.verdicts]).toEqual([null, ['Clock', 'good']])
  },
)

test('a relay without the card gets it, also after its clock was learned', async () => {
  const relay = new Relay(START_SEC)
  const answer = await withToken(
    relay.ask,
    () => relay.put(['laptop']),
    () => START_SEC + 3600,
  )
  expect([answer.refused, relay.verdicts]).toEqual([null, ['Clock', 'Card', 'good']])
})

test('each answer is mended once: a relay that always refuses ends the calls', async () => {
  const relay = new Relay(START_SEC)
  const answer = await withToken(
    relay.ask,
    () => relay.put(['phone']),
    () => START_SEC,
  )
  expect([answer.refused, relay.verdicts]).toEqual(['Card', ['Card', 'Card']])
})
