/** The lines of the owner in one chat on their way out: by each open channel with the peer, and as a message. */
import { encodeContent, chatOf, personaOf, type ChatContent, type ChatText } from '../../core/encoding/chat-content.ts'
import { CHAT_APP } from '../../core/encoding/app-name.ts'
import { PersonadError } from '../../errors/personad-error.ts'
import type { ChannelState, ChannelView } from '../../ipc/methods/channel-values.ts'
import { MESSAGE_WAY, type LineWay, type SentLine } from '../../ipc/methods/chat.ts'
import { MAX_PAGE } from '../../ipc/shapes/limits.ts'
import { describeError } from '../../process/describe-error.ts'
import type { Log } from '../../process/log.ts'
import type { Clock } from '../../process/pulse.ts'
import { Serial } from '../../process/serial.ts'
import type { OwnerCalls } from '../wing/owner-calls.ts'
import type { ChatHistory } from './history.ts'

const TAKES: ReadonlySet<ChannelState> = new Set(['open', 'meeting', 'unconfirmed'])
const MAX_KEY_CHARS = 64 // format: a key of a content or a message
/** A peer who takes no messages is not asked about for each line. */
const ASK_AGAIN_MS = 60_000 // sanity: as often as lines that wait are looked at

export interface OutgoingMeans {
  readonly history: ChatHistory
  readonly owner: OwnerCalls
  readonly clock: Clock
  readonly log: Log
}

interface Posted {
  readonly ways: readonly LineWay[]
  /** Why no way has taken it. */
  readonly why: string
}

const CLOSED: Posted = { ways: [], why: 'the daemon stops' }

export class Outgoing {
  readonly #chat: string
  readonly #means: OutgoingMeans
  readonly #serial = new Serial()
  /** Why lines wait; null while none does. */
  #waits: string | null = null
  #isWoken = false
  #isClosed = false
  /** Why messages cannot go, until something has changed. */
  #noMessages: { readonly why: string; readonly untilMs: number } | null = null

  constructor(chat: string, means: OutgoingMeans) {
    this.#chat = chat
    this.#means = means
  }

  /** Lines of an earlier run may wait. */
  mayWait(): void {
    this.#waits ??= 'the daemon has just started'
  }

  async send(line: ChatText, read: string | null): Promise<SentLine> {
    return await this.#serial.run(async () => {
      // Known before, since a look at the disk between the line and its contents would make a commit of each.
      const channels = this.#waits === null ? await this.#channels() : []
      // It is on disk before anything is sent, since the daemon writes in the order of the calls: after a crash it leaves at the next start.
      const keeping = this.#means.history.keep({ chat: this.#chat, mine: true, state: 'kept', ...line })
      if (this.#waits !== null) return { number: (await keeping).number, ways: [], waits: this.#waits }
      const [{ number }, { ways, why }] = await Promise.all([keeping, this.#post({ line, read }, line.id, channels)])
      if (ways.length === 0) this.#waits = why
      else await this.#means.history.sent(this.#chat, number, ways)
      return { number, ways: [...ways], waits: this.#waits }
    })
  }

  async tell(read: string): Promise<boolean> {
    const key = `read-${read}`.slice(0, MAX_KEY_CHARS)
    return await this.#serial.run(async () => {
      const { ways } = await this.#post({ line: null, read }, key, await this.#channels())
      return ways.length > 0
    })
  }

  /** Sends the lines that wait. @returns whether some wait still */
  async wake(): Promise<boolean> {
    this.#noMessages = null
    if (this.#waits === null || this.#isWoken) return this.#waits !== null
    this.#isWoken = true
    try {
      await this.#serial.run(async () => {
        this.#isWoken = false
        await this.#sendWaiting()
      })
    } catch (error) {
      this.#means.log.warn('chat.send', describeError(error))
    }
    return this.#waits !== null
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await this.#serial.idle()
  }

  async #sendWaiting(): Promise<void> {
    const { history } = this.#means
    let sent = 0
    let waits: string | null = null
    const channels = this.#isClosed ? [] : await this.#channels()
    for (const { number, ...line } of history.waiting(this.#chat)) {
      const { ways, why } = this.#isClosed ? CLOSED : await this.#post({ line, read: null }, line.id, channels)
      if (ways.length === 0) {
        waits = why
        break
      }
      await history.sent(this.#chat, number, ways)
      sent++
    }
    // Nobody has added a line meanwhile: it waits for its turn.
    this.#waits = waits
    if (sent > 0) await history.tellSent(this.#chat, sent)
  }

  /** @param channels those with the peer, or why they are not known */
  async #post(content: ChatContent, key: string, channels: ChannelView[] | string): Promise<Posted> {
    const bytes = Buffer.from(encodeContent(content)).toString('base64')
    const ways: LineWay[] = []
    let why = 'no channel to them is open'
    if (typeof channels === 'string') return { ways, why: channels }
    for (const { id, state } of channels) {
      if (!TAKES.has(state)) continue
      const wishes = { id, content: bytes, key }
      const answer = await this.#refused(async () => await this.#means.owner.call('channel.send', wishes))
      if (typeof answer === 'string') why = answer
      else ways.push({ by: id, number: answer.number! })
    }
    const put = await this.#putMessage(bytes, key)
    if (typeof put === 'string') why = put
    else if (put !== null) ways.push({ by: MESSAGE_WAY, number: put })
    return { ways, why }
  }

  async #channels(): Promise<ChannelView[] | string> {
    return await this.#refused(async () => await this.#listed())
  }

  async #listed(): Promise<ChannelView[]> {
    const found: ChannelView[] = []
    for (let after: string | null = null; ;) {
      const wishes = { app: CHAT_APP, limit: MAX_PAGE, ...(after === null ? {} : { after }) }
      const page: { channels: ChannelView[]; next: string | null } = await this.#means.owner.call(
        'channel.list',
        wishes,
      )
      found.push(...page.channels.filter(({ name, peer }) => chatOf(peer.persona, name) === this.#chat))
      if (page.next === null) return found
      after = page.next
    }
  }

  /** @returns its number, or why it cannot go; null without a persona */
  async #putMessage(content: string, key: string): Promise<number | string | null> {
    const to = personaOf(this.#chat)
    if (to === null) return null
    const nowMs = this.#means.clock.nowMs()
    if (this.#noMessages !== null && nowMs < this.#noMessages.untilMs) return this.#noMessages.why
    const wishes = { app: CHAT_APP, to, content, key }
    const put = await this.#refused(async () => await this.#means.owner.call('message.put', wishes))
    if (typeof put !== 'string') return put.number
    this.#noMessages = { why: put, untilMs: nowMs + ASK_AGAIN_MS }
    return put
  }

  /** @returns the answer, or why there is none */
  async #refused<T extends object>(call: () => Promise<T>): Promise<T | string> {
    try {
      return await call()
    } catch (error) {
      if (error instanceof PersonadError) return error.message
      this.#means.log.error('chat.send', describeError(error))
      return 'the daemon failed, and its log says why'
    }
  }
}
