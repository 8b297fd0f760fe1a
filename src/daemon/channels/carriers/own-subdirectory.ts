/**
 * The subdirectory of one own intake: what this end has left there for its peer. Nobody else writes there, so everything in it with a name of ours
 * is ours to remove.
 */
import { createHash } from 'node:crypto'
import { promises } from 'node:fs'
import { join } from 'node:path'
import { isLeftoverName, makeDirectoryDurably, writeFileDurably } from '../../../durable/file.ts'
import { Serial } from '../../../process/serial.ts'
import { CarrierError } from '../../../channel/carriers/errors.ts'
import type { FirstMessages } from './first-messages.ts'
import { encodeFile, errnoOf, inDirectory, MAX_SUBDIRECTORY_NAMES, namesIn, readFileData } from './folder-files.ts'
import { CLOSED_NAME, firstName, frameName, parseFrameName } from './folder-names.ts'

/**
 * Everybody may read who can enter the folder: its own permissions decide who can. The peer may be another user of this machine, and everything
 * is sealed. Only this user may write.
 */
const DIRECTORY_MODES = { mode: 0o755, mayLackModes: true } as const
const FILE_MODES = { mode: 0o644, mayLackModes: true } as const

interface Left {
  /** Numbers of the files that have this data. */
  readonly numbers: number[]
  /** First messages that have it, in the folder itself. */
  readonly firsts: string[]
}

export class OwnSubdirectory {
  readonly #folder: string
  readonly #digits: string
  readonly #firsts: FirstMessages
  readonly #inTurn = new Serial()
  /** By the hash of the data, the newest last; null until it was read. */
  #left: Map<string, Left> | null = null

  constructor(folder: string, digits: string, firsts: FirstMessages) {
    this.#folder = folder
    this.#digits = digits
    this.#firsts = firsts
  }

  get #path(): string {
    return join(this.#folder, this.#digits)
  }

  /** Makes the subdirectory of a new intake: this end has left nothing, so nothing is looked for. @throws as {@link make} */
  async makeNew(): Promise<void> {
    await this.#inTurn.run(async () => {
      await makeDirectoryDurably(this.#path, DIRECTORY_MODES)
      this.#left = new Map()
    })
  }

  /** Makes the subdirectory, unless it is there. @throws {DurableError} @throws {CarrierError} CARRIER_DENIED */
  async make(): Promise<void> {
    await this.#inTurn.run(async () => await this.#inside(async () => {}))
  }

  /**
   * Leaves data for the peer, durably. Data that is there already gets the new number: so a reader who has missed it looks at it again.
   * @param number higher than all before, also after a restart, and after the folder was emptied
   * @throws {DurableError}
   * @throws {CarrierError} CARRIER_DENIED
   */
  async leave(data: Uint8Array, number: number): Promise<void> {
    await this.#inTurn.run(
      async () =>
        await this.#inside(async (inside, left) => {
          const key = keyOf(data)
          const before = left.get(key)?.numbers[0]
          const isThere = before !== undefined && (await isRenamed(inside, before, number, key))
          if (!isThere) await writeFileDurably(join(inside, frameName(number)), encodeFile(data), FILE_MODES)
          // Somebody else wrote into the file.
          if (before !== undefined && !isThere) await removeIfThere(join(inside, frameName(before)))
          // Only now: what could not be written is not the newest.
          const { numbers } = note(left, key)
          if (before !== undefined) numbers.shift()
          numbers.push(number)
        }),
    )
  }

  /** Leaves the first message of this end, as a guest, in the folder itself. @throws as {@link leave} */
  async leaveFirst(host: string, data: Uint8Array): Promise<void> {
    await this.#inTurn.run(
      async () =>
        await this.#inside(async (_inside, left) => {
          const name = firstName(host, this.#digits)
          const there = await readFileData(join(this.#folder, name))
          if (there === null || keyOf(there) !== keyOf(data))
            await writeFileDurably(join(this.#folder, name), encodeFile(data), FILE_MODES)
          const { firsts } = note(left, keyOf(data))
          if (!firsts.includes(name)) firsts.push(name)
        }),
    )
  }

  /** Removes what this end has left but the given data, and the newest: it may be an ack that nobody repeats. */
  async clear(stillInFlight: readonly Uint8Array[]): Promise<void> {
    await this.#inTurn.run(
      async () =>
        await inDirectory(this.#path, async (inside) => {
          const left = await this.#known(inside)
          const kept = new Set(stillInFlight.map(keyOf))
          const newest = [...left.keys()].at(-1)
          for (const [key, { numbers, firsts }] of left) {
            if (kept.has(key) || key === newest) continue
            for (const number of numbers) await removeIfThere(join(inside, frameName(number)))
            for (const name of firsts) await removeIfThere(join(this.#folder, name))
            left.delete(key)
          }
        }),
    )
  }

  /** Says to the peer that this end takes nothing more here. @throws as {@link leave} */
  async close(): Promise<void> {
    await this.#inTurn.run(
      async () =>
        await this.#inside(async (inside) => {
          await writeFileDurably(join(inside, CLOSED_NAME), new Uint8Array(), FILE_MODES)
        }),
    )
  }

  /** Removes the subdirectory, and all that this end has left. Files of others in it stay, and with them the directory. */
  async remove(): Promise<void> {
    await this.#inTurn.run(async () => {
      await inDirectory(this.#path, async (inside) => {
        const left = await this.#known(inside)
        for (const { numbers, firsts } of left.values()) {
          for (const number of numbers) await removeIfThere(join(inside, frameName(number)))
          for (const name of firsts) await removeIfThere(join(this.#folder, name))
        }
        await removeIfThere(join(inside, CLOSED_NAME))
      })
      this.#left = null
      await promises.rmdir(this.#path).catch((error: unknown) => {
        if (!STAYS.has(errnoOf(error))) throw error
      })
    })
  }

  /** Works in the subdirectory, and makes it first where it is missing. */
  async #inside(work: (inside: string, left: Map<string, Left>) => Promise<void>): Promise<void> {
    const run = async (inside: string): Promise<true> => {
      await work(inside, await this.#known(inside))
      return true
    }
    if ((await inDirectory(this.#path, run)) !== null) return
    // Somebody emptied the folder, or put another disk there.
    this.#left = null
    await makeDirectoryDurably(this.#path, DIRECTORY_MODES)
    if ((await inDirectory(this.#path, run)) !== null) return
    throw new CarrierError('CARRIER_DENIED', `${this.#path} is no directory`, { hint: 'move it out of the folder' })
  }

  /** Reads once what a former process has left. */
  async #known(inside: string): Promise<Map<string, Left>> {
    if (this.#left !== null) return this.#left
    const left = new Map<string, Left>()
    for (const name of (await this.#firsts.list(this.#folder)).byGuest.get(this.#digits) ?? []) {
      const data = await readFileData(join(this.#folder, name))
      if (data !== null) note(left, keyOf(data)).firsts.push(name)
    }
    const names = await namesIn(inside, MAX_SUBDIRECTORY_NAMES)
    for (const name of names.filter(isLeftoverName)) await removeIfThere(join(inside, name))
    const numbers = names.flatMap((name) => parseFrameName(name) ?? [])
    for (const number of numbers.toSorted((a, b) => a - b)) {
      const data = await readFileData(join(inside, frameName(number)))
      // A file that is not whole is ours too. It goes with the first that are not needed.
      note(left, data === null ? `file ${number}` : keyOf(data)).numbers.push(number)
    }
    return (this.#left = left)
  }
}

const STAYS: ReadonlySet<string> = new Set(['ENOENT', 'ENOTEMPTY', 'EEXIST', 'ENOTDIR', 'EBUSY'])

function note(left: Map<string, Left>, key: string): Left {
  const known = left.get(key) ?? { numbers: [], firsts: [] }
  left.set(key, known)
  return known
}

const KEYS = new WeakMap<Uint8Array, string>()

/** The hash of data. The data in flight is asked for again and again. */
function keyOf(data: Uint8Array): string {
  const known = KEYS.get(data)
  if (known !== undefined) return known
  const key = createHash('sha256').update(data).digest('hex')
  KEYS.set(data, key)
  return key
}

/** Gives a file a new number, if it still has the data with this hash. */
async function isRenamed(inside: string, from: number, to: number, key: string): Promise<boolean> {
  const data = await readFileData(join(inside, frameName(from)))
  if (data === null || keyOf(data) !== key) return false
  await promises.rename(join(inside, frameName(from)), join(inside, frameName(to)))
  return true
}

/** A file that comes back after a power cut is harmless, so nothing is synced. */
async function removeIfThere(path: string): Promise<void> {
  await promises.unlink(path).catch((error: unknown) => {
    if (errnoOf(error) !== 'ENOENT') throw error
  })
}
