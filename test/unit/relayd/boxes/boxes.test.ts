import { expect, test } from 'vitest'
import { RELAY_LIMITS } from '../../../../src/relay/limits.ts'
import { sendRight } from '../../../../src/relay/send-right.ts'
import type { BoxAnswer } from '../../../../src/relay/wire.ts'
import { answerQuestion } from '../../../../src/relay/answer-question.ts'
import { ORIGIN, START_US, TestOwner, testRelay, type TestRelay } from '../../../support/relay-boxes.ts'

const alice = await TestOwner.of('alice')
const bob = await TestOwner.of('bob')

/** Numbered data: base64url of 3 bytes. */
const data = (n: number): string => Buffer.from([0, n >> 8, n & 255]).toString('base64url')

test.each(['x25519', 'p384'] as const)(
  'what is sent to a box of %s is found and received by its owner',
  async (suite) => {
    const relay = testRelay()
    const owner = await TestOwner.new(suite)
    expect(await relay.ask(owner.check())).toEqual({ ok: true, found: false })
    expect(await relay.ask(owner.send('AAAA'))).toEqual({ ok: true })
    expect(await relay.ask(owner.check())).toEqual({ ok: true, found: true, question: expect.any(String) })
    expect(await owner.receive(relay)).toEqual({ ok: true, at: START_US, data: 'AAAA' })
  },
)

test('a check asks a question for an empty box where the caller asks for it', async () => {
  const relay = testRelay()
  expect(await relay.ask(alice.check(0, true))).toEqual({ ok: true, found: false, question: expect.any(String) })
  expect(await relay.ask(alice.check(0, false))).toEqual({ ok: true, found: false })
})

test('one message is received as the text has it, and several also as a list', async () => {
  const relay = testRelay()
  for (const n of [1, 2, 3]) await relay.ask(alice.send(data(n)))
  const list = [1, 2, 3].map((n, i) => ({ at: START_US + i, data: data(n) }))
  expect(await alice.receive(relay)).toEqual({ ok: true, ...list[0] })
  expect(await alice.receive(relay, 0, 2)).toEqual({ ok: true, ...list[0], messages: list.slice(0, 2) })
  expect(await alice.receive(relay, 0, 99)).toEqual({ ok: true, ...list[0], messages: list })
  expect(await alice.receive(relay, START_US)).toEqual({ ok: true, ...list[1] })
})

test('with nothing new the cursor stays and there is no data', async () => {
  const relay = testRelay()
  expect(await alice.receive(relay, 5)).toEqual({ ok: true, at: 5, data: null })
  expect(await alice.receive(relay, 5, 2)).toEqual({ ok: true, at: 5, data: null, messages: [] })
})

test('what was received and not named comes again, and what the cursor names is gone', async () => {
  const relay = testRelay()
  await relay.ask(alice.send(data(1)))
  await relay.ask(alice.send(data(2)))
  const first = await alice.receive(relay)
  expect(await alice.receive(relay)).toEqual(first)
  expect(await alice.receive(relay, START_US)).toMatchObject({ data: data(2) })
  expect(await alice.receive(relay)).toMatchObject({ data: data(2) })
})

test('a retired box refuses senders, and its owner still hears of some who came late', async () => {
  const relay = testRelay()
  await relay.ask(alice.send(data(1)))
  expect(await relay.ask(alice.retireBody(await alice.answer(relay)))).toEqual({ ok: true })
  for (let n = 2; n < 10; n++) expect(await relay.ask(alice.send(data(n)))).toEqual({ ok: false, error: 'Used' })
  expect(await alice.receive(relay, START_US, 99)).toMatchObject({
    messages: [2, 3, 4, 5].map((n) => expect.objectContaining({ data: data(n) }) as unknown),
  })
})

test('a box takes a burst of sends, then one a second, whoever sends', async () => {
  const relay = testRelay()
  await relay.ask(alice.check())
  const { burst } = RELAY_LIMITS.boxSends
  for (let n = 0; n < burst; n++) expect(await relay.ask(alice.send(data(n)))).toEqual({ ok: true })
  expect(await relay.ask(alice.send(data(burst)))).toEqual({ ok: false, error: 'Too often', retryAfter: 1 })
  expect(await relay.ask(bob.send(data(0)))).toEqual({ ok: true })
  relay.pass(1)
  expect(await relay.ask(alice.send(data(burst)))).toEqual({ ok: true })
  expect(await relay.ask(alice.send(data(burst + 1)))).toMatchObject({ error: 'Too often' })
})

test('an address makes a burst of requests of any kind, then ten a second, and others are served', async () => {
  const relay = testRelay()
  const answer = await alice.answer(relay)
  const kinds = [alice.check(), alice.receiveBody('wrong'), alice.retireBody('wrong'), bob.send(data(1))]
  for (let n = 0; n < RELAY_LIMITS.address.burst; n++) await relay.ask(kinds[n % kinds.length], 'busy')
  for (const kind of kinds) {
    expect(await relay.ask(kind, 'busy')).toEqual({ ok: false, error: 'Too often', retryAfter: 1 })
  }
  expect(await relay.ask(alice.receiveBody(answer), 'calm')).toMatchObject({ ok: true })
  relay.pass(1)
  for (let n = 0; n < RELAY_LIMITS.address.perSec; n++) {
    expect(await relay.ask(alice.check(), 'busy')).toMatchObject({ ok: true })
  }
  expect(await relay.ask(alice.check(), 'busy')).toMatchObject({ error: 'Too often' })
})

test('eight checks by a stranger do not keep the owner out', async () => {
  const relay = testRelay()
  await relay.ask(alice.send(data(1)))
  const early = await alice.answer(relay)
  for (let n = 0; n < 8; n++) await relay.ask(alice.check(0, true), 'stranger')
  const late = await alice.answer(relay)
  expect(await relay.ask(alice.receiveBody(early))).toMatchObject({ ok: true, data: data(1) })
  expect(await relay.ask(alice.receiveBody(late))).toMatchObject({ ok: true, data: data(1) })
})

test('a full box answers Too often, and has room again when its owner has read', async () => {
  const relay = testRelay({ limits: { boxSends: { burst: 1000, perSec: 1 } } })
  await relay.ask(alice.check())
  for (let n = 0; n < RELAY_LIMITS.box.maxMessages; n++) await relay.ask(alice.send(data(n)))
  expect(await relay.ask(alice.send(data(999)))).toEqual({ ok: false, error: 'Too often', retryAfter: 60 })
  await alice.receive(relay, START_US)
  expect(await relay.ask(alice.send(data(999)))).toEqual({ ok: true })
})

test('an address that made too many boxes which nobody claimed makes no more, by send or by check', async () => {
  const relay = testRelay({ limits: { box: { ...RELAY_LIMITS.box, maxUncheckedBoxes: 2 } } })
  for (const name of ['one', 'two']) await relay.ask((await TestOwner.of(name)).send(data(1)), 'maker')
  expect(await relay.ask(alice.send(data(1)), 'maker')).toEqual({ ok: false, error: 'Too often', retryAfter: 60 })
  expect(await relay.ask(alice.check(), 'maker')).toEqual({ ok: false, error: 'Too often', retryAfter: 60 })
  expect(await relay.ask(alice.send(data(1)), 'other')).toEqual({ ok: true })
})

const LIVES: readonly [unit: string, sec: number, isGood: boolean][] = [
  ['59 s', 59, true],
  ['61 s', 61, false],
]

test.each(LIVES)('a question is answered after %s: %d s, %s', async (_, sec, isGood) => {
  // Wherever in its second the question was asked.
  for (const part of [0, 0.25, 0.499_999, 0.499_999_5]) {
    const relay = testRelay()
    relay.pass(part)
    const answer = await alice.answer(relay)
    relay.pass(sec)
    const got = await relay.ask(alice.receiveBody(answer))
    expect(got).toEqual(isGood ? { ok: true, at: 0, data: null } : { ok: false, error: 'Wrong answer' })
  }
})

test('a message lives 59 minutes and not 61', async () => {
  const relay = testRelay()
  await relay.ask(alice.send(data(1)))
  relay.pass(59 * 60)
  expect(await alice.receive(relay)).toMatchObject({ data: data(1) })
  relay.pass(2 * 60)
  expect(await alice.receive(relay)).toMatchObject({ data: null })
})

test('a box lives 29 days after the last check and not 31', async () => {
  for (const [days, answer] of [
    [29, { ok: false, error: 'Used' }],
    [31, { ok: true }],
  ] as const) {
    const relay = testRelay()
    await relay.ask(alice.retireBody(await alice.answer(relay)))
    relay.pass(days * 86_400)
    expect(await relay.ask(alice.send(data(1)))).toEqual(answer)
  }
})

test('a renewed message counts once', async () => {
  const relay = testRelay()
  for (let n = 0; n < 3; n++) expect(await relay.ask(alice.send(data(1)))).toEqual({ ok: true })
  expect(await alice.receive(relay, 0, 9)).toMatchObject({ messages: [{ at: START_US, data: data(1) }] })
})

const TOKENS = ['first', 'second']

test('where the relay asks for a token, only the right of the box lets a sender in', async () => {
  const relay = testRelay({ tokens: TOKENS })
  for (const token of TOKENS) {
    expect(await relay.ask(alice.send(data(1), await sendRight(token, alice.pair.key)))).toEqual({ ok: true })
  }
  const wrong = [
    null,
    'AAAA',
    'A'.repeat(22),
    await sendRight('third', alice.pair.key),
    await sendRight('first', bob.pair.key),
  ]
  for (const ext of wrong) expect(await relay.ask(alice.send(data(2), ext))).toEqual({ ok: false, error: 'Bad ext' })
  // The owner proves the key, and needs no token.
  expect(await alice.receive(relay)).toMatchObject({ data: data(1) })
})

test('with an empty list of tokens nobody may send', async () => {
  const relay = testRelay({ tokens: [] })
  expect(await relay.ask(alice.send(data(1), await sendRight('first', alice.pair.key)))).toMatchObject({
    error: 'Bad ext',
  })
})

test('a sender without the right uses up nothing of the box', async () => {
  const relay = testRelay({ tokens: TOKENS, limits: { boxSends: { burst: 1, perSec: 1 } } })
  for (let n = 0; n < 5; n++) await relay.ask(alice.send(data(1)))
  expect(await relay.ask(alice.send(data(1), await sendRight('first', alice.pair.key)))).toEqual({ ok: true })
})

async function told(relay: TestRelay, pub: string, at = 0): Promise<BoxAnswer> {
  return await relay.boxes.check({ pub, at }, { address: 'waiting' })
}

test('a stream is told what check tells, and its question can be answered', async () => {
  const relay = testRelay()
  expect(await told(relay, alice.pub)).toEqual({ ok: true, found: false })
  await relay.ask(alice.send(data(1)))
  const answer = await told(relay, alice.pub)
  if (!answer.ok || !('question' in answer)) throw new Error('no question')
  const proof = await answerQuestion(alice.pair, ORIGIN, answer.question, Math.floor(relay.nowUs / 1e6))
  expect(await relay.ask(alice.receiveBody(proof))).toMatchObject({ data: data(1) })
  expect(await told(relay, alice.pub, START_US)).toEqual({ ok: true, found: false })
  expect(await told(relay, 'AAAA')).toEqual({ ok: false, error: 'Bad request' })
  expect(await told(relay, alice.pub, 2 ** 53)).toEqual({ ok: false, error: 'Bad at' })
})

test('the checks of streams have a limit of their own', async () => {
  const { wait } = RELAY_LIMITS
  const relay = testRelay({ limits: { wait: { ...wait, checks: { burst: 2, perSec: 1 } } } })
  await told(relay, alice.pub)
  await told(relay, bob.pub)
  expect(await told(relay, alice.pub)).toEqual({ ok: false, error: 'Too often', retryAfter: 1 })
  expect(await relay.ask(alice.check(), 'waiting')).toMatchObject({ ok: true })
})

test('who watches a box hears of each message in it, under the name that they gave, until they end it', async () => {
  const relay = testRelay()
  const owner = await TestOwner.new('p384')
  const heard: string[] = []
  const end = relay.boxes.watch([alice.pub, owner.pub, 'no key'], (pub) => heard.push(pub))
  const endOther = relay.boxes.watch([alice.pub], () => heard.push('other'))
  await relay.ask(alice.send(data(1)))
  await relay.ask(bob.send(data(1)))
  await relay.ask(owner.send(data(1)))
  expect(heard).toEqual([alice.pub, 'other', owner.pub])
  end()
  await relay.ask(alice.send(data(2)))
  expect(heard.splice(3)).toEqual(['other'])
  endOther()
  relay.boxes.watch([alice.pub], () => heard.push('again'))
  endOther()
  await relay.ask(alice.send(data(3)))
  expect(heard.splice(3)).toEqual(['again'])
  relay.boxes.close()
  await relay.ask(alice.send(data(4)))
  expect(heard.length).toBe(3)
})
