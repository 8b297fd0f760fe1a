/** Watches profiles and reports each new or changed one once it is quiet, however its client writes the file. */
import { watchByKernel, type WatchDirectory } from '../../process/watch-directory.ts'
import { MAX_WATCHED, concerns, survey, type Survey, type WatchedDirectory, type WatchedFile } from './survey.ts'

export const QUIET_MS = 200 // sanity: a client writes within some ms; we read the profile about half a second later
const SOON_MS = 50 // sanity: one rename raises several events; one look answers them all
export const SWEEP_MS: number = 5 * 60_000 // sanity: the kernel drops events when its queue overflows, and Node does not report that
const MAX_ROUNDS = 4 // sanity: directories may appear while we look; the next look continues

export interface WatchClock {
  /** Milliseconds of a monotonic clock */
  nowMs(): number
  /** Runs a function after so many milliseconds. @returns cancels it */
  after(ms: number, run: () => void): () => void
}

export interface ProfileWatchOptions {
  /** Absolute paths of files, and of directories whose *.tox files count. They need not exist yet. */
  readonly places: readonly string[]
  /** A profile appeared or changed. Calls never overlap: each waits for the one before. It must not throw. */
  readonly onProfile: (path: string) => Promise<void>
  /** A profile is gone. */
  readonly onGone: (path: string) => void
  /**
   * Something is not watched, or is watched less well. Called once; {@link ProfileWatch.troubles} lists it while it
   * lasts.
   */
  readonly onTrouble: (message: string) => void
  readonly clock?: WatchClock
  readonly watchDirectory?: WatchDirectory
}

interface KnownFile {
  /** Signature that was last reported; null before the first report */
  reported: string | null
  /** Signature seen now but not reported yet, and when we first saw it, in milliseconds */
  pending: { readonly signature: string; readonly sinceMs: number } | null
}

interface OpenWatch {
  readonly identity: string
  readonly watcher: { close(): void }
}

/**
 * An event only triggers a look at the files; the look decides. So a lost, merged or doubled event matters for at
 * most SWEEP_MS. Without events only that sweep runs.
 */
export class ProfileWatch {
  readonly #options: ProfileWatchOptions
  readonly #clock: WatchClock
  readonly #known = new Map<string, KnownFile>()
  readonly #watches = new Map<string, OpenWatch>()
  readonly #troubles = new Map<string, string>()
  readonly #due = new Set<string>()
  #directories: Survey['directories'] = new Map()
  #cancel: () => void = () => {}
  #wakeAtMs = Infinity
  #looking: Promise<void> | null = null
  #lookAgain = false
  #reporting: Promise<void> | null = null
  #isClosed = false

  constructor(options: ProfileWatchOptions) {
    this.#options = options
    this.#clock = options.clock ?? monotonicClock
  }

  /** Starts. On return everything is watched. Profiles that already exist are reported as soon as they are quiet. */
  async start(): Promise<void> {
    await this.#look()
  }

  /** Stops, after the report in progress. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#cancel()
    await this.looked()
    for (const { watcher } of this.#watches.values()) watcher.close()
    this.#watches.clear()
    this.#due.clear()
    await this.#reporting
  }

  /** Resolves when no look is in progress. */
  async looked(): Promise<void> {
    while (this.#looking !== null) await this.#looking
  }

  /** Whether every profile that exists was reported as it is now. */
  get isSettled(): boolean {
    const isWaiting = [...this.#known.values()].some(({ pending }) => pending !== null)
    return !isWaiting && this.#due.size === 0 && this.#looking === null && this.#reporting === null
  }

  /** Everything that is not watched properly, in words for people. */
  get troubles(): string[] {
    return [...this.#troubles.values()]
  }

  #wake(inMs: number): void {
    const atMs = this.#clock.nowMs() + inMs
    if (this.#isClosed || atMs >= this.#wakeAtMs) return
    this.#cancel()
    this.#wakeAtMs = atMs
    this.#cancel = this.#clock.after(inMs, () => {
      this.#wakeAtMs = Infinity
      void this.#look()
    })
  }

  #look(): Promise<void> {
    this.#lookAgain = true
    return (this.#looking ??= this.#lookUntilDone())
  }

  async #lookUntilDone(): Promise<void> {
    while (this.#lookAgain && !this.#isClosed) {
      this.#lookAgain = false
      let found = await survey(this.#options.places)
      // Changes made before we watched a directory raised no event.
      for (let round = 0; this.#follow(found.directories) && round < MAX_ROUNDS; round++) {
        found = await survey(this.#options.places)
      }
      this.#noteTrouble(
        'cut',
        found.isCut ? `more than ${MAX_WATCHED} profiles are configured to be watched: name fewer` : null,
      )
      this.#settle(found.files)
    }
    this.#looking = null
    this.#wake(SWEEP_MS)
  }

  /** @returns whether a new directory is now watched */
  #follow(directories: Survey['directories']): boolean {
    if (this.#isClosed) return false
    this.#directories = directories
    for (const [directory, { watcher, identity }] of this.#watches) {
      if (directories.get(directory)?.identity === identity) continue
      watcher.close()
      this.#watches.delete(directory)
    }
    for (const key of this.#troubles.keys()) if (key !== 'cut' && !directories.has(key)) this.#troubles.delete(key)
    let isMore = false
    for (const [directory, wanted] of directories) {
      if (!this.#watches.has(directory) && this.#open(directory, wanted)) isMore = true
    }
    return isMore
  }

  #open(directory: string, { identity }: WatchedDirectory): boolean {
    try {
      const onChange = (name: string | null): void => {
        const watched = this.#directories.get(directory)
        if (name === null || (watched !== undefined && concerns(directory, watched, name))) this.#wake(SOON_MS)
      }
      const onError = (error: unknown): void => {
        this.#watches.get(directory)?.watcher.close()
        this.#watches.delete(directory)
        this.#noteTrouble(directory, unwatched(directory, error))
        this.#wake(SOON_MS)
      }
      const watcher = (this.#options.watchDirectory ?? watchByKernel)(directory, onChange, onError)
      this.#watches.set(directory, { identity, watcher })
      this.#noteTrouble(directory, null)
      return true
    } catch (error) {
      // Gone since we found it: the next look sees what replaced it.
      if (errnoOf(error) === 'ENOENT') this.#wake(SOON_MS)
      else this.#noteTrouble(directory, unwatched(directory, error))
      return false
    }
  }

  #noteTrouble(key: string, message: string | null): void {
    const before = this.#troubles.get(key)
    if (message === null) this.#troubles.delete(key)
    else this.#troubles.set(key, message)
    if (message !== null && message !== before) this.#options.onTrouble(message)
  }

  /**
   * Reports a change once two looks at least QUIET_MS apart see the same file. Until then a client may still be
   * writing.
   */
  #settle(files: readonly WatchedFile[]): void {
    const nowMs = this.#clock.nowMs()
    for (const { path, signature } of files) {
      const known = this.#known.get(path) ?? { reported: null, pending: null }
      this.#known.set(path, known)
      if (signature === known.reported) known.pending = null
      else if (signature !== known.pending?.signature) known.pending = { signature, sinceMs: nowMs }
      if (known.pending === null) continue
      const waitMs = known.pending.sinceMs + QUIET_MS - nowMs
      if (waitMs > 0) {
        this.#wake(waitMs)
        continue
      }
      known.reported = signature
      known.pending = null
      this.#due.add(path)
    }
    const present = new Set(files.map(({ path }) => path))
    for (const path of this.#known.keys()) {
      if (present.has(path)) continue
      this.#known.delete(path)
      this.#due.delete(path)
      this.#options.onGone(path)
    }
    if (this.#due.size > 0) this.#reporting ??= this.#report()
  }

  async #report(): Promise<void> {
    for (const path of this.#due) {
      this.#due.delete(path)
      await this.#options.onProfile(path)
    }
    this.#reporting = null
  }
}

export const monotonicClock: WatchClock = {
  nowMs: () => performance.now(),
  after: (ms, run) => {
    const timer = setTimeout(run, ms)
    return () => clearTimeout(timer)
  },
}

const REMEDIES = new Map([
  ['ENOSPC', ': raise fs.inotify.max_user_watches with sysctl'],
  ['EMFILE', ': raise fs.inotify.max_user_instances with sysctl'],
])

function unwatched(directory: string, error: unknown): string {
  const errno = errnoOf(error)
  const minutes = SWEEP_MS / 60_000
  return `${directory} cannot be watched (${errno}); checking it every ${minutes} minutes instead${REMEDIES.get(errno) ?? ''}`
}

function errnoOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown error'
}
