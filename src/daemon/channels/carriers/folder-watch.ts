/**
 * Notices that something came to a folder: at once where the kernel reports it, else by looking every few seconds, since a network or a program
 * that copies may report nothing.
 */
import { promises } from 'node:fs'
import { join } from 'node:path'
import type { Clock } from '../../../process/pulse.ts'
import type { WatchDirectory } from '../../../process/watch-directory.ts'
import type { Watch, Watched } from '../../../channel/carriers/carrier.ts'
import type { FirstMessages } from './first-messages.ts'
import { isSubdirectoryName, parseFirstName, parseFolderUrl, parseFrameName } from './folder-names.ts'

export const LOOK_MS = 5000 // sanity: a thousand channels then cost a hundredth of a core; a change of one channel looks at its directory alone
/** Looks until everything counts as changed. */
export const LOOKS_TO_ALL = 12 // sanity: a minute; some file systems, as the first level of FAT, keep no time of a directory

export interface FolderWatchOptions {
  readonly folders: readonly string[]
  readonly clock: Clock
  readonly watchDirectory: WatchDirectory
  readonly firsts: FirstMessages
  readonly lines: () => readonly Watched[]
  readonly onNews: (watched: Watched) => void
  readonly signal: AbortSignal
}

/** A directory that is watched, or would be if it were there. */
interface Wanted {
  readonly isFolder: boolean
  /** To be told of any change. */
  readonly readers: readonly Watched[]
}

interface Known {
  readonly identity: string
  readonly changedMs: number
  /** Null where the kernel watches nothing more. */
  watcher: { close(): void } | null
}

export class FolderWatch implements Watch {
  readonly #options: FolderWatchOptions
  #wanted: ReadonlyMap<string, Wanted> = new Map()
  /** By name. */
  #all: ReadonlyMap<string, Watched> = new Map()
  readonly #known = new Map<string, Known>()
  #toTell = new Set<Watched>()
  /** Directories that are to be looked at. */
  readonly #toLook = new Set<string>()
  #looking = false
  #looks = 0
  /** When all are looked at again. */
  #nextMs: number
  #cancel: () => void = () => {}

  constructor(options: FolderWatchOptions) {
    this.#options = options
    this.#nextMs = options.clock.nowMs() + LOOK_MS
    options.signal.addEventListener('abort', () => this.#end(), { once: true })
    this.changed()
  }

  changed(): void {
    if (this.#options.signal.aborted) return
    const [all, wanted] = [this.#all, this.#wanted]
    this.#all = new Map(this.#options.lines().map((watched) => [nameOf(watched), watched]))
    this.#wanted = wantedFor(this.#options.folders, [...this.#all.values()])
    for (const path of this.#known.keys()) if (!this.#wanted.has(path)) this.#forget(path)
    this.#tell([...this.#all].flatMap(([name, watched]) => (all.has(name) ? [] : [watched])))
    this.#look([...this.#wanted.keys()].filter((path) => !wanted.has(path)))
  }

  /** Reports once what several events are about: a file raises three, and a window of frames has 64. */
  #tell(watched: Iterable<Watched>): void {
    for (const each of watched) {
      if (this.#toTell.size === 0) setImmediate(() => this.#flush())
      this.#toTell.add(each)
    }
  }

  #flush(): void {
    const told = this.#toTell
    this.#toTell = new Set()
    for (const watched of told) if (!this.#options.signal.aborted) this.#options.onNews(watched)
  }

  #look(paths: Iterable<string>): void {
    for (const path of paths) this.#toLook.add(path)
    if (!this.#looking) void this.#lookUntilDone()
  }

  async #lookUntilDone(): Promise<void> {
    const { clock, signal } = this.#options
    this.#looking = true
    this.#cancel()
    // Those that are added meanwhile come last.
    for (const path of this.#toLook) {
      if (signal.aborted) break
      if (clock.nowMs() >= this.#nextMs) this.#lookAtAll()
      this.#toLook.delete(path)
      const wanted = this.#wanted.get(path)
      if (wanted !== undefined) await this.#lookAt(path, wanted)
    }
    this.#looking = false
    if (signal.aborted) return this.#end()
    // Looks at single directories do not put off the next look at all of them.
    this.#cancel = clock.after(Math.max(0, this.#nextMs - clock.nowMs()), () => this.#lookAtAll())
  }

  #lookAtAll(): void {
    this.#nextMs = this.#options.clock.nowMs() + LOOK_MS
    if (++this.#looks % LOOKS_TO_ALL === 0) this.#tell(this.#all.values())
    this.#look(this.#wanted.keys())
  }

  async #lookAt(path: string, { isFolder, readers }: Wanted): Promise<void> {
    const stat = await (isFolder ? promises.stat(path) : promises.lstat(path)).catch(() => null)
    if (this.#options.signal.aborted || this.#wanted.get(path) === undefined) return
    const known = this.#known.get(path)
    if (stat === null || !stat.isDirectory()) return this.#forget(path)
    const identity = `${stat.dev} ${stat.ino}`
    if (known?.identity === identity && known.watcher !== null) {
      if (known.changedMs === stat.mtimeMs) return
      this.#known.set(path, { ...known, changedMs: stat.mtimeMs })
      return await this.#tellOf(path, { isFolder, readers })
    }
    this.#forget(path)
    this.#known.set(path, { identity, changedMs: stat.mtimeMs, watcher: this.#open(path) })
    // Files that came before the kernel watched raised no event.
    if (known?.identity !== identity || known.changedMs !== stat.mtimeMs)
      await this.#tellOf(path, { isFolder, readers })
  }

  /** Something in the directory has changed. In a folder that is mostly the subdirectory of somebody, so hosts hear of first messages only. */
  async #tellOf(path: string, { isFolder, readers }: Wanted): Promise<void> {
    if (!isFolder) return this.#tell(readers)
    if (readers.length === 0) return
    const listed = await this.#options.firsts.list(path).catch(() => null)
    this.#tell(
      listed === null ? readers : readers.filter(({ own }) => listed.byHost.has(parseFolderUrl(own.url) ?? '')),
    )
  }

  #open(path: string): Known['watcher'] {
    try {
      return this.#options.watchDirectory(
        path,
        (name) => this.#take(path, name),
        () => this.#closeWatcher(path),
      )
    } catch {
      // Too many are watched, or it is gone again: the next look tries once more.
      return null
    }
  }

  /** An event of the kernel. */
  #take(path: string, name: string | null): void {
    const wanted = this.#wanted.get(path)
    if (wanted === undefined || this.#options.signal.aborted) return
    if (!wanted.isFolder) {
      if (name === null || parseFrameName(name) !== null) this.#tell(wanted.readers)
      return
    }
    const host = name === null ? null : parseFirstName(name)?.host
    if (host !== undefined)
      this.#tell(wanted.readers.filter(({ own }) => host === null || parseFolderUrl(own.url) === host))
    if (name === null) this.#look(this.#wanted.keys())
    else if (isSubdirectoryName(name)) this.#look([join(path, name)])
  }

  #closeWatcher(path: string): void {
    const known = this.#known.get(path)
    known?.watcher?.close()
    if (known !== undefined) known.watcher = null
  }

  #forget(path: string): void {
    this.#closeWatcher(path)
    this.#known.delete(path)
  }

  #end(): void {
    this.#cancel()
    for (const path of this.#known.keys()) this.#forget(path)
  }
}

const NAMES = new WeakMap<Watched, string>()

function nameOf(watched: Watched): string {
  const { line, own } = watched
  const name = NAMES.get(watched) ?? `${line.id} ${own.url} ${line.peer?.where.map(({ url }) => url).join(' ') ?? ''}`
  NAMES.set(watched, name)
  return name
}

/** The folders, and in each the subdirectory of each peer. A host who waits for a guest reads the folder itself. */
function wantedFor(folders: readonly string[], all: readonly Watched[]): Map<string, Wanted> {
  const hosts = all.filter(({ line }) => line.peer === null)
  const byPeer = new Map<string, Watched[]>()
  for (const watched of all) {
    for (const { url } of watched.line.peer?.where ?? []) {
      const digits = parseFolderUrl(url)
      if (digits !== null) byPeer.set(digits, [...(byPeer.get(digits) ?? []), watched])
    }
  }
  return new Map(
    folders.flatMap((folder): [string, Wanted][] => [
      [folder, { isFolder: true, readers: hosts }],
      ...[...byPeer].map(([digits, readers]): [string, Wanted] => [join(folder, digits), { isFolder: false, readers }]),
    ]),
  )
}
