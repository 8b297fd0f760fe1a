/**
 * Random lives of a folder (docs/channel.md, section 13): whatever programs that copy do, whoever starts anew, and whatever is emptied, the reader
 * gets all that its writer left, and comes to an end.
 *
 * FOLDERS=2000 plays so many; FOLDER_SEED and FOLDER_PATH, as a failure prints them, play one again.
 */
import * as fc from 'fast-check'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { ownIntakes, type Line, type OwnPlace } from '../../../src/channel/carriers/carrier.ts'
import { CarrierError } from '../../../src/channel/carriers/errors.ts'
import { FolderCarrier } from '../../../src/daemon/channels/carriers/folder-carrier.ts'
import { parseFolderUrl } from '../../../src/daemon/channels/carriers/folder-names.ts'
import { systemClock } from '../../../src/process/pulse.ts'
import { frame } from '../../support/carrier-places.ts'
import { CopiedFolder } from '../../support/copied-folder.ts'

const RUNS = Number(process.env['FOLDERS'] ?? 12)
const MS_EACH = 5000 // sanity: some 60 ms on an idle machine, most of it for the disk
const { FOLDER_SEED: seed, FOLDER_PATH: path } = process.env

const STEPS = 'send send send read read read read repeat settle startWriter startReader'.split(' ')
const which = fc.nat(63)
const usually = fc.integer({ min: 0, max: 3 }).map((n) => n > 0)
const copy = fc.record({ kind: fc.constant('copy' as const), which, isKept: usually })
const own = fc.record({ kind: fc.constantFrom(...STEPS), which, isKept: usually })
const spoil = fc.record({ kind: fc.constant('spoil' as const), which, isKept: fc.boolean() })
const quiet = fc.oneof({ weight: 1, arbitrary: own }, { weight: 1, arbitrary: copy })
const wild = fc.oneof({ weight: 8, arbitrary: own }, { weight: 8, arbitrary: copy }, { weight: 1, arbitrary: spoil })
const stories = [quiet, quiet, wild].map((step) => fc.array(step, { minLength: 10, maxLength: 60, size: 'max' }))

/** A writer on one machine, a reader on the other. */
class Life {
  readonly folder = new CopiedFolder()
  readonly #nowMs: () => number
  #writer: FolderCarrier
  #reader: FolderCarrier
  #lines!: { readonly writer: Line; readonly reader: Line }
  #cursor = ''
  sent = 0
  readonly got = new Set<number>()
  /** Somebody else removed or changed something: only a repeat brings it back. */
  #isSpoiled = false
  /** Numbers that the writer knows to be read. */
  readonly #acknowledged = new Set<number>()

  private constructor() {
    let nowMs = 1_700_000_000_000
    this.#nowMs = () => nowMs++
    this.#writer = this.#start(0)
    this.#reader = this.#start(1)
  }

  static async begin(): Promise<Life> {
    const life = new Life()
    const [writer, reader] = [await life.#place(life.#writer, 0), await life.#place(life.#reader, 1)]
    life.#lines = {
      writer: { id: 'writer', own: [writer], peer: reader.address },
      reader: { id: 'reader', own: [reader], peer: writer.address },
    }
    return life
  }

  #start(side: 0 | 1): FolderCarrier {
    return new FolderCarrier({ folders: [this.folder.sides[side]], clock: systemClock, wallMs: this.#nowMs })
  }

  async #place(carrier: FolderCarrier, side: 0 | 1): Promise<OwnPlace> {
    const intake = await carrier.open(this.folder.sides[side])
    this.folder.belongs(parseFolderUrl(intake.url)!, side)
    return { address: { pub: new Uint8Array(32), where: [intake] }, secret: new Uint8Array(32) }
  }

  get #inFlight(): number[] {
    return Array.from({ length: this.sent }, (_, i) => i + 1).filter((number) => !this.#acknowledged.has(number))
  }

  async play({ kind, which, isKept }: { kind: string; which: number; isKept: boolean }): Promise<void> {
    switch (kind) {
      case 'send':
        for (let n = 0; n <= which % 5; n++) await this.#leave(++this.sent)
        return
      case 'repeat': {
        const number = this.#inFlight[which % Math.max(1, this.#inFlight.length)]
        return number === undefined ? undefined : await this.#leave(number)
      }
      case 'settle':
        for (const number of this.got) if ((number + which) % 3 > 0) this.#acknowledged.add(number)
        return await this.#settle()
      case 'read':
        return await this.#read(isKept)
      case 'startWriter':
        return void (this.#writer = this.#start(0))
      case 'startReader':
        return void (this.#reader = this.#start(1))
      case 'spoil':
        this.#isSpoiled = true
        return which < 16 ? this.folder.empty(isKept ? 0 : 1) : this.folder.spoil(which, isKept)
      default:
        for (let n = 0; n <= which % 3; n++) this.folder.copyOne(which + n, !isKept)
    }
  }

  /** Data that is refused for now is still in flight: its sender repeats it. */
  async #leave(number: number): Promise<void> {
    await passing(this.#writer.send(this.#lines.writer, this.#lines.reader.own[0]!.address.where[0]!, frame(number)))
  }

  async #settle(): Promise<void> {
    const inFlight = this.#inFlight.map((number) => frame(number))
    await this.#writer.settled(this.#lines.writer, inFlight)
  }

  /** @param isKept else the reader is killed before anything is on disk */
  async #read(isKept: boolean): Promise<void> {
    const [own] = ownIntakes(this.#lines.reader)
    let cursor = this.#cursor
    const numbers: number[] = []
    for (let n = 0; ; n++) {
      if (n > 200) throw new Error('the reader comes to no end')
      const arrivals = (await passing(this.#reader.receive(this.#lines.reader, own!, cursor))) ?? []
      if (arrivals.length === 0) break
      cursor = arrivals.at(-1)!.cursor
      numbers.push(...arrivals.flatMap(({ data }) => numberOf(data) ?? []))
    }
    if (!isKept) return void (this.#reader = this.#start(1))
    this.#cursor = cursor
    for (const number of numbers) this.got.add(number)
  }

  /** Lets everything come: without a repeat, where nobody has spoiled anything. */
  async end(): Promise<void> {
    this.folder.copyAll()
    await this.#read(true)
    if (!this.#isSpoiled) return
    for (let round = 0; round < 3; round++) {
      // An end that has nothing to send makes its subdirectory again when it reads.
      const [own] = ownIntakes(this.#lines.writer)
      await passing(this.#writer.receive(this.#lines.writer, own!, ''))
      await this.#read(true)
      this.folder.copyAll()
      for (const number of this.#inFlight) if (!this.got.has(number)) await this.#leave(number)
      this.folder.copyAll()
    }
    await this.#read(true)
  }

  /** Acknowledges everything. @returns how many files of the writer are left */
  async clear(): Promise<number> {
    for (const number of this.got) this.#acknowledged.add(number)
    await this.#settle()
    const [intake] = this.#lines.writer.own[0]!.address.where
    return readdirSync(join(this.folder.sides[0], parseFolderUrl(intake!.url)!)).length
  }
}

/** @returns null for data that no channel would open */
function numberOf(data: Uint8Array): number | null {
  if (data.length < 5) return null
  const number = new DataView(data.buffer, data.byteOffset).getUint32(1)
  return Buffer.from(frame(number)).equals(data) ? number : null
}

async function passing<Result>(work: Promise<Result>): Promise<Result | null> {
  try {
    return await work
  } catch (error) {
    if (error instanceof CarrierError && error.passes) return null
    throw error
  }
}

it(
  'everything that was left is read, whatever becomes of the files on the way',
  { timeout: RUNS * MS_EACH },
  async () => {
    let read = 0
    await fc.assert(
      fc.asyncProperty(fc.oneof(...stories), async (steps) => {
        const life = await Life.begin()
        life.folder.copyAll()
        for (const each of steps) await life.play(each)
        await life.end()
        expect([...life.got].toSorted((a, b) => a - b)).toEqual(Array.from({ length: life.sent }, (_, i) => i + 1))
        expect(await life.clear()).toBeLessThanOrEqual(1)
        read += life.sent
      }),
      { numRuns: RUNS, ...(seed === undefined ? {} : { seed: Number(seed) }), ...(path === undefined ? {} : { path }) },
    )
    if (path === undefined) expect(read).toBeGreaterThan(RUNS)
  },
)
