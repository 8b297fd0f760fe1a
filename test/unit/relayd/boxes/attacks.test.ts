/** Attacks on boxes and their owners, each with its refusal (docs/relay.md, "Questions"). */
import { hash } from 'node:crypto'
import { expect, test, vi } from 'vitest'
import { parseBase64url } from '../../../../src/core/encoding/bytes.ts'
import { answerQuestion } from '../../../../src/relay/answer-question.ts'
import { encodeQuestion, type Question } from '../../../../src/relay/question.ts'
import type { RelayStore } from '../../../../src/relayd/store/relay-store.ts'
import { sealTo } from '../../../../src/seal/seal.ts'
import { codeOf } from '../../../support/code-of.ts'
import { ORIGIN, TestOwner, testRelay, type TestRelay } from '../../../support/relay-boxes.ts'

vi.mock('node:crypto', async (original) => {
  const crypto = await original<typeof import('node:crypto')>()
  return { ...crypto, hash: vi.fn(crypto.hash) }
})

const NOTHING = new Uint8Array()
const WRONG = { ok: false, error: 'Wrong answer' }
const alice = await TestOwner.of('alice')
const bob = await TestOwner.of('bob')

const nowSec = (relay: TestRelay): number => Math.floor(relay.nowUs / 1_000_000)

test('a stored message that a relay gives out as a question stays closed', async () => {
  const message = await sealTo(alice.pair.key, 'channel-m1', NOTHING, new TextEncoder().encode('the secret of Bob'))
  const question = Buffer.from(message).toString('base64url')
  expect(await codeOf(answerQuestion(alice.pair, ORIGIN, question, 1_700_000_000))).toBe('QUESTION_CLOSED')
})

test('a question that another relay asked is not answered', async () => {
  const victim = testRelay()
  const question = await alice.question(victim)
  // The hostile relay hands it on, and says that it is its own.
  const call = answerQuestion(alice.pair, 'https://hostile.example', question, nowSec(victim))
  expect(await codeOf(call)).toBe('QUESTION_ORIGIN')
  expect(await codeOf(answerQuestion(alice.pair, ORIGIN, question, nowSec(victim)))).toBe('done')
})

/** A question with one member exchanged, sealed by anybody: the public key is enough. */
async function forged(change: Partial<Record<keyof Question, unknown>>): Promise<string> {
  const question = {
    origin: ORIGIN,
    pub: alice.pub,
    exp: 1_700_000_060,
    nonce: 'A'.repeat(22),
    answer: 'A'.repeat(43),
    ...change,
  }
  const sealed = await sealTo(alice.pair.key, 'relay-question', NOTHING, encodeQuestion(question as Question))
  return Buffer.from(sealed).toString('base64url')
}

test.each([
  ['nothing', {}, 'done'],
  ['another box', { pub: bob.pub }, 'QUESTION_KEY'],
  ['another origin', { origin: 'http://relay.example' }, 'QUESTION_ORIGIN'],
  ['another port', { origin: `${ORIGIN}:8443` }, 'QUESTION_ORIGIN'],
  ['an end now', { exp: 1_700_000_000 }, 'QUESTION_TIME'],
  ['an end in a second', { exp: 1_700_000_001 }, 'done'],
  ['an end in two minutes', { exp: 1_700_000_120 }, 'done'],
  ['an end after that', { exp: 1_700_000_121 }, 'QUESTION_TIME'],
  ['an end as text', { exp: '1700000060' }, 'QUESTION_FORM'],
  ['a broken end', { exp: 1_700_000_060.5 }, 'QUESTION_FORM'],
  ['a short nonce', { nonce: 'AAAA' }, 'QUESTION_FORM'],
  ['a secret as its answer', { answer: 'x'.repeat(100) }, 'QUESTION_FORM'],
  ['no answer', { answer: undefined }, 'QUESTION_FORM'],
])('a question with %s is judged', async (_, change, code) => {
  expect(await codeOf(answerQuestion(alice.pair, ORIGIN, await forged(change), 1_700_000_000))).toBe(code)
})

test('a sealed text that is no question is not given back, and a text that is not base64url is refused', async () => {
  for (const text of ['a secret', '[]', 'null', '{}', '{"origin":1}']) {
    const sealed = await sealTo(alice.pair.key, 'relay-question', NOTHING, new TextEncoder().encode(text))
    const question = Buffer.from(sealed).toString('base64url')
    expect(await codeOf(answerQuestion(alice.pair, ORIGIN, question, 1_700_000_000))).toBe('QUESTION_FORM')
  }
  expect(await codeOf(answerQuestion(alice.pair, ORIGIN, '!', 1_700_000_000))).toBe('QUESTION_CLOSED')
  expect(await codeOf(answerQuestion(bob.pair, ORIGIN, await forged({}), 1_700_000_000))).toBe('QUESTION_CLOSED')
})

test('an answer is good once, for receive and retire together', async () => {
  const relay = testRelay()
  const answer = await alice.answer(relay)
  expect(await relay.ask(alice.receiveBody(answer))).toMatchObject({ ok: true })
  expect(await relay.ask(alice.receiveBody(answer))).toEqual(WRONG)
  expect(await relay.ask(alice.retireBody(answer))).toEqual(WRONG)
  const other = await alice.answer(relay)
  expect(await relay.ask(alice.retireBody(other))).toEqual({ ok: true })
  expect(await relay.ask(alice.retireBody(other))).toEqual(WRONG)
  expect(await relay.ask(alice.receiveBody(other))).toEqual(WRONG)
})

test('a used answer stays used under another spelling', async () => {
  const relay = testRelay()
  const answer = await alice.answer(relay)
  await relay.ask(alice.receiveBody(answer))
  const [nonce, exp, proof] = answer.split('.') as [string, string, string]
  const spellings = [
    `${nonce}.0${exp}.${proof}`,
    `${nonce}.${exp}.0.${proof}`,
    `${nonce}.${exp}.${proof}.`,
    `${nonce}=.${exp}.${proof}`,
    `${nonce}.${exp}e0.${proof}`,
    ` ${answer}`,
    `${answer}\n`,
  ]
  for (const spelling of spellings) expect(await relay.ask(alice.receiveBody(spelling))).toEqual(WRONG)
})

test('an answer for another box, of another relay or with one changed bit is wrong', async () => {
  const relay = testRelay()
  const answer = await alice.answer(relay)
  expect(await relay.ask(bob.receiveBody(answer))).toEqual(WRONG)
  const other = testRelay({ key: new Uint8Array(32).fill(2) })
  expect(await other.ask(alice.receiveBody(answer))).toEqual(WRONG)
  const [nonce, exp, proof] = answer.split('.') as [string, string, string]
  const flipped = (text: string): string => {
    const bytes = parseBase64url(text)!
    bytes[3]! ^= 1
    return Buffer.from(bytes).toString('base64url')
  }
  for (const wrong of [
    `${flipped(nonce)}.${exp}.${proof}`,
    `${nonce}.${Number(exp) + 1}.${proof}`,
    `${nonce}.${exp}.${flipped(proof)}`,
    '',
    '..',
    'hghy64egyu7yguy5',
    `${nonce}.${exp}.`,
    `${nonce}.99999999999999999999.${proof}`,
  ]) {
    expect(await relay.ask(alice.receiveBody(wrong))).toEqual(WRONG)
    expect(await relay.ask(alice.retireBody(wrong))).toEqual(WRONG)
  }
  expect(await relay.ask(alice.receiveBody(answer))).toMatchObject({ ok: true })
})

/** A store that counts how often each call was made. */
function counted(counts: Map<string, number>): (store: RelayStore) => RelayStore {
  return (store) =>
    new Proxy(store, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name)
        if (typeof value !== 'function') return value
        return (...given: unknown[]): unknown => {
          counts.set(String(name), (counts.get(String(name)) ?? 0) + 1)
          return Reflect.apply(value, target, given)
        }
      },
    })
}

test('a wrong answer for a box and any answer for no box get the same words after the same work', async () => {
  const counts = new Map<string, number>()
  const relay = testRelay({ store: counted(counts) })
  await relay.ask(alice.send('AAAA'))
  const wrong = `${'A'.repeat(22)}.${nowSec(relay) + 60}.${'A'.repeat(43)}`
  const work: unknown[] = []
  for (const owner of [alice, bob]) {
    for (const body of [owner.receiveBody(wrong), owner.retireBody(wrong), owner.receiveBody('x')]) {
      counts.clear()
      vi.mocked(hash).mockClear()
      expect(await relay.ask(body)).toEqual(WRONG)
      work.push([Object.fromEntries(counts), vi.mocked(hash).mock.calls.length])
    }
  }
  expect(work.slice(0, 3)).toEqual(work.slice(3))
  expect(work[0]).toEqual([{ spend: 1 }, 2])
})

test('a check does not show whether a box is retired', async () => {
  const relay = testRelay()
  await relay.ask(alice.retireBody(await alice.answer(relay)))
  expect(await relay.ask(alice.check())).toEqual(await relay.ask(bob.check()))
})
