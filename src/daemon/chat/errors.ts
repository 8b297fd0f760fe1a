/** The refusals of chats at the daemon. */
import { Refusal } from '../../errors/refusal.ts'

export type ChatErrorCode = 'CHAT_LINE_UNKNOWN' // no line of the chat has the id

export class ChatError extends Refusal<ChatErrorCode> {
  override readonly name = 'ChatError'
}
