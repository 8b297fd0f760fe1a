/** The memory that all connections of a daemon may hold together, and who gives up a place when none is free. */
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
  #waiting: { readonly tenant: Tenant; readonly go: () => void }[] = []
  /** Long calls of each connection so far. */
  readonly #calls = new WeakMap<Tenant, number>()

  constructor(maxBytes: number = MAX_HELD_BYTES) {
    this.#maxBytes = maxBytes
  }

  get heldBytes(): number {
    return this.#total
  }

  /**
   * Waits for the turn of a long call. The connection with the fewest long calls so far goes first, so that a client that asks now and
   * then does not wait for those that ask all the time.
   * @returns the function that ends the turn
   */
  async enter(tenant: Tenant): Promise<() => void> {
    this.#calls.set(tenant, this.#callsOf(tenant) + 1)
    if (this.#running < MAX_LONG_CALLS) this.#running++
    else await new Promise<void>((go) => this.#waiting.push({ tenant, go }))
    return () => this.#leave()
  }

  #callsOf(tenant: Tenant): number {
    return this.#calls.get(tenant) ?? 0
  }

  #leave(): void {
    let next = this.#waiting[0]
    for (const one of this.#waiting)
      if (next !== undefined && this.#callsOf(one.tenant) < this.#callsOf(next.tenant)) next = one
    if (next === undefined) this.#running--
    else {
      this.#waiting.splice(this.#waiting.indexOf(next), 1)
      next.go()
    }
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
