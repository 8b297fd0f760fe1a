/** What is there of the profiles to be watched, at one moment: which files, and which directories tell when that changes. */
import type { BigIntStats } from 'node:fs'
import { opendir, readlink, realpath, stat } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'

export const MAX_WATCHED = 256 // sanity: profiles; a person has a handful, and each costs reads whenever it changes
const MAX_ENTRIES = 16_384 // sanity: names read of one directory; beside the profiles lie avatars and logs
const PROFILE_SUFFIX = '.tox'

export interface WatchedFile {
  /** As it was found; links are not resolved */
  readonly path: string
  /** Differs whenever the file was replaced or written */
  readonly signature: string
}

/** A directory whose changes can matter. */
export interface WatchedDirectory {
  /** Device and inode: under one path another directory may stand later */
  readonly identity: string
  /** Names in it that matter */
  readonly names: ReadonlySet<string>
  /** Every profile in it matters too */
  readonly allProfiles: boolean
}

export interface Survey {
  readonly files: readonly WatchedFile[]
  readonly directories: ReadonlyMap<string, WatchedDirectory>
  /** There are more profiles, or more names in a directory, than are watched */
  readonly isCut: boolean
}

/** Whether a name in a watched directory is one that matters; a directory tells of itself under its own name. */
export function concerns(directory: string, watched: WatchedDirectory, name: string): boolean {
  return (watched.allProfiles && isProfileName(name)) || watched.names.has(name) || name === basename(directory)
}

/**
 * Looks at each place, a file or a directory that need not exist. Nothing is thrown: what cannot be read is not there.
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
  /** By the path with links resolved: a profile under two names is one. */
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

  /** The directory of a path tells when the path comes, goes or changes; of one that is not there yet its nearest ancestor does. */
  async #watchName(path: string): Promise<void> {
    for (let name = path; dirname(name) !== name; name = dirname(name)) {
      if (await this.#watch(dirname(name), basename(name))) return
    }
  }

  /** @param name what matters in it, null for every profile @returns whether the directory is there */
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
      // It may be gone by now, or not be readable: then nothing in it is watched.
    }
    return names.toSorted()
  }
}

async function statsOf(path: string): Promise<BigIntStats | null> {
  return await statBig(path).catch(() => null)
}

// Nanoseconds: two writes within one millisecond are two.
function statBig(path: string): Promise<BigIntStats> {
  return stat(path, { bigint: true })
}
