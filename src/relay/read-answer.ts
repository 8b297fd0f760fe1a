/** Reads what a relay answers. A relay is a stranger: whatever has another form is refused, and further members are ignored. */
import { parseBase64url } from '../core/encoding/bytes.ts'
import { BOX_ERRORS, CARD_ERRORS, type BoxError, type CardError, type Refused } from './wire.ts'

type Members = Readonly<Record<string, unknown>>

export interface Found {
  readonly found: boolean
  /** Sealed, in base64url. */
  readonly question: string | null
}

export interface Received {
  /** Later than the one before it, and than the cursor that was asked for. */
  readonly at: number
  readonly data: Uint8Array
}

/** A message that a stream gave by itself. */
export interface Given extends Received {
  /** The moment after which this message is the first one. */
  readonly after: number
}

/** One event of a stream: a message, or news of a box. */
export interface StreamEvent {
  readonly pub: string
  readonly question: string | null
  readonly message: Given | null
}

/** @returns null for any other value */
export function readRefused(value: unknown): Refused | null {
  if (!isMembers(value) || value['ok'] !== false) return null
  const { error, retryAfter } = value
  if (!BOX_ERRORS.includes(error as BoxError)) return null
  const isTime = typeof retryAfter === 'number' && Number.isFinite(retryAfter) && retryAfter >= 0
  return { ok: false, error: error as BoxError, ...(isTime ? { retryAfter } : {}) }
}

/** The relay's reason for refusing a card. */
export interface CardRefused {
  readonly error: CardError
  /** The card that it has. */
  readonly card?: string
  /** The latest epoch that it has seen. */
  readonly epoch?: number
  /** The relay's time in unix seconds. */
  readonly now?: number
  /** Seconds after which a repeat has a chance. */
  readonly retryAfter?: number
}

/** @returns null for any other value */
export function readCardRefused(value: unknown): CardRefused | null {
  if (!isMembers(value) || value['ok'] !== false) return null
  const { error, card } = value
  if (!CARD_ERRORS.includes(error as CardError)) return null
  const numbers = Object.entries(value).filter(
    ([name, each]) => ['epoch', 'now', 'retryAfter'].includes(name) && Number.isSafeInteger(each) && Number(each) >= 0,
  )
  return { error: error as CardError, ...(typeof card === 'string' ? { card } : {}), ...Object.fromEntries(numbers) }
}

export function isDone(value: unknown): boolean {
  return isMembers(value) && value['ok'] === true
}

/** @returns null for any other value */
export function readFound(value: unknown): Found | null {
  if (!isMembers(value) || value['ok'] !== true) return null
  const { found, question = null } = value
  if (typeof found !== 'boolean' || (question !== null && typeof question !== 'string')) return null
  return { found, question }
}

/** The messages after a cursor. @returns null for any other value, or if the moments do not rise */
export function readReceived(value: unknown, after: number): Received[] | null {
  if (!isMembers(value) || value['ok'] !== true) return null
  const { at, data, messages } = value
  const list: unknown = messages ?? (data === null ? [] : [{ at, data }])
  if (!Array.isArray(list)) return null
  const received: Received[] = []
  let last = after
  for (const each of list as readonly unknown[]) {
    const message = readMessage(each)
    if (message === null || message.at <= last) return null
    received.push(message)
    last = message.at
  }
  return received
}

/** One event of a stream. @returns null for any other text */
export function readEvent(text: string): StreamEvent | null {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return null
  }
  if (!isMembers(value) || typeof value['pub'] !== 'string' || value['found'] !== true) return null
  const { pub, question = null, after } = value
  if (question !== null && typeof question !== 'string') return null
  if (after === undefined) return { pub, question, message: null }
  const message = readMessage(value)
  if (message === null || typeof after !== 'number' || !(after >= 0 && after < message.at)) return null
  return { pub, question, message: { ...message, after } }
}

function readMessage(value: unknown): Received | null {
  if (!isMembers(value)) return null
  const { at, data } = value
  if (typeof at !== 'number' || !Number.isSafeInteger(at) || typeof data !== 'string') return null
  const bytes = parseBase64url(data)
  return bytes === null ? null : { at, data: bytes }
}

function isMembers(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
