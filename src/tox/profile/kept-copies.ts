/**
 * Copies of good saves of own profiles, one folder for each key, away from the profiles: a client that empties or
 * replaces a profile does not reach them. They are as secret as the profiles themselves.
 */
import { createHash } from 'node:crypto'
import { mkdir, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { decodeUtf8, encodeUtf8 } from '../../core/encoding/bytes.ts'
import { DurableError, removeDurably, removeLeftovers, writeFileDurably } from '../../durable/file.ts'
import { ToxError } from '../save/errors.ts'
import { readBoundedFile } from './read-file.ts'

export const NEWEST_KEPT = 4 // sanity: the last saves, to undo the last mistakes
export const DAYS_KEPT = 7 // sanity: one save of each of the last days, since a client saves many times a day

const FILE_MODE = 0o600
const DIRECTORY_MODE = 0o700
const PATH_FILE = 'path' // holds the path of the profile
const MAX_PATH_BYTES = 16_384 // sanity: PATH_MAX is 4096 bytes
const COPY_NAME = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z-[0-9a-f]{16}\.tox$/
const KEY_NAME = /^[0-9A-F]{64}$/

export interface KeptCopy {
  readonly file: string
  /** When the client had saved it, unix seconds */
  readonly savedAtSec: number
  readonly bytes: number
}

/** All that is kept of one profile. */
export interface KeptProfile {
  /** ToxPk */
  readonly key: string
  /** Where the profile was when it was last good */
  readonly path: string
  /** Oldest first; at least one */
  readonly copies: readonly KeptCopy[]
}

export class KeptCopies {
  readonly #directory: string

  /** @param directory made when the first copy is kept */
  constructor(directory: string) {
    this.#directory = directory
  }

  /** Everything that is kept; an unreadable folder counts as absent. */
  async list(): Promise<KeptProfile[]> {
    const keys = await namesIn(this.#directory)
    const profiles = await Promise.all(keys.filter((name) => KEY_NAME.test(name)).map((key) => this.#profile(key)))
    return profiles.filter((profile) => profile !== null)
  }

  /**
   * Keeps one good save, and removes the copies that are no longer needed: the oldest, the newest and one of each of the
   * last days stay. A save that is kept already costs nothing.
   * @param bytes the file as it is on the disk, encrypted or not
   * @throws {ToxError} TOX_DISK_FULL | TOX_WRITE_FAILED
   */
  async keep(key: string, path: string, bytes: Uint8Array, savedAtSec: number): Promise<void> {
    const directory = join(this.#directory, key)
    try {
      const copies = await copyNames(directory)
      const digest = createHash('sha256').update(bytes).digest('hex').slice(0, 16)
      if (!copies.some((name) => name.endsWith(`-${digest}.tox`))) {
        await mkdir(directory, { recursive: true, mode: DIRECTORY_MODE })
        await removeLeftovers(directory)
        const name = `${dateName(laterThanFirst(savedAtSec, copies))}-${digest}.tox`
        await writeFileDurably(join(directory, name), bytes, { mode: FILE_MODE })
        for (const old of excess([...copies, name].toSorted(), name)) await removeDurably(join(directory, old))
      }
      if ((await readPath(directory)) === path) return
      await writeFileDurably(join(directory, PATH_FILE), encodeUtf8(path), { mode: FILE_MODE })
    } catch (cause) {
      const isFull = cause instanceof DurableError && cause.code === 'DURABLE_DISK_FULL'
      const why = cause instanceof Error ? cause.message : String(cause)
      throw new ToxError(isFull ? 'TOX_DISK_FULL' : 'TOX_WRITE_FAILED', `no copy of ${path} was kept: ${why}`, {
        cause,
      })
    }
  }

  async #profile(key: string): Promise<KeptProfile | null> {
    const directory = join(this.#directory, key)
    const path = await readPath(directory)
    if (path === null) return null
    const copies: KeptCopy[] = []
    for (const name of await copyNames(directory)) {
      const file = join(directory, name)
      const stats = await stat(file).catch(() => null)
      if (stats !== null) copies.push({ file, savedAtSec: secondsOf(name), bytes: stats.size })
    }
    return copies.length === 0 ? null : { key, path, copies }
  }
}

/** @param names oldest first @param justMade stays in any case */
function excess(names: readonly string[], justMade: string): string[] {
  const kept = new Set([justMade, ...names.slice(0, 1), ...names.slice(-NEWEST_KEPT)])
  const days = new Set<string>()
  for (const name of names.toReversed()) {
    const day = name.slice(0, 8)
    if (days.has(day)) continue
    if (days.size === DAYS_KEPT) break
    days.add(day)
    kept.add(name)
  }
  return names.filter((name) => !kept.has(name))
}

/**
 * The first copy stays the oldest: it may be the last one with all friends. A save with an earlier date comes from a clock that was set
 * back, or is an old file that was put back. It is the newest then.
 */
function laterThanFirst(savedAtSec: number, copies: readonly string[]): number {
  const [first, last] = [copies.at(0), copies.at(-1)]
  return first === undefined || last === undefined || savedAtSec >= secondsOf(first) ? savedAtSec : secondsOf(last) + 1
}

function dateName(sec: number): string {
  // Beyond the year 9999 a date has more digits.
  const date = new Date(Math.min(Math.max(sec, 0), 253_402_300_799) * 1000)
  return date.toISOString().replaceAll(/[-:]|\.\d+/g, '')
}

function secondsOf(name: string): number {
  const [, year, month, day, hour, minute, second] = COPY_NAME.exec(name) ?? []
  return Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`) / 1000
}

async function copyNames(directory: string): Promise<string[]> {
  return (await namesIn(directory)).filter((name) => COPY_NAME.test(name)).toSorted()
}

async function namesIn(directory: string): Promise<string[]> {
  return await readdir(directory).catch(() => [])
}

async function readPath(directory: string): Promise<string | null> {
  const file = await readBoundedFile(join(directory, PATH_FILE), MAX_PATH_BYTES).catch(() => null)
  return file === null ? null : decodeUtf8(file.bytes)
}
