/** Limits how much of one friend reaches the daemon, so that nobody who floods us has the node ended, or its other friends wait. */
import type { Report } from './protocol.ts'

const BURST = 32 // sanity: a friend who comes online makes four reports
const REFILL_MS = 1000 // sanity: nobody changes a name or a text more often

/** A report about one friend. */
export type FriendReport = Extract<Report, { readonly type: 'friend' | 'name' | 'status' | 'packet' }>

interface Friend {
  tokens: number
  atMs: number
  /** The newest report of each kind that came too fast, in the order in which they came. */
  readonly held: Map<string, FriendReport>
}

/** Passes reports on. If they come too fast, it keeps the newest of each kind, so the last state of a friend is never lost. */
export class FriendLimits {
  readonly #friends = new Map<string, Friend>()
  readonly #send: (report: FriendReport) => void
  readonly #nowMs: () => number

  constructor(send: (report: FriendReport) => void, nowMs: () => number) {
    this.#send = send
    this.#nowMs = nowMs
  }

  push(report: FriendReport): void {
    const friend = this.#friends.get(report.key) ?? { tokens: BURST, atMs: this.#nowMs(), held: new Map() }
    this.#friends.set(report.key, friend)
    const kind = report.type === 'packet' ? `packet ${report.packet}` : report.type
    friend.held.delete(kind)
    friend.held.set(kind, report)
    this.#release(friend)
  }

  /** Passes on what had to wait. Call it about once a second. */
  release(): void {
    for (const friend of this.#friends.values()) this.#release(friend)
  }

  #release(friend: Friend): void {
    const refill = Math.floor(Math.max(0, this.#nowMs() - friend.atMs) / REFILL_MS)
    friend.tokens = Math.min(BURST, friend.tokens + refill)
    friend.atMs += refill * REFILL_MS
    for (const [kind, report] of friend.held) {
      if (friend.tokens < 1) return
      friend.tokens--
      friend.held.delete(kind)
      this.#send(report)
    }
  }
}
