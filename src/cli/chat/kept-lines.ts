/** Lines that the daemon keeps, read page by page. */
import type { Client } from '../../ipc/client.ts'
import type { ChatLine, ChatView } from '../../ipc/methods/chat.ts'
import { MAX_PAGE } from '../../ipc/shapes/limits.ts'

const MIN_PAGE = 20 // sanity: one call where the lines are among the last ones

interface Page {
  readonly lines: readonly ChatLine[]
  readonly next: number | null
}

/** The figures of a chat; null before its first line. */
export async function figuresOf(client: Client, chat: string): Promise<ChatView | null> {
  const { chats } = await client.call('chat.list', {})
  return chats.find((each) => each.chat === chat) ?? null
}

/** Lines of a kind, from the last one backwards until so many are found. @returns them in their order */
export async function lastLines(
  client: Client,
  chat: string,
  count: number,
  isWanted: (line: ChatLine) => boolean,
): Promise<ChatLine[]> {
  const found: ChatLine[] = []
  for (let before: number | null | undefined; found.length < count && before !== null;) {
    const limit = Math.min(MAX_PAGE, MIN_PAGE + count - found.length)
    const wishes = { chat, limit, ...(before === undefined ? {} : { before }) }
    const page: Page = await client.call('chat.lines', wishes)
    found.unshift(...page.lines.filter(isWanted))
    before = page.next
  }
  return found
}

/** Takes the lines after a number, page by page. */
export async function eachPageAfter(
  client: Client,
  chat: string,
  number: number,
  take: (lines: readonly ChatLine[]) => void,
): Promise<void> {
  for (let after: number | null = number; after !== null;) {
    const page: Page = await client.call('chat.lines', { chat, after })
    take(page.lines)
    after = page.next
  }
}

export function isUnread({ mine, state }: ChatLine): boolean {
  return !mine && state !== 'read'
}

/** How many own lines of a chat no way has taken. */
export async function unsentIn(client: Client, chat: string): Promise<number> {
  return (await figuresOf(client, chat))?.unsent ?? 0
}
