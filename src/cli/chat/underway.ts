/** The own lines of one chat that a way has taken, until a device of the peer has them. The daemon sends them. */
import { CHAT_APP } from '../../core/encoding/app-name.ts'
import type { Client } from '../../ipc/client.ts'
import type { ChannelView } from '../../ipc/methods/channel-values.ts'
import { MAX_MARKED_IDS, MESSAGE_WAY, type ChatLine, type LineWay } from '../../ipc/methods/chat.ts'
import { MAX_PAGE } from '../../ipc/shapes/limits.ts'

type FollowedLine = Pick<ChatLine, 'id' | 'mine' | 'state' | 'ways'>

export class Underway {
  readonly #client: Client
  readonly #chat: string
  /** By the id of the line. */
  readonly #ways = new Map<string, readonly LineWay[]>()

  constructor(client: Client, chat: string) {
    this.#client = client
    this.#chat = chat
  }

  /**
   * Follows the lines of earlier runs, and notes those that have come to the peer meanwhile.
   * @param channels with the peer
   */
  async resume(channels: readonly ChannelView[]): Promise<void> {
    for (let before: number | null | undefined; before !== null;) {
      const wishes = { chat: this.#chat, limit: MAX_PAGE, ...(before === undefined ? {} : { before }) }
      const { lines, next }: { lines: ChatLine[]; next: number | null } = await this.#client.call('chat.lines', wishes)
      this.follow(lines)
      // Lines arrive in their order, so those before a page that has arrived have too.
      before = lines.some(isUnderway) ? next : null
    }
    await this.ask(channels)
  }

  follow(lines: readonly FollowedLine[]): void {
    for (const line of lines) if (isUnderway(line)) this.#ways.set(line.id, line.ways)
  }

  /** Notes lines that have come to the peer by a channel. @param upTo number of the last content that was delivered */
  async delivered(channel: string, upTo: number): Promise<void> {
    await this.#arrived(({ by, number }) => by === channel && number <= upTo)
  }

  /** Notes the line of a message that every device of the peer has. */
  async received(message: number): Promise<void> {
    await this.#arrived(({ by, number }) => by === MESSAGE_WAY && number === message)
  }

  async #arrived(has: (way: LineWay) => boolean): Promise<void> {
    const ids = [...this.#ways].filter(([, ways]) => ways.some(has)).map(([id]) => id)
    for (let at = 0; at < ids.length; at += MAX_MARKED_IDS) {
      const some = ids.slice(at, at + MAX_MARKED_IDS)
      await this.#client.call('chat.mark', { chat: this.#chat, ids: some, state: 'there' })
      for (const id of some) this.#ways.delete(id)
    }
  }

  /** Asks what became of the lines, since the events about them may be over. @param channels with the peer */
  async ask(channels: readonly ChannelView[]): Promise<void> {
    for (const { id, waiting } of channels) if (waiting === 0) await this.delivered(id, Infinity)
    for (const [, ways] of this.#ways)
      for (const { by, number } of ways) if (by === MESSAGE_WAY) await this.#askMessage(number)
  }

  async #askMessage(number: number): Promise<void> {
    const wishes = { app: CHAT_APP, after: number - 1, limit: 1 }
    const { messages } = await this.#client.call('message.sent', wishes)
    if (messages.some((sent) => sent.number === number && sent.state === 'received')) await this.received(number)
  }
}

function isUnderway({ mine, state }: FollowedLine): boolean {
  return mine && state === 'sent'
}
