/**
 * The daily change of the apps key. LevelDB keeps old versions of a record on disk for long, also of a removed one, so only a key that
 * is gone makes them unreadable. A new key is drawn, every sealed record is sealed anew, in slices while others write, and then the old key
 * is erased. A crash anywhere leaves both keys on disk, and the next run goes on.
 */
import type { Keeper } from '../keeper/keeper.ts'
import { CustodyError } from '../custody/errors.ts'
import { Serial } from '../../process/serial.ts'
import type { AppsKey } from './apps-key.ts'

const SLICE_BYTES = 512 << 10 // sanity: sealed anew in one commit, in about a millisecond, while other changes wait
const SLICE_RECORDS = 256 // sanity: small records of as much work

export class KeyChange {
  readonly #keeper: Pick<Keeper, 'onDisk' | 'state' | 'change'>
  readonly #key: AppsKey
  #running: Promise<void> | null = null
  #isStopped = false
  readonly #serial = new Serial()
  #lost = 0
  #counted = 0

  constructor(keeper: Pick<Keeper, 'onDisk' | 'state' | 'change'>, key: AppsKey) {
    this.#keeper = keeper
    this.#key = key
  }

  /** Sealed records that no key here opened when they were last read. */
  get lost(): number {
    return this.#lost
  }

  /** Sealed records when they were last read. */
  get counted(): number {
    return this.#counted
  }

  /** Counts the records, also while the key is closed. Not during a change, which may drop the key of a record that was read before. @throws {StoreError} */
  count(): Promise<void> {
    return this.#serial.run(() => this.#count())
  }

  async #count(): Promise<void> {
    let [lost, counted] = [0, 0]
    for await (const [, value] of this.#keeper.onDisk.sealed.iterate()) {
      if (this.#isStopped) return
      counted++
      if (this.#key.isOpen && this.#key.ring().keyOf(value) === null) lost++
    }
    this.#lost = lost
    this.#counted = counted
  }

  /** Ends what runs, for good. Close the key before. Never rejects. */
  async stop(): Promise<void> {
    this.#isStopped = true
    await this.#serial.idle()
  }

  /**
   * Changes the key if that is due. Calls during a run join it. Ends early when the key closes.
   * @throws {StoreError} the next call goes on
   */
  run(): Promise<void> {
    this.#running ??= this.#serial
      .run(() => this.#run())
      .finally(() => {
        this.#running = null
      })
    return this.#running
  }

  async #run(): Promise<void> {
    try {
      if (!this.#key.isDue()) return
      await this.#key.draw()
      await this.#sealAll()
      await this.#key.drop()
      await this.#count()
    } catch (error) {
      if (!(error instanceof CustodyError)) throw error
    }
  }

  async #sealAll(): Promise<void> {
    // Changes that are on their way to disk may have sealed by the old key. A change without writes waits for them.
    await this.#keeper.change(() => {})
    while ((await this.#pass()) > 0);
  }

  /** Reads all sealed records on disk. @returns the number of those that were sealed anew */
  async #pass(): Promise<number> {
    let sealed = 0
    let slice: string[] = []
    let bytes = 0
    const flush = async (): Promise<void> => {
      if (slice.length > 0) sealed += await this.#sealAnew(slice)
      slice = []
      bytes = 0
    }
    for await (const [name, value] of this.#keeper.onDisk.sealed.iterate()) {
      const ring = this.#key.ring()
      const key = ring.keyOf(value)
      if (key === null || key === ring.current) continue
      slice.push(name)
      bytes += value.length
      if (slice.length >= SLICE_RECORDS || bytes >= SLICE_BYTES) await flush()
    }
    await flush()
    return sealed
  }

  /** Seals records anew in one change, each as it is by then. */
  async #sealAnew(names: readonly string[]): Promise<number> {
    const { state } = this.#keeper
    return await this.#keeper.change(() => {
      const ring = this.#key.ring()
      const { sealed: records } = state.records
      let count = 0
      for (const name of names) {
        const sealed = records.get(name)
        if (sealed === undefined || ring.keyOf(sealed) === ring.current) continue
        const value = ring.open(name, sealed)
        // Its key is here and does not open it: it was put there from elsewhere, and no later key opens it either.
        if (value === null) continue
        state.stage(records.put(name, ring.seal(name, value)))
        count++
      }
      return count
    })
  }
}
