import { expect, test } from 'vitest'
import { formatBase64url } from '../../../../src/core/encoding/bytes.ts'
import { answerQuestion } from '../../../../src/relay/answer-question.ts'
import { Questions } from '../../../../src/relayd/boxes/questions.ts'
import { SpentAnswers } from '../../../../src/relayd/records/spent-answers.ts'
import { ORIGIN, START_US, TestOwner } from '../../../support/relay-boxes.ts'

const alice = await TestOwner.of('alice')
const options = {
  origin: ORIGIN,
  key: new Uint8Array(32).fill(1),
  questionSec: 60,
  random: (bytes: number) => new Uint8Array(bytes).fill(9),
}

test('an answer names itself by its nonce, and ends without the help of a store', async () => {
  const questions = new Questions(options)
  const question = await questions.ask(alice.pair.key, START_US)
  const answer = await answerQuestion(alice.pair, ORIGIN, question, START_US / 1e6)
  const endUs = Math.floor(START_US / 1e6 + 60) * 1e6
  const nonce = Buffer.concat([Buffer.from(START_US.toString(16).padStart(16, '0'), 'hex'), Buffer.alloc(8, 9)])
  const used = { id: formatBase64url(nonce), expiresUs: START_US + 60e6 }
  expect(questions.judge(alice.pair.key, answer, START_US)).toEqual(used)
  expect(questions.judge(alice.pair.key, answer, endUs - 1)).toEqual(used)
  expect(questions.judge(alice.pair.key, answer, endUs)).toBeNull()
})

test('any process with the same key of the relay takes the answer, also after a restart', async () => {
  const question = await new Questions(options).ask(alice.pair.key, START_US)
  const answer = await answerQuestion(alice.pair, ORIGIN, question, START_US / 1e6)
  expect(new Questions(options).judge(alice.pair.key, answer, START_US)).not.toBeNull()
})

test('a store that started within a second takes answers to its own questions, and to none from before', async () => {
  const questions = new Questions(options)
  for (const [askedUs, isTaken] of [
    [START_US - 1, false],
    [START_US, true],
    [START_US + 1, true],
  ] as const) {
    const question = await questions.ask(alice.pair.key, askedUs)
    const answer = await answerQuestion(alice.pair, ORIGIN, question, START_US / 1e6)
    const used = questions.judge(alice.pair.key, answer, START_US + 1)!
    expect(new SpentAnswers(60e6, START_US).use(used, START_US + 1)).toBe(isTaken)
  }
})
