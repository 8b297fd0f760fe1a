/** Follows the own lines of a chat, which the daemon sends, until a device of the peer has them. */
import { CHAT_APP } from '../../core/encoding/app-name.ts'
import type { Client } from '../../ipc/client.ts'
import { MAX_MARKED_IDS, MESSAGE_WAY, type ChatLine, type LineWay } from '../../ipc/methods/chat.ts'
import type { Peer } from './peers.ts'

export class Outgoing {
  readonly #client: Client
  readonly #peer: () => Peer
  /** Lines that a way has taken, and no device of the peer has for all we know. */
  readonly #underway = new Map<string, readonly LineWay[]>()

  /** @param peer as they are by now */
  constructor(client: Client, peer: () => Peer) {
    this.#client = client
    this.#peer = peer
  }

  /** Follows lines of which some may be underway. */
  follow(lines: readonly Pick<ChatLine, 'id' | 'mine' | 'state' | 'ways'>[]): void {
    for (const { id, mine, state, ways } of lines) if (mine && state === 'sent') this.#underway.set(id, ways)
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
    const ids = [...this.#underway].filter(([, ways]) => ways.some(has)).map(([id]) => id)
    for (let at = 0; at < ids.length; at += MAX_MARKED_IDS) {
      const some = ids.slice(at, at + MAX_MARKED_IDS)
      await this.#client.call('chat.mark', { chat: this.#peer().chat, ids: some, state: 'there' })
      for (const id of some) this.#underway.delete(id)
    }
  }

  /** Asks what became of the lines that {@link follow} was given, since their events may be over. */
  async askAll(): Promise<void> {
    for (const { id, waiting } of this.#peer().channels) if (waiting === 0) await this.delivered(id, Infinity)
    for (const [, ways] of this.#underway)
      for (const { by, number } of ways) if (by === MESSAGE_WAY) await this.#askMessage(number)
  }

  async #askMessage(number: number): Promise<void> {
    const wishes = { app: CHAT_APP, after: number - 1, limit: 1 }
    const { messages } = await this.#client.call('message.sent', wishes)
    if (messages.some((sent) => sent.number === number && sent.state === 'received')) await this.received(number)
  }
}
