/** Stored ends, invites and joins that this version cannot read. Each costs itself alone: the others go on. */
import { ChannelError } from '../../../channel/exchange/errors.ts'
import { describeError } from '../../../process/describe-error.ts'
import type { Log } from '../../../process/log.ts'
import { StoreError } from '../../../store/errors.ts'
import { CustodyError } from '../../custody/errors.ts'
import type { SealedOnDisk } from '../../sealed/records.ts'

/** A record of a later version, or one that is not whole. */
export type DamagedBecause = 'STATE_VERSION' | 'STATE_DAMAGED'

export class Damaged {
  readonly #log: Log
  readonly #found = new Map<string, DamagedBecause>()

  constructor(log: Log) {
    this.#log = log
  }

  /**
   * Reads a record, and notes it if it cannot be read.
   * @returns null for such a record, and where there is none that a key here opens
   * @throws {CustodyError} APPS_LOCKED {StoreError}: all records wait then
   */
  read<T>(id: string, load: () => T | undefined): T | null {
    try {
      return load() ?? null
    } catch (error) {
      if (error instanceof CustodyError || error instanceof StoreError) throw error
      this.#log.warn('channel.damaged', { id, ...describeError(error) })
      const isLater = error instanceof ChannelError && error.code === 'STATE_VERSION'
      this.#found.set(id, isLater ? 'STATE_VERSION' : 'STATE_DAMAGED')
      return null
    }
  }

  /** Reads all records of a kind but those that cannot be read. */
  async readAll<T>(records: SealedOnDisk<T>): Promise<(readonly [id: string, value: T])[]> {
    const found: (readonly [string, T])[] = []
    // By their ids alone: a list of values ends at the first that cannot be read.
    for await (const id of records.ids()) {
      const value = this.read(id, () => records.get(id))
      if (value !== null) found.push([id, value])
    }
    return found
  }

  get(id: string): DamagedBecause | null {
    return this.#found.get(id) ?? null
  }

  get count(): number {
    return this.#found.size
  }

  /** The record was erased. */
  forget(id: string): void {
    this.#found.delete(id)
  }

  *[Symbol.iterator](): IterableIterator<readonly [id: string, because: DamagedBecause]> {
    yield* this.#found
  }
}
