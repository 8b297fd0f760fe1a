/** Reads and writes sealed records. They all lie in one kind of the store, so that a change of the key finds each of them. */
import { StoreError } from '../../store/errors.ts'
import type { Keeper } from '../keeper/keeper.ts'
import type { AppsKey } from './apps-key.ts'
import type { SealedKind } from './sealed-kind.ts'

export const MAX_SEALED_BYTES: number = 256 << 10 // sanity: a part of a content with its head; a commit has room for thirty

/** Sealed records of one kind, as they are on disk. All of it throws CustodyError APPS_LOCKED while the apps key is closed. */
export interface SealedOnDisk<T> {
  /**
   * @returns undefined where there is no such record, and where no key here opens it: `doctor` counts those
   * @throws {CustodyError} APPS_LOCKED @throws {StoreError}
   */
  get(id: string): T | undefined
  /** The records in the order of their ids, without those that no key here opens. @throws as {@link get}, at any step */
  iterate(prefix?: string): AsyncGenerator<readonly [id: string, value: T], void, undefined>
  /** The ids of all records, also of those that no key here opens, so that they can be deleted. @throws {StoreError} */
  ids(prefix?: string): AsyncGenerator<string, void, undefined>
}

/** Sealed records of one kind, inside of a change. */
export interface SealedInChange<T> {
  /** @returns as {@link SealedOnDisk.get} */
  get(id: string): T | undefined
  /** @throws {CustodyError} APPS_LOCKED @throws {StoreError} STORE_TOO_LARGE above MAX_SEALED_BYTES */
  put(id: string, value: T): void
  /** Works also for a record that no key here opens. A missing one is no error. @throws {CustodyError} APPS_LOCKED */
  delete(id: string): void
}

export class SealedRecords {
  readonly key: AppsKey
  readonly #keeper: Pick<Keeper, 'onDisk' | 'state'>
  readonly #declared: ReadonlySet<string>
  #hasWritten = false

  /** @param kinds all sealed kinds, of all wings */
  constructor(keeper: Pick<Keeper, 'onDisk' | 'state'>, key: AppsKey, kinds: readonly SealedKind<unknown>[]) {
    this.#keeper = keeper
    this.key = key
    this.#declared = new Set(kinds.map(({ name }) => name))
    if (this.#declared.size < kinds.length) throw new Error('two sealed kinds have one name')
  }

  /** Whether a record was written since the start. */
  get hasWritten(): boolean {
    return this.#hasWritten
  }

  /** The records of a kind on disk, for queries. */
  onDisk<T>(kind: SealedKind<T>): SealedOnDisk<T> {
    const { onDisk } = this.#keeper
    const start = this.#startOf(kind)
    return {
      get: (id) => this.#open(kind, start + id, onDisk.sealed.get(start + id)),
      iterate: (prefix = '') => this.#iterate(kind, start, prefix),
      ids: async function* (prefix = '') {
        for await (const [name] of onDisk.sealed.iterate({ prefix: start + prefix })) yield name.slice(start.length)
      },
    }
  }

  /** The records of a kind inside of a change. */
  inChange<T>(kind: SealedKind<T>): SealedInChange<T> {
    const { state } = this.#keeper
    const start = this.#startOf(kind)
    return {
      get: (id) => this.#open(kind, start + id, state.records.sealed.get(start + id)),
      put: (id, value) => {
        const bytes = kind.codec.encode(value)
        if (bytes.length > MAX_SEALED_BYTES) {
          const message = `a record of the kind ${kind.name} has ${bytes.length} bytes; the limit is ${MAX_SEALED_BYTES}`
          throw new StoreError('STORE_TOO_LARGE', message)
        }
        state.stage(state.records.sealed.put(start + id, this.key.ring().seal(start + id, bytes)))
        this.#hasWritten = true
      },
      delete: (id) => {
        this.key.require()
        state.stage(state.records.sealed.remove(start + id))
      },
    }
  }

  async *#iterate<T>(
    kind: SealedKind<T>,
    start: string,
    prefix: string,
  ): AsyncGenerator<readonly [id: string, value: T], void, undefined> {
    this.key.require()
    for await (const [name, sealed] of this.#keeper.onDisk.sealed.iterate({ prefix: start + prefix })) {
      const value = this.#open(kind, name, sealed)
      if (value !== undefined) yield [name.slice(start.length), value]
    }
  }

  #open<T>(kind: SealedKind<T>, name: string, sealed: Uint8Array | undefined): T | undefined {
    const ring = this.key.ring()
    const bytes = sealed === undefined ? null : ring.open(name, sealed)
    return bytes === null ? undefined : kind.codec.decode(bytes)
  }

  #startOf({ name }: SealedKind<unknown>): string {
    // Only so the names are known to differ.
    if (!this.#declared.has(name)) throw new Error(`no open wing declares the sealed kind ${name}`)
    return `${name}/`
  }
}
