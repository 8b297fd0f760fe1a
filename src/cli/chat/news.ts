/** The events about chats since the last look at an open one. */
import { CHAT_APP } from '../../core/encoding/app-name.ts'
import type { DaemonEvent, LaggedEvent } from '../../ipc/client.ts'

export const NEWS_EVENTS = [
  'channel.content',
  'channel.delivered',
  'channel.changed',
  'message.arrived',
  'message.changed',
  'contact.changed',
  'chat.sent',
] as const

export interface Told {
  /** Channels by which something has come. */
  readonly channels: ReadonlySet<string>
  /** The number of the last content that has come to the peer, by channel. */
  readonly delivered: ReadonlyMap<string, number>
  /** The numbers of messages that every device of the peer has. */
  readonly received: ReadonlySet<number>
  /** So many own lines waited, and have left. */
  readonly left: number
}

export class News {
  #channels = new Set<string>()
  #delivered = new Map<string, number>()
  #received = new Set<number>()
  #left = 0

  /** @param chat the open one @returns whether the event may be about a chat */
  see(event: DaemonEvent | LaggedEvent, chat: string): boolean {
    if (event.event === 'channel.content') this.#channels.add(event.data.id)
    else if (event.event === 'channel.delivered') this.#delivered.set(event.data.id, event.data.upTo)
    else if (event.event === 'message.changed' && event.data.state === 'received') this.#received.add(event.data.number)
    else if (event.event === 'chat.sent' && event.data.chat === chat) this.#left += event.data.lines
    return !('app' in event.data) || event.data.app === CHAT_APP
  }

  /** Everything that was told since the last call. */
  take(): Told {
    const told = {
      channels: this.#channels,
      delivered: this.#delivered,
      received: this.#received,
      left: this.#left,
    }
    this.#channels = new Set()
    this.#delivered = new Map()
    this.#received = new Set()
    this.#left = 0
    return told
  }
}
