/** Reads what a relay answers. A relay is a stranger: whatever has another form is refused, and further members are ignored. */
import { isAppName } from '../core/encoding/app-name.ts'
import { isBase64url, parseBase64url } from '../core/encoding/bytes.ts'
import {
  BOX_ERRORS,
  CARD_ERRORS,
  INBOX_ERRORS,
  type BoxError,
  type CardError,
  type InboxEntry,
  OBJECT_ERRORS,
  type InboxError,
  type ObjectError,
  type Refused,
} from './wire.ts'

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

/** The relay's reason for refusing a card, or a call of an inbox or of an object. */
export interface RefusedBy<Word> {
  readonly error: Word
  /** The card that it has. */
  readonly card?: string
  /** The latest epoch that it has seen. */
  readonly epoch?: number
  /** The relay's time in unix seconds. */
  readonly now?: number
  /** Seconds after which a repeat has a chance. */
  readonly retryAfter?: number
}

export type CardRefused = RefusedBy<CardError>
export type InboxRefused = RefusedBy<InboxError>
export type ObjectRefused = RefusedBy<ObjectError>

/** @returns null for any other value */
export function readCardRefused(value: unknown): CardRefused | null {
  return readRefusedBy(value, CARD_ERRORS)
}

/** @returns null for any other value */
export function readInboxRefused(value: unknown): InboxRefused | null {
  return readRefusedBy(value, INBOX_ERRORS)
}

/** @returns null for any other value */
export function readObjectRefused(value: unknown): ObjectRefused | null {
  return readRefusedBy(value, OBJECT_ERRORS)
}

function readRefusedBy<Word extends string>(value: unknown, words: readonly Word[]): RefusedBy<Word> | null {
  if (!isMembers(value) || value['ok'] !== false) return null
  const { error: given, card } = value
  const error = words.find((word) => word === given)
  if (error === undefined) return null
  const numbers = Object.entries(value).filter(
    ([name, each]) => ['epoch', 'now', 'retryAfter'].includes(name) && Number.isSafeInteger(each) && Number(each) >= 0,
  )
  return { error, ...(typeof card === 'string' ? { card } : {}), ...Object.fromEntries(numbers) }
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

/** The entries of an inbox after a cursor. @returns null for any other value, or if the numbers do not rise */
export function readEntries(
  value: unknown,
  after: number,
): { readonly entries: readonly InboxEntry[]; readonly next: number | null } | null {
  if (!isMembers(value) || value['ok'] !== true || !Array.isArray(value['entries'])) return null
  const entries: InboxEntry[] = []
  let last = after
  for (const each of value['entries'] as readonly unknown[]) {
    const entry = readEntry(each)
    if (entry === null || entry.n <= last) return null
    entries.push(entry)
    last = entry.n
  }
  const { next } = value
  if (next === null) return { entries, next }
  return typeof next === 'number' && Number.isSafeInteger(next) && next >= last && next > after
    ? { entries, next }
    : null
}

const PERSONA = /^[0-9A-F]{64}$/
const KEY_CHARS = 43 // format: 32 bytes in base64url
const PLACE_CHARS = 22 // format: 16 bytes in base64url

/** One entry of an inbox. Its owner may see the sender before anything is opened. @returns null for any other value */
export function readEntry(value: unknown): InboxEntry | null {
  if (!isMembers(value)) return null
  const { n, from, app, kid, at, encId } = value
  if (typeof n !== 'number' || !Number.isSafeInteger(n)) return null
  if (typeof from !== 'string' || !PERSONA.test(from) || typeof app !== 'string' || !isAppName(app)) return null
  if (!isText(kid, KEY_CHARS) || !isText(at, PLACE_CHARS) || !isText(encId, null)) return null
  return { n, from, app, kid, at, encId }
}

/** Base64url with this many characters; null for any number but none. */
function isText(value: unknown, chars: number | null): value is string {
  if (typeof value !== 'string' || value === '' || !isBase64url(value)) return false
  return chars === null || value.length === chars
}

function isMembers(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
