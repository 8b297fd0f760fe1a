/** Takes the lines and marks that come by channels, with the commit that brings them (decision 79). */
import { chatOf, decodeContent } from '../../core/encoding/chat-content.ts'
import type { ContentTaker } from '../wing/content-takers.ts'
import type { ChatHistory } from './history.ts'

export function chatTaker(history: ChatHistory): ContentTaker {
  return ({ name, persona }, bytes) => {
    const content = decodeContent(bytes)
    return content === null ? null : history.taking(chatOf(persona, name), content)
  }
}
