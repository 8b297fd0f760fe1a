/**
 * Notices that something came to a folder: at once where the kernel reports it, else by looking every few seconds, since a network or a program
 * that copies may report nothing.
 */
import { promises } from 'node:fs'
import { join } from 'node:path'
import type { Clock } from '../../../process/pulse.ts'
import type { WatchDirectory } from '../../../process/watch-directory.ts'
import type { Watch, Watched } from './carrier.ts'
import { isSubdirectoryName, parseFirstName, parseFolderUrl, parseFrameName } from './folder-names.ts'

export const LOOK_MS = 5000 // sanity: a thousand channels then cost a hundredth of a core
/** Looks until everything counts as changed. */
export const LOOKS_TO_ALL = 12 // sanity: a minute; some file systems, as the first level of FAT, keep no time of a directory

export interface FolderWatchOptions {
  readonly folders: readonly string[]
  readonly clock: Clock
  readonly watchDirectory: WatchDirectory
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
  #all: readonly Watched[] = []
  readonly #known = new Map<string, Known>()
  #toTell = new Set<Watched>()
  #looking = false
  #lookAgain = false
  #looks = 0
  #cancel: () => void = () => {}

  constructor(options: FolderWatchOptions) {
    this.#options = options
    options.signal.addEventListener('abort', () => this.#end(), { once: true })
    this.changed()
  }

  changed(): void {
    if (this.#options.signal.aborted) return
    const before = new Set(this.#all.map(nameOf))
    this.#all = this.#options.lines()
    this.#wanted = wantedFor(this.#options.folders, this.#all)
    this.#tell(this.#all.filter((watched) => !before.has(nameOf(watched))))
    this.#look()
  }

  /** Reports once what several events are about: a file raises three, and a window of frames has 64. */
  #tell(watched: readonly Watched[]): void {
    if (watched.length === 0) return
    if (this.#toTell.size === 0) setImmediate(() => this.#flush())
    for (const each of watched) this.#toTell.add(each)
  }

  #flush(): void {
    const told = this.#toTell
    this.#toTell = new Set()
    for (const watched of told) if (!this.#options.signal.aborted) this.#options.onNews(watched)
  }

  #look(): void {
    this.#lookAgain = true
    if (!this.#looking) void this.#lookUntilDone()
  }

  async #lookUntilDone(): Promise<void> {
    this.#looking = true
    this.#cancel()
    while (this.#lookAgain && !this.#options.signal.aborted) {
      this.#lookAgain = false
      const wanted = this.#wanted
      for (const path of this.#known.keys()) if (!wanted.has(path)) this.#forget(path)
      for (const [path, each] of wanted) await this.#lookAt(path, each)
    }
    this.#looking = false
    if (this.#options.signal.aborted) return this.#end()
    this.#cancel = this.#options.clock.after(LOOK_MS, () => {
      if (++this.#looks % LOOKS_TO_ALL === 0) this.#tell(this.#all)
      this.#look()
    })
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
      return this.#tell(readers)
    }
    this.#forget(path)
    this.#known.set(path, { identity, changedMs: stat.mtimeMs, watcher: this.#open(path) })
    // Files that came before the kernel watched raised no event.
    if (known?.identity !== identity || known.changedMs !== stat.mtimeMs) this.#tell(readers)
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
    if (name === null || isSubdirectoryName(name)) this.#look()
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

function nameOf({ line, own }: Watched): string {
  return `${line.id} ${own.url} ${line.peer?.where.map(({ url }) => url).join(' ') ?? ''}`
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
