/** Watches files without a kernel and without waiting: the test moves the clock and makes the directory events. */
import type { WatchDirectory } from '../../src/process/watch-directory.ts'
import type { WatchClock } from '../../src/tox/profile/watch.ts'

interface Timer {
  readonly atMs: number
  readonly run: () => void
}

export class FakeClock implements WatchClock {
  #nowMs = 0
  readonly timers: Set<Timer> = new Set()

  nowMs(): number {
    return this.#nowMs
  }

  after(ms: number, run: () => void): () => void {
    const timer = { atMs: this.#nowMs + ms, run }
    this.timers.add(timer)
    return () => this.timers.delete(timer)
  }

  /** Advances the time. Due timers run at their own time. */
  pass(ms: number): void {
    const endMs = this.#nowMs + ms
    for (;;) {
      const due = [...this.timers].filter(({ atMs }) => atMs <= endMs).toSorted((a, b) => a.atMs - b.atMs)[0]
      if (due === undefined) break
      this.timers.delete(due)
      this.#nowMs = Math.max(this.#nowMs, due.atMs)
      due.run()
    }
    this.#nowMs = endMs
  }
}

/** Plays the kernel: the test makes its events. */
export class FakeKernel {
  readonly #watches = new Map<string, { onChange: (name: string | null) => void; onError: (error: unknown) => void }>()
  /** Directories it refuses to watch, with the errno of each. */
  readonly refuses: Map<string, string> = new Map()
  opened = 0

  readonly watchDirectory: WatchDirectory = (directory, onChange, onError) => {
    const errno = this.refuses.get(directory)
    if (errno !== undefined) throw Object.assign(new Error(`${errno}: watch`), { code: errno })
    this.opened++
    const watch = { onChange, onError }
    this.#watches.set(directory, watch)
    return {
      close: () => {
        if (this.#watches.get(directory) === watch) this.#watches.delete(directory)
      },
    }
  }

  get watched(): string[] {
    return [...this.#watches.keys()].toSorted()
  }

  /** Reports a change of a name in a directory. @returns false if nobody watches the directory */
  event(directory: string, name: string | null): boolean {
    const watch = this.#watches.get(directory)
    watch?.onChange(name)
    return watch !== undefined
  }

  fail(directory: string, errno: string): void {
    this.#watches.get(directory)?.onError(Object.assign(new Error(errno), { code: errno }))
  }
}
