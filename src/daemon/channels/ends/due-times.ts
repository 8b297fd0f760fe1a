/** One timer for many: it rings when the earliest of all times is due, so that channels that have nothing to do cost nothing. */
import type { Clock } from '../../../process/pulse.ts'

const MAX_SLEEP_MS = 3_600_000 // sanity: a machine that slept, or whose clock was set, is an hour late at most

interface Due {
  readonly id: string
  readonly atMs: number
}

export class DueTimes {
  readonly #clock: Clock
  readonly #nowMs: () => number
  readonly #ring: (id: string) => void
  /** A heap, the earliest first. An entry counts only if `#times` has the same time. */
  readonly #heap: Due[] = []
  readonly #times = new Map<string, number>()
  #cancel: () => void = () => {}
  #nextMs = Infinity
  #isClosed = false

  /**
   * @param nowMs the clock that the times are of
   * @param ring called with each id once its time has come; its time is then forgotten
   */
  constructor(clock: Clock, nowMs: () => number, ring: (id: string) => void) {
    this.#clock = clock
    this.#nowMs = nowMs
    this.#ring = ring
  }

  /** Sets the time of an id; null for none. */
  set(id: string, atMs: number | null): void {
    if (atMs === null) {
      this.#times.delete(id)
      return
    }
    if (this.#times.get(id) === atMs) return
    this.#times.set(id, atMs)
    push(this.#heap, { id, atMs })
    if (atMs < this.#nextMs) this.#wait()
  }

  close(): void {
    this.#isClosed = true
    this.#cancel()
  }

  #wait(): void {
    this.#cancel()
    const first = this.#first()
    if (this.#isClosed || first === undefined) {
      this.#nextMs = Infinity
      return
    }
    this.#nextMs = first.atMs
    const waitMs = Math.min(MAX_SLEEP_MS, Math.max(0, first.atMs - this.#nowMs()))
    this.#cancel = this.#clock.after(waitMs, () => this.#due())
  }

  #due(): void {
    const nowMs = this.#nowMs()
    const due: string[] = []
    for (let first = this.#first(); first !== undefined && first.atMs <= nowMs; first = this.#first()) {
      pop(this.#heap)
      this.#times.delete(first.id)
      due.push(first.id)
    }
    // Whoever sets a time that has come already rings in the next round.
    for (const id of due) this.#ring(id)
    this.#wait()
  }

  /** Entries that were replaced are dropped on the way. */
  #first(): Due | undefined {
    for (let first = this.#heap[0]; first !== undefined; first = this.#heap[0]) {
      if (this.#times.get(first.id) === first.atMs) return first
      pop(this.#heap)
    }
    return undefined
  }
}

function push(heap: Due[], due: Due): void {
  let at = heap.push(due) - 1
  while (at > 0) {
    const parent = (at - 1) >> 1
    if (heap[parent]!.atMs <= due.atMs) break
    heap[at] = heap[parent]!
    at = parent
  }
  heap[at] = due
}

function pop(heap: Due[]): void {
  const last = heap.pop()
  if (last === undefined || heap.length === 0) return
  let at = 0
  for (let child = 1; child < heap.length; child = 2 * at + 1) {
    const right = child + 1
    if (right < heap.length && heap[right]!.atMs < heap[child]!.atMs) child = right
    if (heap[child]!.atMs >= last.atMs) break
    heap[at] = heap[child]!
    at = child
  }
  heap[at] = last
}
