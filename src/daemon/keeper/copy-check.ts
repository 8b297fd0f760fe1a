/**
 * Notices a copy of this state: on another machine, in another directory, or put back over itself (docs/backup.md, section 4).
 * Two daemons that continue from one state would sign two tables with one number.
 */
import { createHmac, randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { describeError } from '../../process/describe-error.ts'
import type { Log } from '../../process/log.ts'
import { Serial, SharedWork } from '../../process/serial.ts'
import { isSalvaged, UNMARK_SALVAGED } from '../../store/salvage/mark.ts'
import type { StatePaths } from '../../store/state-dir.ts'
import { hasWitness, identityOf, keepOnlyWitness, makeWitness, readOutside, writeOutside } from '../../store/witness.ts'
import { PLACE, type PlaceRecord } from '../state/local-records.ts'
import type { Keeper } from './keeper.ts'

const MACHINE_ID = '/etc/machine-id'

export interface PlaceOptions {
  readonly paths: Pick<StatePaths, 'anchor' | 'witness'>
  /** The second witness. It lies outside of the state directory, where no backup puts it back. */
  readonly outside: string
  readonly log: Log
  /** machine-id(5). We keep only a keyed hash of it, as its manual page asks. */
  readonly machineIdFile?: string
}

/** Where the state lies. */
export class Place {
  readonly #options: PlaceOptions
  readonly #serial = new Serial()
  #renewal: SharedWork | null = null

  constructor(options: PlaceOptions) {
    this.#options = options
  }

  /** Whether the state was copied or put back since the last start. @throws {StoreError} */
  async isCopied(keeper: Keeper): Promise<boolean> {
    const before = keeper.onDisk.places.get(PLACE)
    return before !== undefined && !(await this.#isHere(before))
  }

  /** Makes the witness of this start. A copy then signs nothing before it was reconciled. @throws {StoreError} */
  begin(keeper: Keeper, isCopied: boolean): Promise<void> {
    return this.#serial.run(() => this.#renew(keeper, keeper.onDisk.places.get(PLACE), isCopied))
  }

  /** Makes a new witness, after a change of the own table: a copy from before that change is then noticed. Never rejects. */
  renew(keeper: Keeper): Promise<void> {
    this.#renewal ??= new SharedWork(async () => {
      try {
        await this.#renew(keeper, keeper.onDisk.places.get(PLACE), false)
      } catch (error) {
        this.#options.log.warn('witness.kept', describeError(error))
      }
    }, this.#serial)
    return this.#renewal.ask()
  }

  /** Resolves when no witness is being made. */
  idle(): Promise<void> {
    return this.#serial.idle()
  }

  async #renew(keeper: Keeper, before: PlaceRecord | undefined, isCopied: boolean): Promise<void> {
    const { paths, outside, log } = this.#options
    const place = {
      machine: await this.#machine(),
      file: await makeWitness(paths.witness),
      // A copy that goes on is another store, so the witness of its original says nothing about it.
      store: isCopied || before?.store === undefined ? randomBytes(16).toString('hex') : before.store,
      times: (before?.times ?? 0) + 1,
    }
    await keeper.changeKeys(() => {
      keeper.state.stage(keeper.state.records.places.put(PLACE, place))
      if (isCopied) keeper.own.wasCopied()
      // With the same commit, so that a salvaged state never counts as one that went on.
      if (isSalvaged(keeper.store)) keeper.state.stage(UNMARK_SALVAGED)
    })
    await writeOutside(outside, place).catch((error: unknown) => log.warn('witness.outside', describeError(error)))
    await keepOnlyWitness(paths.witness, place.file)
  }

  async #isHere(before: PlaceRecord): Promise<boolean> {
    const { paths, outside } = this.#options
    // A machine without an id, as in some containers, is recognized only by the file.
    const machine = await this.#machine()
    if (before.machine !== null && machine !== null && before.machine !== machine) return false
    // An earlier version made no witness, and compared the anchor.
    if (before.store === undefined) return (await identityOf(paths.anchor)) === before.file
    if (!(await hasWitness(paths.witness, before.file))) return false
    const second = await readOutside(outside)
    return second === null || second.store !== before.store || second.times <= (before.times ?? 0)
  }

  async #machine(): Promise<string | null> {
    const text = await readFile(this.#options.machineIdFile ?? MACHINE_ID, 'utf8').catch(() => '')
    const machineId = text.trim()
    return machineId === '' ? null : createHmac('sha256', machineId).update('personad place').digest('hex')
  }
}
