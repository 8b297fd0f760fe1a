/** Lines and marks of chats as contents of channels and messages, and the names of chats (docs/chat.md, section 4). */
import { decodeUtf8, encodeUtf8 } from './bytes.ts'

/** The most that the text of a line may have. */
export const MAX_LINE_CHARS = 65_536 // sanity: twenty pages of a book; as UTF-8 it fits into a sealed record

const VERSION = 1
const ID = /^[A-Za-z0-9_-]{1,64}$/ // format: a key of a content or a message

const OF_PERSONA = 'persona:'
const OF_NAME = 'name:'

export interface ChatText {
  readonly id: string
  readonly text: string
  readonly sentSec: number
}

/** A line, a mark, or a line with a mark that was due. */
export interface ChatContent {
  readonly line: ChatText | null
  /** A person has seen the line of this id, and all lines of the same side before it. */
  readonly read: string | null
}

/** The name of a chat at the daemon. @param name of the channel @param persona of the peer; null for none */
export function chatOf(persona: string | null, name: string): string {
  return persona === null ? `${OF_NAME}${name.normalize('NFC').toLowerCase()}` : `${OF_PERSONA}${persona}`
}

/** The PersonaID in the name of a chat; null for a chat without one. */
export function personaOf(chat: string): string | null {
  return chat.startsWith(OF_PERSONA) ? chat.slice(OF_PERSONA.length) : null
}

/** The folded name of the channel in the name of a chat without a PersonaID. */
export function nameOf(chat: string): string {
  return chat.startsWith(OF_NAME) ? chat.slice(OF_NAME.length) : chat
}

export function encodeContent({ line, read }: ChatContent): Uint8Array {
  const members = {
    chat: VERSION,
    ...(read === null ? {} : { read }),
    ...(line === null ? {} : { line: line.id, sent: line.sentSec, text: line.text }),
  }
  return encodeUtf8(JSON.stringify(members))
}

/** @param bytes of the peer, perhaps hostile @returns null for anything else than a line or a mark */
export function decodeContent(bytes: Uint8Array): ChatContent | null {
  const members = membersOf(decodeUtf8(bytes))
  if (members === null || members['chat'] !== VERSION) return null
  const { read = null } = members
  if (read !== null && !isId(read)) return null
  if (members['line'] === undefined) return read === null ? null : { line: null, read }
  const line = lineOf(members)
  return line === null ? null : { line, read }
}

function membersOf(text: string | null): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(text ?? '')
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null
  } catch {
    return null
  }
}

function lineOf({ line, sent, text }: Readonly<Record<string, unknown>>): ChatText | null {
  if (!isId(line) || typeof text !== 'string' || text.length > MAX_LINE_CHARS) return null
  if (typeof sent !== 'number' || !Number.isSafeInteger(sent) || sent < 0) return null
  return { id: line, text, sentSec: sent }
}

function isId(value: unknown): value is string {
  return typeof value === 'string' && ID.test(value)
}
