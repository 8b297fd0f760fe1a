/** Lines and marks as contents of channels and messages (docs/chat.md, section 4). */
import { decodeUtf8, encodeUtf8 } from '../../core/encoding/bytes.ts'
import { ownKey } from '../../ipc/methods/app-params.ts'
import { MAX_LINE_CHARS } from '../../ipc/methods/chat.ts'

const VERSION = 1

export interface ChatText {
  readonly kind: 'line'
  readonly id: string
  readonly text: string
  readonly sentSec: number
}

/** A person has seen this line, and all lines of the same side before it. */
export interface ReadMark {
  readonly kind: 'read'
  readonly id: string
}

export type ChatContent = ChatText | ReadMark

export function encodeContent(content: ChatContent): Uint8Array {
  const members =
    content.kind === 'line'
      ? { chat: VERSION, line: content.id, sent: content.sentSec, text: content.text }
      : { chat: VERSION, read: content.id }
  return encodeUtf8(JSON.stringify(members))
}

/** @param bytes of the peer, perhaps hostile @returns null for anything else than a line or a mark */
export function decodeContent(bytes: Uint8Array): ChatContent | null {
  const members = membersOf(decodeUtf8(bytes))
  if (members === null || members['chat'] !== VERSION) return null
  const { line, read, sent, text } = members
  if (isId(read)) return { kind: 'read', id: read }
  if (!isId(line) || typeof text !== 'string' || text.length > MAX_LINE_CHARS) return null
  if (typeof sent !== 'number' || !Number.isSafeInteger(sent) || sent < 0) return null
  return { kind: 'line', id: line, text, sentSec: sent }
}

function membersOf(text: string | null): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(text ?? '')
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null
  } catch {
    return null
  }
}

function isId(value: unknown): value is string {
  return ownKey.safeParse(value).success
}
