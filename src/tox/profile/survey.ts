/** A snapshot of the watched profiles: which files exist, and which directories report changes to them. */
import type { BigIntStats } from 'node:fs'
import { opendir, readlink, realpath, stat } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'

export const MAX_WATCHED = 256 // sanity: profiles; a person has a handful, and each change costs a read
const MAX_ENTRIES = 16_384 // sanity: names read per directory; avatars and logs lie beside the profiles
const PROFILE_SUFFIX = '.tox'

export interface WatchedFile {
  /** The path as found; links are not resolved */
  readonly path: string
  /** Changes whenever the file is replaced or written */
  readonly signature: string
}

/** A directory whose changes may matter. */
export interface WatchedDirectory {
  /** Device and inode: another directory may later stand at the same path */
  readonly identity: string
  /** The names in it that matter */
  readonly names: ReadonlySet<string>
  /** Whether every profile in it matters too */
  readonly allProfiles: boolean
}

export interface Survey {
  readonly files: readonly WatchedFile[]
  readonly directories: ReadonlyMap<string, WatchedDirectory>
  /** Whether profiles or directory entries were left out because there are too many */
  readonly isCut: boolean
}

/** Whether a changed name in a watched directory matters. A directory reports changes to itself under its own name. */
export function concerns(directory: string, watched: WatchedDirectory, name: string): boolean {
  return (watched.allProfiles && isProfileName(name)) || watched.names.has(name) || name === basename(directory)
}

/**
 * Looks at each place: a file or a directory, which need not exist. Throws nothing: an unreadable place counts as
 * absent.
 * @param places absolute paths
 */
export async function survey(places: readonly string[]): Promise<Survey> {
  const found = new Findings()
  for (const place of places) await found.addPlace(place)
  return found.survey()
}

function isProfileName(name: string): boolean {
  return name.endsWith(PROFILE_SUFFIX)
}

class Findings {
  /** Keyed by resolved path: one profile under two names counts once. */
  readonly #files = new Map<string, WatchedFile>()
  readonly #directories = new Map<string, { identity: string; names: Set<string>; allProfiles: boolean }>()
  #isCut = false

  async addPlace(place: string): Promise<void> {
    await this.#watchName(place)
    const stats = await statsOf(place)
    if (stats?.isDirectory() !== true) return await this.#addFile(place)
    await this.#watch(place, null)
    for (const name of await this.#profileNames(place)) await this.#addFile(join(place, name))
  }

  survey(): Survey {
    return { files: [...this.#files.values()], directories: this.#directories, isCut: this.#isCut }
  }

  async #addFile(path: string): Promise<void> {
    const target = await readlink(path).catch(() => null)
    if (target !== null) await this.#watchName(resolve(dirname(path), target))
    const resolved = await realpath(path).catch(() => null)
    if (resolved === null || this.#files.has(resolved)) return
    if (target !== null) await this.#watchName(resolved)
    const stats = await statsOf(resolved)
    if (stats?.isFile() !== true) return
    if (this.#files.size === MAX_WATCHED) {
      this.#isCut = true
      return
    }
    const { dev, ino, size, mtimeNs, ctimeNs } = stats
    this.#files.set(resolved, { path, signature: [dev, ino, size, mtimeNs, ctimeNs].join(':') })
  }

  /**
   * Watches the parent directory, which reports when the path appears, disappears or changes. If it does not exist,
   * watches the nearest ancestor that does.
   */
  async #watchName(path: string): Promise<void> {
    for (let name = path; dirname(name) !== name; name = dirname(name)) {
      if (await this.#watch(dirname(name), basename(name))) return
    }
  }

  /**
   * @param name the name that matters, null for every profile
   * @returns whether the directory exists
   */
  async #watch(directory: string, name: string | null): Promise<boolean> {
    const stats = await statsOf(directory)
    if (stats?.isDirectory() !== true) return false
    const identity = `${stats.dev}:${stats.ino}`
    const watched = this.#directories.get(directory) ?? { identity, names: new Set<string>(), allProfiles: false }
    this.#directories.set(directory, watched)
    if (name === null) watched.allProfiles = true
    else watched.names.add(name)
    return true
  }

  async #profileNames(directory: string): Promise<string[]> {
    const names: string[] = []
    let entries = 0
    try {
      for await (const { name } of await opendir(directory)) {
        if (++entries > MAX_ENTRIES) {
          this.#isCut = true
          break
        }
        if (isProfileName(name)) names.push(name)
      }
    } catch {
      // It may be gone, or unreadable: then we watch nothing in it.
    }
    return names.toSorted()
  }
}

async function statsOf(path: string): Promise<BigIntStats | null> {
  return await statBig(path).catch(() => null)
}

// Nanoseconds, to tell two writes within one millisecond apart.
function statBig(path: string): Promise<BigIntStats> {
  return stat(path, { bigint: true })
}
