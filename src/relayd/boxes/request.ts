/** The body of `POST /`, read strictly (docs/relay.md, "Requests"). */
import { decompressP384 } from '../../core/curve/p384.ts'
import { isBase64url, parseBase64url } from '../../core/encoding/bytes.ts'
import type { RelayLimits } from '../../relay/limits.ts'
import { MAX_STREAM_NAME_CHARS, type BoxError } from '../../relay/wire.ts'
import { formatBoxKey, parseBoxKey, type BoxKey } from '../../seal/box-key.ts'
import { SealError } from '../../seal/errors.ts'
import type { BoxId } from '../store/relay-store.ts'

interface Addressed {
  readonly key: BoxKey
  readonly box: BoxId
}

export interface SendCall extends Addressed {
  readonly action: 'send'
  /** The right to send, as its bytes; null where the sender has none. */
  readonly ext: Uint8Array | null
  readonly data: string
}

export interface CheckCall extends Addressed {
  readonly action: 'check'
  readonly at: number
  readonly ask: boolean
}

export interface ReceiveCall extends Addressed {
  readonly action: 'receive'
  readonly answer: string
  readonly at: number
  readonly limit: number
}

export interface RetireCall extends Addressed {
  readonly action: 'retire'
  readonly answer: string
}

export type BoxCall = SendCall | CheckCall | ReceiveCall | RetireCall

type Body = Readonly<Record<string, unknown>>
type Limits = Pick<RelayLimits, 'maxDataChars' | 'maxReceive'>

/** The members that each action knows. A member that is not understood may be a condition, so it is refused. */
const MEMBERS: ReadonlyMap<unknown, ReadonlySet<string>> = new Map(
  Object.entries({
    send: ['data'],
    check: ['at', 'ask'],
    receive: ['answer', 'at', 'limit', 'stream'],
    retire: ['answer'],
  }).map(([action, members]) => [action, new Set(['pub', 'ext', 'action', ...members])]),
)

const AT_TEXT = /^(0|[1-9][0-9]{0,15})$/ // format: 2^53 has 16 digits

/** Reads a request. `limit` above the relay's own counts as that. @returns the error of a request that is none */
export function readCall(body: unknown, limits: Limits): BoxCall | BoxError {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return 'Bad request'
  const request = body as Body
  const known = MEMBERS.get(request['action'])
  if (known === undefined || !Object.keys(request).every((name) => known.has(name))) return 'Bad request'
  const key = readKey(request['pub'])
  if (key === null) return 'Bad request'
  const ext = readExt(request['ext'])
  if (typeof ext === 'string') return ext
  const addressed = { key, box: boxIdOf(key, request['pub'] as string) }
  switch (request['action']) {
    case 'send':
      return readSend(request, addressed, ext, limits)
    case 'check':
      return readCheck(request, addressed)
    case 'receive':
      return readReceive(request, addressed, limits)
    default:
      return typeof request['answer'] === 'string'
        ? { action: 'retire', ...addressed, answer: request['answer'] }
        : 'Bad request'
  }
}

function readSend(body: Body, addressed: Addressed, ext: Uint8Array | null, limits: Limits): SendCall | BoxError {
  const data = body['data']
  if (typeof data !== 'string' || data === '') return 'Bad request'
  if (data.length > limits.maxDataChars) return 'Too big'
  return isBase64url(data) ? { action: 'send', ...addressed, ext, data } : 'Bad request'
}

function readCheck(body: Body, addressed: Addressed): CheckCall | BoxError {
  const at = parseAt(body['at'])
  const { ask = false } = body
  if (typeof ask !== 'boolean' || !canBeAsked(addressed.key)) return 'Bad request'
  return at === null ? 'Bad at' : { action: 'check', ...addressed, at, ask }
}

function readReceive(body: Body, addressed: Addressed, limits: Limits): ReceiveCall | BoxError {
  const { answer, limit = 1, stream = '' } = body
  const at = parseAt(body['at'])
  if (typeof answer !== 'string' || typeof limit !== 'number' || !Number.isSafeInteger(limit) || limit < 1)
    return 'Bad request'
  if (typeof stream !== 'string' || stream.length > MAX_STREAM_NAME_CHARS) return 'Bad request'
  if (at === null) return 'Bad at'
  return { action: 'receive', ...addressed, answer, at, limit: Math.min(limit, limits.maxReceive) }
}

/** Reads a key in any of its forms. @returns null for anything else */
export function readKey(pub: unknown): BoxKey | null {
  if (typeof pub !== 'string') return null
  try {
    return parseBoxKey(pub)
  } catch (error) {
    if (error instanceof SealError) return null
    throw error
  }
}

/** The canonical text of a key that was read. @param pub as it was read; in its canonical form most often, and base64url has one text for it */
export function boxIdOf(key: BoxKey, pub: string): BoxId {
  return pub.length === Math.ceil((key.bytes.length * 4) / 3) ? pub : formatBoxKey(key)
}

/** Whether a question can be sealed to the key: the short form of P-384 shows that only by its other coordinate. */
export function canBeAsked(key: BoxKey): boolean {
  return key.suite === 'x25519' || decompressP384(key.bytes) !== null
}

/** Microseconds as a number or as decimal text, below 2^53. @returns null for anything else */
export function parseAt(value: unknown): number | null {
  const at = typeof value === 'string' && AT_TEXT.test(value) ? Number(value) : value
  return typeof at === 'number' && Number.isSafeInteger(at) && at >= 0 && !Object.is(at, -0) ? at : null
}

/** A missing `ext` is as null. A text that is not base64url proves nothing. */
function readExt(value: unknown): Uint8Array | null | BoxError {
  if (value === undefined || value === null) return null
  if (typeof value !== 'string') return 'Bad request'
  return parseBase64url(value) ?? 'Bad ext'
}
