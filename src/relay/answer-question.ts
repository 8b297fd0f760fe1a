/**
 * Answers the question of a relay (docs/relay.md, "Questions"). Everything that opens here goes back to whoever asked, so nothing is opened but questions,
 * and a question is answered only to the relay that asked it, about the own box, and in time.
 */
import { parseBase64url } from '../core/encoding/bytes.ts'
import { formatBoxKey } from '../seal/box-key.ts'
import type { BoxKeyPair } from '../seal/key-pair.ts'
import { openFrom } from '../seal/seal.ts'
import { RelayError } from './errors.ts'
import { MAX_QUESTION_AHEAD_SEC } from './limits.ts'
import { decodeQuestion, formatAnswer } from './question.ts'

const NO_AAD = new Uint8Array()

/**
 * Opens a question and gives the answer to send.
 * @param origin scheme, host and port of the relay that was called: never what the relay says of itself
 * @param text the sealed question in base64url
 * @param nowSec the time as that relay has it
 * @throws {RelayError} QUESTION_CLOSED | QUESTION_FORM | QUESTION_ORIGIN | QUESTION_KEY | QUESTION_TIME
 */
export async function answerQuestion(pair: BoxKeyPair, origin: string, text: string, nowSec: number): Promise<string> {
  const question = decodeQuestion(await open(pair, text))
  if (question === null) throw refusal('QUESTION_FORM', 'what the relay sealed is no question')
  if (question.origin !== origin) {
    throw refusal('QUESTION_ORIGIN', `${origin} handed on a question of another relay`, { asked: question.origin })
  }
  if (question.pub !== formatBoxKey(pair.key)) throw refusal('QUESTION_KEY', 'the question is about another box')
  const leftSec = question.exp - nowSec
  if (leftSec <= 0 || leftSec > MAX_QUESTION_AHEAD_SEC) {
    throw new RelayError('QUESTION_TIME', 'the question is too old, or the clocks of relay and client differ', {
      hint: 'set the clock of this computer',
      details: { leftSec },
    })
  }
  return formatAnswer(question)
}

async function open(pair: BoxKeyPair, text: string): Promise<Uint8Array> {
  const sealed = parseBase64url(text)
  if (sealed === null) throw refusal('QUESTION_CLOSED', 'the question is not base64url')
  try {
    return await openFrom(pair, 'relay-question', NO_AAD, sealed)
  } catch (cause) {
    throw refusal('QUESTION_CLOSED', 'what the relay gave as a question does not open as one', {}, cause)
  }
}

function refusal(
  code: 'QUESTION_CLOSED' | 'QUESTION_FORM' | 'QUESTION_ORIGIN' | 'QUESTION_KEY',
  message: string,
  details: Readonly<Record<string, unknown>> = {},
  cause?: unknown,
): RelayError {
  return new RelayError(code, message, { hint: 'do not use this relay: it may be hostile', details, cause })
}
