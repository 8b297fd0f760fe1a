/** The contract of the store: sorted records and one writer, with atomic, ordered and durable commits. */
import { decodeUtf8, encodeUtf8 } from '../core/encoding/bytes.ts'
import { StoreError } from './errors.ts'
import type { KeptRecords, RecordCache } from './record-cache.ts'

export const MAX_KEY_BYTES = 512 // sanity: more than twice two PersonaIDs in hex and a nickname
export const MAX_VALUE_BYTES: number = 1 << 20 // sanity: a contact with all its evidence stays below 32 KiB
export const MAX_COMMIT_BYTES: number = 8 << 20 // sanity: LevelDB keeps a batch in memory three times; split an import into pieces of this size

/** One change. A null value removes the record; removing a missing record is not an error. */
export interface Write {
  readonly key: string
  readonly value: Uint8Array | null
}

export interface Entry {
  readonly key: string
  readonly value: Uint8Array
}

/** The records whose key begins with `prefix`, in ascending or descending byte order of the keys in UTF-8. */
export interface Range {
  readonly prefix: string
  /** Begin after this key in the direction of iteration. It is usually the last key of the page before, and has the prefix. */
  readonly after?: string
  /** At most this many records; all without it. */
  readonly limit?: number
  readonly reverse?: boolean
}

/**
 * Every implementation guarantees (test/contract/store.test.ts):
 * - A commit is on disk completely or not at all. Its promise resolves only after it is on disk and in the anchor. Commits take effect in
 *   the order of the calls. Commits that arrive during a sync go to disk together, with one sync.
 * - Reads show the content of the disk: every acknowledged commit, and no commit whose write has not ended. The writer sees its own
 *   commit after its promise resolved, not before.
 * - After a failed write the content of the disk is unknown. All callers with a commit in that write get its error, and all later calls
 *   get STORE_STOPPED. The only way to continue is to close and open again.
 * - Only a full disk is different. Reads go on, and show the acknowledged commits. Commits get STORE_DISK_FULL and change nothing, until
 *   {@link ResumableStore.resume} finds room. No commit that got STORE_DISK_FULL takes effect after that, in this process.
 */
export interface Store {
  /**
   * Reads one record, synchronously: about 4 us, where a promise would cost 28 us.
   * @throws {StoreError} STORE_CORRUPT | STORE_SCHEMA_NEWER | STORE_IO | STORE_KEY_INVALID | STORE_STOPPED | STORE_CLOSED
   */
  get(key: string): Uint8Array | undefined
  /**
   * Iterates over a range as it was at the first step. Later commits do not change the result.
   * @throws {StoreError} as {@link Store.get}
   */
  iterate(range: Range): AsyncIterable<Entry>
  /**
   * Writes durably. If two writes have the same key, the later wins. The writes are copied before this returns.
   * @throws {StoreError} STORE_DISK_FULL | STORE_IO | STORE_CORRUPT: the outcome is unknown; STORE_STOPPED | STORE_CLOSED |
   *   STORE_KEY_INVALID | STORE_TOO_LARGE: nothing was written
   */
  commit(writes: readonly Write[]): Promise<void>
  /** Waits for the queued commits, and closes. A second call does nothing. */
  close(): Promise<void>
}

export interface ResumableStore extends Store {
  /**
   * Writes again after STORE_DISK_FULL, if there is room. Call it only then, or after a start on a full disk. Meanwhile a read may get STORE_DISK_FULL, for some milliseconds.
   * @returns false while there is no room
   * @throws {StoreError} any code: the store has stopped
   */
  resume(): Promise<boolean>
  /**
   * Takes deleted and replaced values off the disk, where they stay for a while otherwise. Reads and commits go on. It rewrites the records of the
   * range, so it takes as long as they are large. The lists of files still name some keys that are gone, until the store is opened again.
   * @param from first key of the range; there is no such record
   * @param to last key of the range; there is no such record
   * @throws {StoreError} as {@link Store.commit}
   */
  compact(from: string, to: string): Promise<void>
}

/** Converts values of one kind to bytes and back. Each record begins with `version`, so that a newer personad can tell the forms apart. */
export interface Codec<T> {
  /** 1..255; change it only together with a migration. */
  readonly version: number
  encode(value: T): Uint8Array
  /** @throws any error when the bytes are not a value; the caller of the collection gets STORE_CORRUPT */
  decode(bytes: Uint8Array): T
}

/** Makes a codec for JSON values. @param check returns the narrowed value or throws */
export function jsonCodec<T>(version: number, check: (value: unknown) => T): Codec<T> {
  return {
    version,
    encode: (value) => encodeUtf8(JSON.stringify(value)),
    decode: (bytes) => {
      const text = decodeUtf8(bytes)
      if (text === null) throw new Error('not UTF-8')
      return check(JSON.parse(text))
    },
  }
}

/** The records of one kind. Their keys are `name/id`. */
export class Collection<T> {
  /** Name of the kind, the part of its keys before the slash. */
  readonly name: string
  readonly #store: Store
  readonly #prefix: string
  readonly #codec: Codec<T>
  readonly #kept: KeptRecords | null

  /**
   * @param name of the kind, lower-case letters; it separates its records from those of other kinds
   * @param cache for records that are read often; it saves 4 us per read, and the decoding
   * @throws {StoreError} STORE_KEY_INVALID
   */
  constructor(store: Store, name: string, codec: Codec<T>, cache: RecordCache | null = null) {
    if (!/^[a-z]+$/.test(name))
      throw new StoreError('STORE_KEY_INVALID', `${JSON.stringify(name)} is not a valid name for a collection`)
    this.name = name
    this.#store = store
    this.#prefix = name + '/'
    this.#codec = codec
    this.#kept = cache?.kind(name) ?? null
  }

  /** @throws {StoreError} as {@link Store.get} */
  get(id: string): T | undefined {
    const kept = this.#kept?.get(id)
    if (kept !== undefined) return kept.value as T | undefined
    const key = this.#prefix + id
    const bytes = this.#store.get(key)
    const value = bytes === undefined ? undefined : this.#decode(key, bytes)
    this.#kept?.keep(id, value)
    return value
  }

  /** Makes the write that stores a value. Commit it alone or together with others. */
  put(id: string, value: T): Write {
    const encoded = this.#codec.encode(value)
    const bytes = new Uint8Array(1 + encoded.length)
    bytes[0] = this.#codec.version
    bytes.set(encoded, 1)
    return { key: this.#prefix + id, value: bytes }
  }

  /** Sets the value that {@link get} returns from now on, so that a writer need not read its own value back. */
  keep(id: string, value: T | undefined): void {
    this.#kept?.keep(id, value)
  }

  /** Makes the write that removes a value. */
  remove(id: string): Write {
    return { key: this.#prefix + id, value: null }
  }

  /**
   * Iterates over ids and values in the order of the ids. `prefix` and `after` of the range are parts of ids, without the name.
   * @throws {StoreError} as {@link Store.get}
   */
  async *iterate(range: Partial<Range> = {}): AsyncGenerator<readonly [id: string, value: T], void, undefined> {
    const { prefix = '', after, ...rest } = range
    const of = {
      ...rest,
      prefix: this.#prefix + prefix,
      ...(after === undefined ? {} : { after: this.#prefix + after }),
    }
    for await (const entry of this.#store.iterate(of)) yield this.read(entry)
  }

  /** Decodes a record of this kind from an iteration over several kinds. @throws {StoreError} as {@link Store.get} */
  read({ key, value }: Entry): readonly [id: string, value: T] {
    return [key.slice(this.#prefix.length), this.#decode(key, value)]
  }

  #decode(key: string, value: Uint8Array): T {
    const version = value[0] ?? 0
    if (version > this.#codec.version) {
      const message = `the record ${JSON.stringify(key)} has version ${version}, but this personad reads version ${this.#codec.version}; install the newer one`
      throw new StoreError('STORE_SCHEMA_NEWER', message)
    }
    try {
      if (version !== this.#codec.version) throw new Error(`version ${version}`)
      return this.#codec.decode(value.subarray(1))
    } catch (cause) {
      const message = `the record ${JSON.stringify(key)} cannot be read`
      throw new StoreError('STORE_CORRUPT', message, { cause })
    }
  }
}

/** The noncharacter that ends every range of a prefix. No key may contain it. */
export const KEY_RANGE_END = '\u{10FFFF}'

/**
 * Refuses keys that would not read back unchanged: a lone surrogate becomes U+FFFD in UTF-8, so two keys could become one.
 * @throws {StoreError} STORE_KEY_INVALID
 */
export function checkKey(key: string): void {
  const isWhole = key.isWellFormed() && !key.includes(KEY_RANGE_END)
  // A UTF-16 unit takes at most three bytes, so the exact count is needed only for long keys.
  const isShort = key.length * 3 <= MAX_KEY_BYTES || encodeUtf8(key).length <= MAX_KEY_BYTES
  if (isWhole && isShort && key.includes('/')) return
  throw new StoreError('STORE_KEY_INVALID', `${JSON.stringify(key.slice(0, 80))} is not a valid key of the store`)
}

/**
 * Refuses a range whose page would begin outside the range.
 * @throws {StoreError} STORE_KEY_INVALID
 */
export function checkRange({ prefix, after }: Range): void {
  if (after === undefined || after.startsWith(prefix)) return
  throw new StoreError(
    'STORE_KEY_INVALID',
    `${JSON.stringify(after.slice(0, 80))} is not in the range ${JSON.stringify(prefix)}`,
  )
}

/**
 * Checks the size and keys of a commit before anything is written.
 * @returns size of the commit in bytes
 * @throws {StoreError} STORE_KEY_INVALID | STORE_TOO_LARGE
 */
export function checkCommit(writes: readonly Write[]): number {
  let bytes = 0
  for (const { key, value } of writes) {
    checkKey(key)
    const length = value?.length ?? 0
    if (length > MAX_VALUE_BYTES) throw tooLarge(`the record ${JSON.stringify(key)}`, length, MAX_VALUE_BYTES)
    bytes += key.length + length
  }
  if (bytes > MAX_COMMIT_BYTES) throw tooLarge('the commit', bytes, MAX_COMMIT_BYTES)
  return bytes
}

function tooLarge(what: string, bytes: number, limit: number): StoreError {
  return new StoreError('STORE_TOO_LARGE', `${what} has ${bytes} bytes; the limit is ${limit}`)
}
