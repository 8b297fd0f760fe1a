/** Events of chats, in one line each. */
import type { DaemonEvent } from '../../ipc/methods/events.ts'
import { escapeText } from '../io/escape.ts'
import { countOf } from '../io/layout.ts'

type ChatEvent = Extract<DaemonEvent, { readonly event: `chat.${string}` }>

export function describeChatEvent({ data: { chat, lines } }: ChatEvent): string {
  return `the chat ${escapeText(chat)} has sent ${countOf(lines, 'line')} that waited`
}
