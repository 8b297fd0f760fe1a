/** Everything that all connections of a daemon share: memory, time, turns of long calls, and who gives up a place when none is free. */
import { Turns } from './turns.ts'

const MAX_HELD_BYTES = 67_108_864 // sanity: 64 full backlogs; clients that read hold nothing
const MAX_LONG_CALLS = 4 // sanity: each takes some milliseconds and megabytes
const SMALL_BYTES = 65_536 // sanity: who holds no more than one chunk of a socket is never cut

/** A connection, as the room sees it. */
export interface Tenant {
  /** When a frame began or ended, or the client read something: a time of `performance.now()`. */
  readonly movedAtMs: number
  /** A call runs, and its client reads. */
  readonly isBusy: boolean
  readonly isSubscribed: boolean
  cut(code: 'OUT_OF_ROOM' | 'IDLE', message: string): void
}

/**
 * Counts what clients have not read and frames that they have not ended. Above the limit it cuts the connection that has stood still for
 * longest: one that reads has moved a moment ago, so hostile ones go first.
 */
export class Room {
  readonly #maxBytes: number
  readonly #held = new Map<Tenant, number>()
  #total = 0
  #running = 0
  /** Long calls that wait, and the round in which each has its turn. */
  #waiting: { readonly round: number; readonly go: () => void }[] = []
  /** The round of the long call that had its turn last. */
  #round = 0
  /** The round of each connection's last long call. */
  readonly #lastRound = new WeakMap<Tenant, number>()
  /** The time for the frames of all connections. */
  readonly turns: Turns

  constructor(maxBytes: number = MAX_HELD_BYTES, turns: Turns = new Turns()) {
    this.#maxBytes = maxBytes
    this.turns = turns
  }

  get heldBytes(): number {
    return this.#total
  }

  /**
   * Waits for the turn of a long call. Each connection has one in a round, in the order in which they asked. So a client that asks now and
   * then does not wait for those that ask all the time, and one that stays does not wait for those that always connect anew.
   * @returns the function that ends the turn
   */
  async enter(tenant: Tenant): Promise<() => void> {
    const round = Math.max(this.#lastRound.get(tenant) ?? 0, this.#round) + 1
    this.#lastRound.set(tenant, round)
    if (this.#running < MAX_LONG_CALLS) {
      this.#running++
      this.#round = round
    } else await new Promise<void>((go) => this.#waiting.push({ round, go }))
    return () => this.#leave()
  }

  #leave(): void {
    let next = this.#waiting[0]
    for (const one of this.#waiting) if (next !== undefined && one.round < next.round) next = one
    if (next === undefined) {
      this.#running--
      return
    }
    this.#waiting.splice(this.#waiting.indexOf(next), 1)
    this.#round = next.round
    next.go()
  }

  /** The connection that stood still for longest, in seconds; among equals, the one that holds most. */
  #slowest(): Tenant | null {
    const nowMs = performance.now()
    const seconds = (connection: Tenant): number => Math.floor((nowMs - connection.movedAtMs) / 1000)
    const [first] = [...this.#held].toSorted(([a, heldA], [b, heldB]) => seconds(b) - seconds(a) || heldB - heldA)
    return first?.[0] ?? null
  }

  /** Notes how much a connection holds now. */
  note(connection: Tenant, bytes: number): void {
    this.#total += bytes - (this.#held.get(connection) ?? 0)
    if (bytes > SMALL_BYTES) this.#held.set(connection, bytes)
    else {
      this.#total -= bytes
      this.#held.delete(connection)
    }
    while (this.#total > this.#maxBytes) {
      const slowest = this.#slowest()
      if (slowest === null) return
      this.#total -= this.#held.get(slowest)!
      this.#held.delete(slowest)
      slowest.cut('OUT_OF_ROOM', 'all clients together have left too much unread')
    }
  }
}

/** The connection that gives up its place for a new one: the longest idle one, or any of the idle subscribers; null if all are at work. */
export function idlest<T extends Tenant>(connections: Iterable<T>, idleMs: number): T | null {
  const beforeMs = performance.now() - idleMs
  const idle = [...connections].filter((connection) => !connection.isBusy && connection.movedAtMs <= beforeMs)
  const silent = idle.filter((connection) => !connection.isSubscribed)
  // Nobody can tell an honest subscriber from a hostile one, but when there are hundreds most of them are not honest.
  return longestStill(silent) ?? idle[Math.floor(Math.random() * idle.length)] ?? null
}

function longestStill<T extends Tenant>(connections: Iterable<T>): T | null {
  let found: T | null = null
  for (const connection of connections) if (found === null || connection.movedAtMs < found.movedAtMs) found = connection
  return found
}
