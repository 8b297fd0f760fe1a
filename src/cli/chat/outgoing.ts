/** Sends lines and marks to a peer: by each open channel, and as a message where both sides have an inbox. */
import { CHAT_APP } from '../../core/encoding/app-name.ts'
import type { Client } from '../../ipc/client.ts'
import { MAX_MARKED_IDS, type ChatLine, type LineWay } from '../../ipc/methods/chat.ts'
import type { ChannelState } from '../../ipc/methods/channel-values.ts'
import { RpcError } from '../../ipc/wire/rpc.ts'
import { encodeContent, type ChatContent, type ChatText } from './content.ts'
import type { Peer } from './peers.ts'

const TAKES: ReadonlySet<ChannelState> = new Set(['open', 'meeting', 'unconfirmed'])
const MESSAGE = 'message'

export class Outgoing {
  readonly #client: Client
  readonly #peer: () => Peer
  /** Why messages cannot go now; they are tried again when something has changed. */
  #noMessages: string | null = null
  /** Lines that a way has taken, and no device of the peer has for all we know. */
  readonly #underway = new Map<string, readonly LineWay[]>()

  /** @param peer as they are by now */
  constructor(client: Client, peer: () => Peer) {
    this.#client = client
    this.#peer = peer
  }

  /** Why no line can leave now; null if a way is there. */
  get obstacle(): string | null {
    const { channels, persona } = this.#peer()
    if (channels.some(({ state }) => TAKES.has(state))) return null
    return persona === null ? 'no channel to them is open' : this.#noMessages
  }

  /** Something has changed: messages may go now. */
  tryAgain(): void {
    this.#noMessages = null
  }

  /**
   * Hands a line to every way, and notes which have taken it.
   * @param read the mark that goes along, or null
   * @returns whether any has
   */
  async send({ id, text, sentSec }: ChatText, read: string | null): Promise<boolean> {
    const ways = await this.#post({ line: { id, text, sentSec }, read }, id)
    if (ways.length === 0) return false
    await this.#client.call('chat.mark', { chat: this.#peer().chat, ids: [id], state: 'sent', ways })
    this.#underway.set(id, ways)
    return true
  }

  /** Hands a mark to every way. @param read the id of the line @returns whether any has taken it */
  async mark(read: string): Promise<boolean> {
    return (await this.#post({ line: null, read }, `read-${read}`.slice(0, 64))).length > 0
  }

  /** @returns the ways that have taken it */
  async #post(content: ChatContent, key: string): Promise<LineWay[]> {
    const bytes = Buffer.from(encodeContent(content)).toString('base64')
    const ways: LineWay[] = []
    for (const { id, state } of this.#peer().channels) {
      if (!TAKES.has(state)) continue
      const number = await refused(async () => await this.#client.call('channel.send', { id, content: bytes, key }))
      if (typeof number !== 'string') ways.push({ by: id, number: number.number! })
    }
    const number = await this.#putMessage(bytes, key)
    if (number !== null) ways.push({ by: MESSAGE, number })
    return ways
  }

  async #putMessage(content: string, key: string): Promise<number | null> {
    const { persona } = this.#peer()
    if (persona === null || this.#noMessages !== null) return null
    const put = await refused(
      async () => await this.#client.call('message.put', { app: CHAT_APP, to: persona, content, key }),
    )
    if (typeof put === 'string') {
      this.#noMessages = put
      return null
    }
    return put.number
  }

  /** Goes on with lines of an earlier run. */
  follow(lines: readonly ChatLine[]): void {
    for (const { id, mine, state, ways } of lines) if (mine && state === 'sent') this.#underway.set(id, ways)
  }

  /** Notes lines that have come to the peer by a channel. @param upTo number of the last content that was delivered */
  async delivered(channel: string, upTo: number): Promise<void> {
    await this.#arrived(({ by, number }) => by === channel && number <= upTo)
  }

  /** Notes the line of a message that every device of the peer has. */
  async received(message: number): Promise<void> {
    await this.#arrived(({ by, number }) => by === MESSAGE && number === message)
  }

  async #arrived(has: (way: LineWay) => boolean): Promise<void> {
    const ids = [...this.#underway].filter(([, ways]) => ways.some(has)).map(([id]) => id)
    for (let at = 0; at < ids.length; at += MAX_MARKED_IDS) {
      const some = ids.slice(at, at + MAX_MARKED_IDS)
      await this.#client.call('chat.mark', { chat: this.#peer().chat, ids: some, state: 'there' })
      for (const id of some) this.#underway.delete(id)
    }
  }

  /** Asks what became of the lines that {@link follow} was given, since their events are over. */
  async askAll(): Promise<void> {
    for (const { id, waiting } of this.#peer().channels) if (waiting === 0) await this.delivered(id, Infinity)
    for (const [, ways] of this.#underway)
      for (const { by, number } of ways) if (by === MESSAGE) await this.#askMessage(number)
  }

  async #askMessage(number: number): Promise<void> {
    const wishes = { app: CHAT_APP, after: number - 1, limit: 1 }
    const { messages } = await this.#client.call('message.sent', wishes)
    if (messages.some((sent) => sent.number === number && sent.state === 'received')) await this.received(number)
  }
}

/** @returns the answer, or why the daemon says no */
async function refused<T extends object>(call: () => Promise<T>): Promise<T | string> {
  try {
    return await call()
  } catch (error) {
    if (error instanceof RpcError) return error.message
    throw error
  }
}
