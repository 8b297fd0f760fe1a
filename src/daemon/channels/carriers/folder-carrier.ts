/**
 * The folder carrier: a directory that both ends reach, on one machine, a stick, a network or by a program that copies files
 * (docs/channel.md, section 13). Each end writes in subdirectories of its own, and reads in those of its peer.
 */
import { promises } from 'node:fs'
import { join } from 'node:path'
import { BOX_TYPE, dataType, MAX_DATA_BYTES } from '../../../channel/ratchet/box-data.ts'
import type { Intake } from '../../../channel/invite/address.ts'
import { DurableError } from '../../../durable/file.ts'
import type { Clock } from '../../../process/pulse.ts'
import { watchByKernel, type WatchDirectory } from '../../../process/watch-directory.ts'
import type {
  Arrival,
  Carrier,
  CarrierLimits,
  Line,
  OwnIntake,
  Watch,
  Watched,
} from '../../../channel/carriers/carrier.ts'
import { CarrierError } from '../../../channel/carriers/errors.ts'
import { FirstMessages } from './first-messages.ts'
import { errnoOf } from './folder-files.ts'
import { CLOSED_NAME, formatFolderUrl, newDigits, parseFolderUrl } from './folder-names.ts'
import { FolderWatch } from './folder-watch.ts'
import { OwnSubdirectory } from './own-subdirectory.ts'
import { firstMessages, framesOf, readNew } from './read-folder.ts'

const AWAY_RETRY_MS = 10_000 // sanity: a disk is connected again within minutes, and a look costs nothing
const FULL_RETRY_MS = 60_000 // sanity: somebody has to make room, or to change a permission

export interface FolderMeans {
  /** Absolute paths of the directories that the owner configured. They need not exist now. */
  readonly folders: readonly string[]
  readonly clock: Clock
  /** Unix milliseconds, for the names of files. */
  readonly wallMs: () => number
  readonly watchDirectory?: WatchDirectory
}

export class FolderCarrier implements Carrier {
  readonly name = 'folder'
  readonly limits: CarrierLimits = { maxDataBytes: MAX_DATA_BYTES, latency: 'seconds' }
  readonly #means: FolderMeans
  readonly #own = new Map<string, OwnSubdirectory>()
  readonly #firsts = new FirstMessages()
  #lastNumber = 0

  constructor(means: FolderMeans) {
    this.#means = means
  }

  get folders(): readonly string[] {
    return this.#means.folders
  }

  serves(url: string): boolean {
    return parseFolderUrl(url) !== null
  }

  /** The configured folders that have a subdirectory now: usually one. */
  async holding(url: string): Promise<string[]> {
    const digits = digitsOf(url)
    const found = await Promise.all(this.folders.map(async (folder) => await isDirectory(join(folder, digits))))
    return this.folders.filter((_, i) => found[i])
  }

  async open(at: string): Promise<Intake> {
    if (!this.folders.includes(at))
      throw new CarrierError('CARRIER_UNKNOWN', `"${at}" is no folder of the configuration`, {
        hint: 'add it to net.folders in the configuration',
      })
    const digits = newDigits()
    await coded(at, async () => await this.#ownIn(at, digits).makeNew())
    return { url: formatFolderUrl(digits), ext: null }
  }

  async send(line: Line, to: Intake, data: Uint8Array): Promise<'left' | 'used'> {
    if (data.length > this.limits.maxDataBytes)
      throw new CarrierError('DATA_TOO_LARGE', `the data has ${data.length} bytes`, {
        hint: `a folder takes at most ${this.limits.maxDataBytes}`,
      })
    const folders = await this.holding(to.url)
    if (folders.length === 0) throw this.#away('the subdirectory of the peer')
    // The same in each directory, so that a reader of two takes it once.
    const number = this.#nextNumber()
    let isUsed = true
    for (const folder of folders) {
      const isRetired = await isClosed(join(folder, digitsOf(to.url)))
      isUsed &&= isRetired
      // As a relay keeps some later data for the owner: the host learns of a second guest, and tells them.
      if (!isRetired || isFirst(data))
        await coded(folder, async () => await this.#leave(folder, line, to, data, number))
    }
    return isUsed ? 'used' : 'left'
  }

  async receive(line: Line, own: OwnIntake, after: string): Promise<readonly Arrival[]> {
    const folders = await this.#foldersOf(own)
    const sources = folders.flatMap((folder) =>
      line.peer === null
        ? [firstMessages(folder, digitsOf(own.url), this.#firsts)]
        : digitsIn(line.peer.where).map((peer) => framesOf(folder, peer)),
    )
    return await coded(folders.join(', '), async () => await readNew(sources, after))
  }

  /** A reader removes nothing: what lies in a subdirectory is its writer's. */
  async processed(): Promise<void> {}

  async settled(line: Line, stillInFlight: readonly Uint8Array[]): Promise<void> {
    for (const { url } of foldersOfLine(line)) {
      for (const folder of await this.holding(url))
        await coded(folder, async () => await this.#ownIn(folder, digitsOf(url)).clear(stillInFlight))
    }
  }

  watch(lines: () => readonly Watched[], onNews: (watched: Watched) => void, signal: AbortSignal): Watch {
    const { folders, clock, watchDirectory = watchByKernel } = this.#means
    return new FolderWatch({ folders, clock, watchDirectory, firsts: this.#firsts, lines, onNews, signal })
  }

  async retire(_line: Line, own: OwnIntake): Promise<void> {
    for (const folder of await this.#foldersOf(own))
      await coded(folder, async () => await this.#ownIn(folder, digitsOf(own.url)).close())
  }

  async forget(own: OwnIntake): Promise<void> {
    const digits = digitsOf(own.url)
    for (const folder of await this.holding(own.url)) {
      await coded(folder, async () => await this.#ownIn(folder, digits).remove())
      this.#own.delete(join(folder, digits))
    }
  }

  async #leave(folder: string, line: Line, to: Intake, data: Uint8Array, number: number): Promise<void> {
    const all = digitsIn(foldersOfLine(line))
    const isHere = await Promise.all(all.map(async (digits) => await isDirectory(join(folder, digits))))
    const here = all.filter((_, i) => isHere[i])
    // The folder was emptied, or the peer is in another folder than the one where this end began.
    const own = here.length > 0 ? here : all.slice(0, 1)
    if (own.length === 0)
      throw new CarrierError('CARRIER_UNKNOWN', 'this end has no place in a folder, and its peer has', {
        hint: 'add a folder that both reach to net.folders in the configuration',
      })
    if (isFirst(data)) return await this.#ownIn(folder, own[0]!).leaveFirst(digitsOf(to.url), data)
    for (const digits of own) await this.#ownIn(folder, digits).leave(data, number)
  }

  /** The folders of an own intake. Its subdirectory is made again where somebody emptied the folder. @throws {CarrierError} CARRIER_AWAY */
  async #foldersOf(own: OwnIntake): Promise<string[]> {
    const found = await this.holding(own.url)
    if (found.length > 0) return found
    const areThere = await Promise.all(this.folders.map(isDirectory))
    // It may be in the folder that is away.
    if (this.folders.length === 0 || areThere.includes(false)) throw this.#away('the subdirectory of this end')
    for (const folder of this.folders)
      await coded(folder, async () => await this.#ownIn(folder, digitsOf(own.url)).make())
    return await this.holding(own.url)
  }

  #ownIn(folder: string, digits: string): OwnSubdirectory {
    const path = join(folder, digits)
    const own = this.#own.get(path) ?? new OwnSubdirectory(folder, digits, this.#firsts)
    this.#own.set(path, own)
    return own
  }

  /** Rises also over restarts, and where all files were removed: else a reader would take a new file for one that it has seen. */
  #nextNumber(): number {
    return (this.#lastNumber = Math.max(this.#lastNumber + 1, Math.floor(this.#means.wallMs())))
  }

  #away(what: string): CarrierError {
    const which = this.folders.length === 1 ? this.folders[0]! : `none of ${this.folders.length} folders`
    return new CarrierError('CARRIER_AWAY', `${what} is not there now: ${which}`, {
      hint: 'wait until the folder has been copied, or connect the disk with it',
      retryAfterMs: AWAY_RETRY_MS,
    })
  }
}

function digitsOf(url: string): string {
  const digits = parseFolderUrl(url)
  if (digits !== null) return digits
  throw new CarrierError('CARRIER_UNKNOWN', 'the place is not in a folder', { hint: 'use the carrier of its address' })
}

function digitsIn(intakes: readonly Intake[]): string[] {
  return intakes.flatMap(({ url }) => parseFolderUrl(url) ?? [])
}

function foldersOfLine({ own }: Line): Intake[] {
  return own.flatMap(({ address }) => address.where).filter(({ url }) => parseFolderUrl(url) !== null)
}

/** Turns an error of the file system into one of the carrier. */
async function coded<Result>(folder: string, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work()
  } catch (cause) {
    if (cause instanceof CarrierError) throw cause
    const reason = cause instanceof DurableError ? cause.code : errnoOf(cause)
    if (reason === '') throw cause
    throw errorOf(folder, reason, cause)
  }
}

function errorOf(folder: string, reason: string, cause: unknown): CarrierError {
  switch (reason) {
    case 'DURABLE_DISK_FULL':
    case 'ENOSPC':
    case 'EDQUOT':
      return new CarrierError('CARRIER_FULL', `there is no room in the folder ${folder}`, {
        hint: 'make room there',
        retryAfterMs: FULL_RETRY_MS,
        cause,
      })
    case 'DURABLE_READ_ONLY':
    case 'DURABLE_DENIED':
    case 'EROFS':
    case 'EACCES':
    case 'EPERM':
      return new CarrierError('CARRIER_READ_ONLY', `the daemon may not write to the folder ${folder}`, {
        hint: 'change its permissions, or mount its disk so that it can be written; if the daemon is a service, open the sandbox for it',
        details: { folder },
        retryAfterMs: FULL_RETRY_MS,
        cause,
      })
    default:
      return new CarrierError('CARRIER_AWAY', `the folder ${folder} does not work now (${reason})`, {
        hint: 'connect its disk, or check it',
        retryAfterMs: AWAY_RETRY_MS,
        cause,
      })
  }
}

async function isDirectory(path: string): Promise<boolean> {
  return await promises.lstat(path).then(
    (stat) => stat.isDirectory(),
    () => false,
  )
}

async function isClosed(path: string): Promise<boolean> {
  return await promises.lstat(join(path, CLOSED_NAME)).then(
    (stat) => stat.isFile(),
    () => false,
  )
}

/** Whether it is an M1, which lies in the folder itself. */
function isFirst(data: Uint8Array): boolean {
  const type = dataType(data)
  return type === BOX_TYPE.m1 || type === BOX_TYPE.m1WithoutK
}
