/** Sends the lines of the owner in all chats: at once, or as soon as a way takes them, also while no client is there (docs/chat.md, section 2). */
import { CHAT_APP } from '../../core/encoding/app-name.ts'
import type { DaemonEvent } from '../../ipc/methods/events.ts'
import type { SendLineParams, SentLine } from '../../ipc/methods/chat.ts'
import { describeError } from '../../process/describe-error.ts'
import { Outgoing, type OutgoingMeans } from './outgoing.ts'

/** Some of what lets a line leave is told by no event, such as a relay that answers again. */
const LOOK_MS = 60_000 // sanity: one wakeup in a minute, and only while a line waits

export class Sender {
  readonly #means: OutgoingMeans
  readonly #chats = new Map<string, Outgoing>()
  #loading: Promise<void> = Promise.resolve()
  #cancel: (() => void) | null = null
  #isClosed = false

  constructor(means: OutgoingMeans) {
    this.#means = means
  }

  /** The apps key is open: lines of an earlier run leave now. */
  load(): void {
    this.#loading = this.#loading
      .then(async () => {
        for (const { chat, unsent } of await this.#means.history.list()) if (unsent > 0) this.#of(chat).mayWait()
        this.#wake()
      })
      .catch((error: unknown) => this.#means.log.warn('chat.load', describeError(error)))
  }

  /** Keeps a line, and sends it after those that wait. On return it is on disk. */
  async send({ chat, read, ...line }: SendLineParams): Promise<SentLine> {
    await this.#loading
    const sent = await this.#of(chat).send(line, read ?? null)
    if (sent.waits !== null) this.#lookLater()
    return sent
  }

  /** Tells the peer how far the owner has read. @returns whether a way has taken that */
  async tell(chat: string, read: string): Promise<boolean> {
    return await this.#of(chat).tell(read)
  }

  /** A way may have room now, or there may be a new one. */
  onEvent({ event, data }: DaemonEvent): void {
    if (event === 'contact.changed' || event === 'own.changed') this.#wake()
    if (event === 'channel.changed' || event === 'channel.delivered' || event === 'message.changed')
      if (data.app === CHAT_APP) this.#wake()
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#cancel?.()
    await this.#loading
    for (const outgoing of this.#chats.values()) await outgoing.close()
  }

  #of(chat: string): Outgoing {
    const known = this.#chats.get(chat)
    if (known !== undefined) return known
    const outgoing = new Outgoing(chat, this.#means)
    this.#chats.set(chat, outgoing)
    return outgoing
  }

  #wake(): void {
    if (this.#isClosed) return
    for (const outgoing of this.#chats.values())
      void outgoing.wake().then((waits) => {
        if (waits) this.#lookLater()
      })
  }

  #lookLater(): void {
    if (this.#isClosed) return
    this.#cancel ??= this.#means.clock.after(LOOK_MS, () => {
      this.#cancel = null
      this.#wake()
    })
  }
}
