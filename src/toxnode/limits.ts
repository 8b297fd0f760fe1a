/**
 * Limits how much of one friend passes, so that nobody who floods us has the node ended, or its other friends wait. The node does so for the
 * daemon, and the daemon does so again: friends may have taken over the node.
 */
import { Quota } from '../process/quota.ts'
import type { Report } from './protocol.ts'

// sanity: a friend who comes online makes four reports, and nobody changes a name or a text more often than once a second
const REPORTS = { burst: 32, perSec: 1 } as const

// sanity: twice as many as wait for the owner at a time
const REQUESTS = { burst: 64, perSec: 1 } as const

/**
 * Limits the friend requests of all strangers together, since anybody can ask under any number of keys. A request that finds no room comes
 * again: libtoxcore repeats it.
 */
export class RequestLimit {
  readonly #quota: Quota

  constructor(nowMs: () => number) {
    this.#quota = new Quota(REQUESTS, () => nowMs() / 1000)
  }

  /** @returns whether there is room for one more */
  admits(): boolean {
    return this.#quota.take('strangers')
  }
}

/** A report about one friend. */
export type FriendReport = Extract<Report, { readonly type: 'friend' | 'name' | 'status' | 'packet' }>

/** Passes reports on. If they come too fast, it keeps the newest of each kind, so the last state of a friend is never lost. */
export class FriendLimits {
  /** The newest report of each friend and kind that came too fast, in the order in which they came. */
  readonly #held = new Map<string, Map<string, FriendReport>>()
  readonly #send: (report: FriendReport) => void
  readonly #quota: Quota

  constructor(send: (report: FriendReport) => void, nowMs: () => number) {
    this.#send = send
    this.#quota = new Quota(REPORTS, () => nowMs() / 1000)
  }

  push(report: FriendReport): void {
    const { key } = report
    const held = this.#held.get(key) ?? new Map<string, FriendReport>()
    this.#held.set(key, held)
    const kind = report.type === 'packet' ? `packet ${report.packet}` : report.type
    held.delete(kind)
    held.set(kind, report)
    this.#release(key, held)
  }

  /** Passes on what had to wait. Call it about once a second. */
  release(): void {
    for (const [key, held] of this.#held) this.#release(key, held)
  }

  #release(key: string, held: Map<string, FriendReport>): void {
    for (const [kind, report] of held) {
      if (!this.#quota.take(key)) return
      held.delete(kind)
      this.#send(report)
    }
    this.#held.delete(key)
  }
}
