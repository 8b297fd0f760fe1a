/** Boxes in memory, without any secret: for tests of what carries requests to boxes. */
import type { Awaited, BoxCaller, BoxNews, BoxService, ComingMessage } from '../../src/relayd/boxes/box-service.ts'
import type { BoxAnswer, BoxMessage } from '../../src/relay/wire.ts'

export class TestBoxes implements BoxService {
  /** Bodies as the server handed them on, with their callers. */
  readonly bodies: { readonly body: unknown; readonly caller: BoxCaller }[] = []
  readonly checks: Awaited[] = []
  /** What `answer` gives. */
  reply: (body: unknown) => BoxAnswer | Promise<BoxAnswer> = () => ({ ok: true })
  /** What `check` gives. */
  replyToCheck: (awaited: Awaited) => BoxAnswer | Promise<BoxAnswer> = ({ pub }: Awaited) => {
    return this.full.has(pub) ? { ok: true, found: true, question: `question for ${pub}` } : { ok: true, found: false }
  }
  /** All that `read` gives, of all boxes. */
  messages: readonly BoxMessage[] = []
  /** The moment of the last message that `read` gave. */
  lastReadAt = 0
  /** Boxes with a message. */
  readonly full: Set<string> = new Set()
  readonly #listeners = new Map<string, Set<BoxNews>>()

  async answer(body: unknown, caller: BoxCaller): Promise<BoxAnswer> {
    this.bodies.push({ body, caller })
    return await this.reply(body)
  }

  async check(awaited: Awaited): Promise<BoxAnswer> {
    this.checks.push(awaited)
    return await this.replyToCheck(awaited)
  }

  async read({ at }: Awaited, limit: number): Promise<readonly BoxMessage[]> {
    const read = this.messages.filter((message) => message.at > at).slice(0, limit)
    this.lastReadAt = read.at(-1)?.at ?? this.lastReadAt
    return await Promise.resolve(read)
  }

  watch(pubs: readonly string[], listener: BoxNews): () => void {
    for (const pub of pubs) {
      const listeners = this.#listeners.get(pub) ?? new Set()
      this.#listeners.set(pub, listeners.add(listener))
    }
    return () => {
      for (const pub of pubs) this.#listeners.get(pub)?.delete(listener)
    }
  }

  /** A message came into this box. */
  deliver(pub: string): void {
    this.full.add(pub)
    for (const listener of this.#listeners.get(pub) ?? []) listener(pub, null)
  }

  /** A message goes to the disk. */
  announce(pub: string, coming: ComingMessage): void {
    for (const listener of this.#listeners.get(pub) ?? []) listener(pub, coming)
  }

  /** How many streams watch this box. */
  watchers(pub: string): number {
    return this.#listeners.get(pub)?.size ?? 0
  }
}
