/** When a profile that could not be written is tried again: as soon as the client on it ends, and after a minute in any case. */
import { readFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { clientsOn, lockNames, type ClientOnProfile } from './clients.ts'
import { thisMachine, type Machine } from './lock-file.ts'
import { monotonicClock, watchByKernel, type WatchClock, type WatchDirectory } from './watch.ts'

export const RETRY_SEC = 60 // sanity: what no event tells; and a file that somebody else keeps changing is written once a minute
export const POLL_MS = 2000 // sanity: the end of a process is no event for others; one small read of /proc for each client that is waited for

export interface RetriesOptions {
  /** Called once for each `later`, unless it was forgotten meanwhile. */
  readonly again: (path: string) => void
  readonly machine?: Machine
  readonly clock?: WatchClock
  readonly watchDirectory?: WatchDirectory
}

/** Nothing runs but for the profiles that are waited for. */
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

  /** Notes that a profile was written, which is not to be done again for a while. */
  wrote(path: string): void {
    this.#writtenMs.set(path, this.#clock.nowMs())
  }

  /** Two programs that each set the text right would write for ever, and push the backups of the user out. */
  isTooSoon(path: string): boolean {
    return this.#clock.nowMs() - (this.#writtenMs.get(path) ?? -Infinity) < RETRY_SEC * 1000
  }

  /**
   * Tries it again: when one of these clients has ended or let go of its lock, and after RETRY_SEC.
   * It returns when everything is watched.
   * @param resolved the same with symbolic links resolved, beside which the locks are
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
    // One that ended before its lock was watched tells nobody any more.
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
      // No more watches, or no such directory: the minute remains.
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

  /** A zombie has no command line any more. */
  async #hasEnded(pid: number): Promise<boolean> {
    const line = await readFile(join(this.#machine.procDir, String(pid), 'cmdline')).catch(() => null)
    return line === null || line.length === 0
  }
}
