/** A clock that the test moves. */
import type { Clock } from '../../src/process/pulse.ts'

export class HandClock implements Clock {
  #nowMs = 0
  #timers: { atMs: number; run: () => void }[] = []
  #set: () => void = () => {}

  nowMs(): number {
    return this.#nowMs
  }

  after(ms: number, run: () => void): () => void {
    const timer = { atMs: this.#nowMs + ms, run }
    this.#timers.push(timer)
    this.#set()
    return () => void (this.#timers = this.#timers.filter((other) => other !== timer))
  }

  /** The timers that run, in ms from now. */
  get waits(): number[] {
    return this.#timers.map(({ atMs }) => atMs - this.#nowMs)
  }

  /** Resolves when a timer of this length runs. */
  async waited(ms: number): Promise<void> {
    while (!this.waits.includes(ms)) await new Promise<void>((done) => (this.#set = done))
  }

  turn(ms: number): void {
    this.#nowMs += ms
    const due = this.#timers.filter(({ atMs }) => atMs <= this.#nowMs)
    this.#timers = this.#timers.filter((timer) => !due.includes(timer))
    for (const { run } of due) run()
  }
}
