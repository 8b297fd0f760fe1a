/** Boxes in memory, without any secret: for tests of what carries requests to boxes. */
import type { Awaited, BoxCaller, BoxService } from '../../src/relayd/boxes/box-service.ts'
import type { BoxAnswer } from '../../src/relay/wire.ts'

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
  /** Boxes with a message. */
  readonly full: Set<string> = new Set()
  readonly #listeners = new Map<string, Set<(pub: string) => void>>()

  async answer(body: unknown, caller: BoxCaller): Promise<BoxAnswer> {
    this.bodies.push({ body, caller })
    return await this.reply(body)
  }

  async check(awaited: Awaited): Promise<BoxAnswer> {
    this.checks.push(awaited)
    return await this.replyToCheck(awaited)
  }

  watch(pubs: readonly string[], listener: (pub: string) => void): () => void {
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
    for (const listener of this.#listeners.get(pub) ?? []) listener(pub)
  }

  /** How many streams watch this box. */
  watchers(pub: string): number {
    return this.#listeners.get(pub)?.size ?? 0
  }
}
