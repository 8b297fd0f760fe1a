/**
 * A question of a relay (docs/relay.md, "Questions"): sealed to the key of a box, so that only its owner can answer. It names who asks, whom,
 * and until when. So no relay gets an answer that is good at another.
 */
import { decodeUtf8, encodeUtf8, isBase64url } from '../core/encoding/bytes.ts'

export interface Question {
  /** Scheme, host and port of the relay that asks, such as `https://relay.example`. */
  readonly origin: string
  /** The canonical key of the box, in base64url. */
  readonly pub: string
  /** Unix seconds from which an answer is too late. */
  readonly exp: number
  /** 16 bytes in base64url. */
  readonly nonce: string
  /** 32 bytes in base64url. Only the relay that asks can make or check them. */
  readonly answer: string
}

export const NONCE_BYTES = 16
export const ANSWER_BYTES = 32

const MEMBERS = ['answer', 'exp', 'nonce', 'origin', 'pub']

/** The bytes that are sealed: JSON with the members in the order of {@link Question}. */
export function encodeQuestion({ origin, pub, exp, nonce, answer }: Question): Uint8Array {
  return encodeUtf8(JSON.stringify({ origin, pub, exp, nonce, answer }))
}

/** @returns null unless the bytes are a question with all members of their types, and no others */
export function decodeQuestion(bytes: Uint8Array): Question | null {
  const value = parseJson(decodeUtf8(bytes) ?? '')
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null
  if (Object.keys(value).toSorted().join() !== MEMBERS.join()) return null
  const { origin, pub, exp, nonce, answer } = value as Record<keyof Question, unknown>
  if (typeof origin !== 'string' || typeof pub !== 'string' || !isTime(exp)) return null
  if (!isText(nonce, NONCE_BYTES) || !isText(answer, ANSWER_BYTES)) return null
  return { origin, pub, exp, nonce, answer }
}

/** The owner sends this back. */
export function formatAnswer({ nonce, exp, answer }: Pick<Question, 'nonce' | 'exp' | 'answer'>): string {
  return `${nonce}.${exp}.${answer}`
}

/** Reads {@link formatAnswer}. @returns null for any other text */
export function parseAnswer(text: string): Pick<Question, 'nonce' | 'exp' | 'answer'> | null {
  const [nonce, exp, answer, ...rest] = text.split('.', 4)
  if (!isText(nonce, NONCE_BYTES) || !isText(answer, ANSWER_BYTES) || rest.length > 0) return null
  return exp !== undefined && /^[1-9][0-9]{0,14}$/.test(exp) ? { nonce, exp: Number(exp), answer } : null
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return null
  }
}

function isTime(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0
}

function isText(value: unknown, bytes: number): value is string {
  return typeof value === 'string' && value.length === Math.ceil((bytes * 4) / 3) && isBase64url(value)
}
