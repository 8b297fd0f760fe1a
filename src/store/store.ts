/** The store's contract: a sorted space of records with one writer, whose commits are atomic, ordered and durable. */
import { decodeUtf8, encodeUtf8 } from '../core/encoding/bytes.ts'
import { StoreError } from './errors.ts'
import type { KeptRecords, RecordCache } from './record-cache.ts'

export const MAX_KEY_BYTES = 512 // sanity: two PersonaIDs in hex and a nickname fit three times over
export const MAX_VALUE_BYTES: number = 1 << 20 // sanity: a contact with all its evidence is below 32 KiB
export const MAX_COMMIT_BYTES: number = 8 << 20 // sanity: LevelDB holds a batch in memory three times; import in pieces of this size

/** One change; a null value removes the record, and removing what is not there is no error. */
export interface Write {
  readonly key: string
  readonly value: Uint8Array | null
}

export interface Entry {
  readonly key: string
  readonly value: Uint8Array
}

/** The records whose key begins with `prefix`, in ascending byte order of the keys' UTF-8, or descending. */
export interface Range {
  readonly prefix: string
  /** Begin behind this key, in the direction of travel: the last key of the page before; it has the prefix. */
  readonly after?: string
  /** At most so many; without it, all. */
  readonly limit?: number
  readonly reverse?: boolean
}

/**
 * What holds for every implementation (test/contract/store.test.ts):
 * - A commit is on disk wholly or not at all, and its promise resolves only once it is on disk and anchored. Commits take effect in the
 *   order of the calls. Those that arrive while one is being synced go to disk together, with one sync.
 * - Reads show what is on disk: every acknowledged commit, never one whose write has not ended. The writer sees its own
 *   commit once its promise resolved, not before.
 * - After a write that failed nobody knows what is on disk. All callers whose commits were in that write are told, all later calls
 *   get STORE_STOPPED, and the only way on is to close, open again and look.
 */
export interface Store {
  /**
   * The record of a key, synchronously: some 4 us, where a promise would cost 28.
   * @throws {StoreError} STORE_CORRUPT | STORE_SCHEMA_NEWER | STORE_IO | STORE_KEY_INVALID | STORE_STOPPED | STORE_CLOSED
   */
  get(key: string): Uint8Array | undefined
  /**
   * The records of a range as they were at the first step, whatever is committed meanwhile.
   * @throws {StoreError} as {@link Store.get}
   */
  iterate(range: Range): AsyncIterable<Entry>
  /**
   * Writes durably; of two writes to one key the later counts. The writes are copied before this returns.
   * @throws {StoreError} STORE_DISK_FULL | STORE_IO | STORE_CORRUPT: the outcome is unknown; STORE_STOPPED | STORE_CLOSED |
   *   STORE_KEY_INVALID | STORE_TOO_LARGE: nothing was written
   */
  commit(writes: readonly Write[]): Promise<void>
  /** Waits for the commits that were called before, and closes. Calling it again does nothing. */
  close(): Promise<void>
}

/** How values of one kind become bytes; `version` stands in front of each record, so that a later personad can tell them apart. */
export interface Codec<T> {
  /** 1..255; changed only together with a migration. */
  readonly version: number
  encode(value: T): Uint8Array
  /** @throws anything when the bytes are not a value; the caller gets STORE_CORRUPT */
  decode(bytes: Uint8Array): T
}

/** A codec for JSON values. @param check gives the narrowed value or throws */
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

/** The records of one kind, with the key `name/id`. */
export class Collection<T> {
  /** Of the kind: what stands in front of the slash of its keys. */
  readonly name: string
  readonly #store: Store
  readonly #prefix: string
  readonly #codec: Codec<T>
  readonly #kept: KeptRecords | null

  /**
   * @param name of the kind, lower-case letters: what sorts its records apart from those of other kinds
   * @param cache for a reader whose records are read again and again; 4 us a read are saved, and the decoding
   */
  constructor(store: Store, name: string, codec: Codec<T>, cache: RecordCache | null = null) {
    if (!/^[a-z]+$/.test(name))
      throw new StoreError('STORE_KEY_INVALID', `not a name of a collection: ${JSON.stringify(name)}`)
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

  /** The write that stores a value, to be committed alone or together with others. */
  put(id: string, value: T): Write {
    const encoded = this.#codec.encode(value)
    const bytes = new Uint8Array(1 + encoded.length)
    bytes[0] = this.#codec.version
    bytes.set(encoded, 1)
    return { key: this.#prefix + id, value: bytes }
  }

  /** What {@link get} gives from now on: a writer's own value, which it need not read back. */
  keep(id: string, value: T | undefined): void {
    this.#kept?.keep(id, value)
  }

  /** The write that removes a value. */
  remove(id: string): Write {
    return { key: this.#prefix + id, value: null }
  }

  /**
   * Pairs of id and value in the order of the ids; `prefix` and `after` of the range are of ids.
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

  /** Id and value of a record of this kind that came out of an iteration over several kinds. @throws {StoreError} as {@link Store.get} */
  read({ key, value }: Entry): readonly [id: string, value: T] {
    return [key.slice(this.#prefix.length), this.#decode(key, value)]
  }

  #decode(key: string, value: Uint8Array): T {
    const version = value[0] ?? 0
    if (version > this.#codec.version) {
      const message = `the record ${JSON.stringify(key)} has version ${version}, this personad reads ${this.#codec.version}: install the later one`
      throw new StoreError('STORE_SCHEMA_NEWER', message)
    }
    try {
      if (version !== this.#codec.version) throw new Error(`version ${version}`)
      return this.#codec.decode(value.subarray(1))
    } catch (cause) {
      const message = `the record ${JSON.stringify(key)} cannot be read; run "persona doctor"`
      throw new StoreError('STORE_CORRUPT', message, { cause })
    }
  }
}

/** The noncharacter that ends every range of a prefix, so no key may hold it. */
export const KEY_RANGE_END = '\u{10FFFF}'

/**
 * Refuses keys that would not come back as they went in: a lone surrogate becomes U+FFFD in UTF-8, and two keys one.
 * @throws {StoreError} STORE_KEY_INVALID
 */
export function checkKey(key: string): void {
  const isWhole = key.isWellFormed() && !key.includes(KEY_RANGE_END)
  // A UTF-16 unit is at most three bytes: the exact count is taken only where it matters.
  const isShort = key.length * 3 <= MAX_KEY_BYTES || encodeUtf8(key).length <= MAX_KEY_BYTES
  if (isWhole && isShort && key.includes('/')) return
  throw new StoreError('STORE_KEY_INVALID', `not a key of the store: ${JSON.stringify(key.slice(0, 80))}`)
}

/**
 * Refuses a range whose page would begin outside of it.
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
 * Refuses a commit before anything of it is written.
 * @returns its size in bytes
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
  return new StoreError('STORE_TOO_LARGE', `${what} has ${bytes} bytes, at most ${limit} fit`)
}
