/**
 * Asks who holds the key of a box, and checks answers, without a memory of what was asked: the relay's own HMAC is in the question. So nobody
 * keeps an owner out by asking for many questions, and any process with the relay's key can check the answer.
 */
import { timingSafeEqual } from 'node:crypto'
import { concatBytes, formatBase64url, parseBase64url, u64be } from '../../core/encoding/bytes.ts'
import { encodeQuestion, NONCE_BYTES, parseAnswer } from '../../relay/question.ts'
import type { BoxKey } from '../../seal/box-key.ts'
import { formatBoxKey } from '../../seal/box-key.ts'
import { sealTo } from '../../seal/seal.ts'
import type { UsedAnswer } from '../store/relay-store.ts'
import { HmacKey } from './hmac.ts'

export interface QuestionsOptions {
  /** Scheme, host and port of the relay, as its clients call it. */
  readonly origin: string
  /** 32 bytes, used for nothing else. */
  readonly key: Uint8Array
  /** How long a question can be answered: up to a second less. */
  readonly questionSec: number
  readonly random: (bytes: number) => Uint8Array
}

const SEC_US = 1_000_000
const MOMENT_BYTES = 8 // of a nonce, which begins with the microsecond of its question
const NO_AAD = new Uint8Array()

export class Questions {
  readonly #options: QuestionsOptions
  readonly #key: HmacKey

  constructor(options: QuestionsOptions) {
    this.#options = options
    this.#key = new HmacKey(options.key)
  }

  /** Asks the owner of a key. @returns the sealed question in base64url @throws {SealError} BOX_KEY_POINT */
  async ask(to: BoxKey, nowUs: number): Promise<string> {
    const { origin, questionSec, random } = this.#options
    const nonce = concatBytes(u64be(Math.floor(nowUs)), random(NONCE_BYTES - MOMENT_BYTES))
    const exp = Math.floor(nowUs / SEC_US) + questionSec
    const question = encodeQuestion({
      origin,
      pub: formatBoxKey(to),
      exp,
      nonce: formatBase64url(nonce),
      answer: formatBase64url(this.#answerTo(to, exp, nonce)),
    })
    return formatBase64url(await sealTo(to, 'relay-question', NO_AAD, question))
  }

  /**
   * Checks an answer. A store keeps that it is used only once.
   * @returns null for an answer that is wrong, late, of another box or of another relay. It never asks whether there is such a box
   */
  judge(from: BoxKey, text: string, nowUs: number): UsedAnswer | null {
    const given = parseAnswer(text)
    if (given === null) return null
    const { nonce, exp } = given
    const nonceBytes = parseBase64url(nonce)!
    const right = this.#answerTo(from, exp, nonceBytes)
    if (!timingSafeEqual(right, parseBase64url(given.answer)!) || nowUs >= exp * SEC_US) return null
    // To the microsecond: a store refuses answers to questions from before its start, and exp would blur that by a second.
    const askedUs = Number(new DataView(nonceBytes.buffer).getBigUint64(0))
    return { id: nonce, expiresUs: askedUs + this.#options.questionSec * SEC_US }
  }

  /** HMAC of key || exp || nonce. Their lengths differ only with the suite, so no two triples have the same bytes. */
  #answerTo(key: BoxKey, exp: number, nonce: Uint8Array): Uint8Array {
    return this.#key.of(key.bytes, u64be(exp), nonce)
  }
}
