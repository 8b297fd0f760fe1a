/** Decides when to retry a profile that could not be written: once its client ends, or after a minute. */
import { readFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { clientsOn, lockNames, type ClientOnProfile } from './clients.ts'
import { thisMachine, type Machine } from './lock-file.ts'
import { watchByKernel, type WatchDirectory } from '../../process/watch-directory.ts'
import { monotonicClock, type WatchClock } from './watch.ts'

export const RETRY_SEC = 60 // sanity: catches ends that no event reports, and rewrites a file that another program keeps changing at most once a minute
export const POLL_MS = 2000 // sanity: the end of another process raises no event; each poll costs one small read of /proc per client

export interface RetriesOptions {
  /** Called once per `later`, unless `forget` or `close` came first. */
  readonly again: (path: string) => void
  readonly machine?: Machine
  readonly clock?: WatchClock
  readonly watchDirectory?: WatchDirectory
}

/** Uses no timer or watch unless a profile is waiting. */
export class Retries {
  readonly #options: RetriesOptions
  readonly #machine: Machine
  readonly #clock: WatchClock
  readonly #waiting = new Map<string, { cancel(): void }>()
  readonly #writtenMs = new Map<string, number>()

  constructor(options: RetriesOptions) {
    this.#options = options
    this.#machine = options.machine ?? thisMachine
    this.#clock = options.clock ?? monotonicClock
  }

  /** Records that a profile was just written; see {@link isTooSoon}. */
  wrote(path: string): void {
    this.#writtenMs.set(path, this.#clock.nowMs())
  }

  /**
   * Whether the profile was written within RETRY_SEC. Two programs that each correct the text would otherwise write
   * forever and push out the user's backups.
   */
  isTooSoon(path: string): boolean {
    return this.#clock.nowMs() - (this.#writtenMs.get(path) ?? -Infinity) < RETRY_SEC * 1000
  }

  /**
   * Schedules a retry: when one of these clients ends or releases its lock, and after RETRY_SEC at the latest.
   * Returns once everything is watched.
   * @param resolved the path with symbolic links resolved; the lock files are beside it
   */
  async later(path: string, clients: readonly ClientOnProfile[] = [], resolved: string = path): Promise<void> {
    this.#cancel(path)
    const ends: (() => void)[] = []
    const cancel = (): void => {
      for (const end of ends.splice(0)) end()
      if (this.#waiting.get(path) === waiting) this.#waiting.delete(path)
    }
    const waiting = { cancel }
    const fire = (): void => {
      if (this.#waiting.get(path) !== waiting) return
      cancel()
      this.#options.again(path)
    }
    this.#waiting.set(path, waiting)
    ends.push(this.#clock.after(RETRY_SEC * 1000, fire))
    if (clients.length === 0) return
    ends.push(this.#watchLocks(resolved, fire), this.#poll(clients, fire))
    // A client that ended before we watched its lock raises no event.
    if ((await clientsOn(resolved, this.#machine)).length === 0) fire()
  }

  forget(path: string): void {
    this.#cancel(path)
    this.#writtenMs.delete(path)
  }

  close(): void {
    for (const path of this.#waiting.keys()) this.#cancel(path)
    this.#writtenMs.clear()
  }

  #cancel(path: string): void {
    this.#waiting.get(path)?.cancel()
  }

  /** @returns ends it */
  #watchLocks(path: string, fire: () => void): () => void {
    const names = new Set(lockNames(path).map((lock) => basename(lock)))
    try {
      const watcher = (this.#options.watchDirectory ?? watchByKernel)(
        dirname(path),
        (name) => {
          if (name === null || names.has(name)) fire()
        },
        () => {},
      )
      return () => watcher.close()
    } catch {
      // Out of watches, or no such directory: RETRY_SEC still applies.
      return () => {}
    }
  }

  /** @returns ends it */
  #poll(clients: readonly ClientOnProfile[], fire: () => void): () => void {
    const pids = clients.flatMap(({ pid }) => (pid === null ? [] : [pid]))
    if (pids.length === 0) return () => {}
    let isOver = false
    let cancel = (): void => {}
    const look = async (): Promise<void> => {
      const ended = await Promise.all(pids.map((pid) => this.#hasEnded(pid)))
      if (isOver) return
      if (ended.includes(true)) fire()
      else cancel = this.#clock.after(POLL_MS, () => void look())
    }
    cancel = this.#clock.after(POLL_MS, () => void look())
    return () => {
      isOver = true
      cancel()
    }
  }

  /** A zombie has an empty command line. */
  async #hasEnded(pid: number): Promise<boolean> {
    const line = await readFile(join(this.#machine.procDir, String(pid), 'cmdline')).catch(() => null)
    return line === null || line.length === 0
  }
}
