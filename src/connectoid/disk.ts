/**
 * The storage of a page: one IndexedDB, whose commits are durable before they are answered. Every record is sealed by a key of its peer that no
 * script can read; key pairs lie there as they are, and nobody can read their secrets either.
 */
import { encodeUtf8 } from '../core/encoding/bytes.ts'
import type { BoxKeyPair } from '../seal/key-pair.ts'
import { browser, type Database, type ObjectStore, type StoreKey, type StoreRequest } from './browser.ts'
import { ConnectoidError, unreadable } from './errors.ts'

const STORE = 'records'
const VERSION = 1
const IV_BYTES = 12 // format: AES-GCM
const ALGORITHM = 'AES-GCM'
const LAST = Number.MAX_SAFE_INTEGER

/** The kinds of values under a key: sealed bytes, or keys of WebCrypto. */
export type Kind = 'peer' | 'frame' | 'early' | 'out' | 'in' | 'pair' | 'seal'

/** One write of a commit. They happen in their order. */
export type DiskWrite =
  | { readonly put: StoreKey; readonly bytes: Uint8Array }
  | { readonly pair: BoxKeyPair; readonly put: StoreKey }
  /** Removes all keys from the first to the second. */
  | { readonly remove: readonly [StoreKey, StoreKey] }

type SealKey = Awaited<ReturnType<typeof crypto.subtle.importKey>>

export class Disk {
  readonly #database: Database
  /** By the id of a peer. */
  readonly #seals = new Map<string, SealKey>()

  private constructor(database: Database) {
    this.#database = database
  }

  /** @param onlost called when the browser takes the storage away @throws {ConnectoidError} STORAGE */
  static async open(name: string, onlost: () => void): Promise<Disk> {
    return await stored(async () => {
      const request = browser.indexedDB.open(name, VERSION)
      request.addEventListener('upgradeneeded', () => void request.result.createObjectStore(STORE))
      const database = await resultOf(request)
      database.addEventListener('versionchange', onlost)
      const disk = new Disk(database)
      for (const [key, seal] of await disk.#all('seal')) disk.#seals.set(key[1] as string, seal as SealKey)
      return disk
    })
  }

  close(): void {
    this.#database.close()
  }

  /** Makes the key of a new peer. It is stored with the first commit of the peer. */
  async addSeal(id: string): Promise<void> {
    const seal = await crypto.subtle.generateKey({ name: ALGORITHM, length: 256 }, false, ['encrypt', 'decrypt'])
    this.#seals.set(id, seal)
  }

  /** The peers that have a record, also one that cannot be read. @throws {ConnectoidError} STORAGE */
  async peers(): Promise<string[]> {
    const found = await stored(() => this.#all('peer'))
    return found.map(([key]) => String(key[1]))
  }

  /**
   * Reads the records of one kind and peer, in the order of their keys.
   * @throws {ConnectoidError} STORAGE | UNREADABLE
   */
  async read(kind: Kind, id: string, ...more: readonly number[]): Promise<(readonly [StoreKey, Uint8Array])[]> {
    const found = await stored(() => this.#all(kind, id, ...more))
    try {
      return await Promise.all(found.map(async ([key, value]) => [key, await this.#open(key, value)] as const))
    } catch (cause) {
      throw unreadable(cause)
    }
  }

  async pairs(): Promise<Map<string, BoxKeyPair>> {
    return await stored(async () => {
      const found = await this.#all('pair')
      return new Map(found.map(([key, pair]) => [String(key[2]), pair as BoxKeyPair]))
    })
  }

  /** Writes all or nothing. On return it is durable. @param id of the peer @throws {ConnectoidError} STORAGE */
  async commit(id: string, writes: readonly DiskWrite[]): Promise<void> {
    await stored(async () => {
      // Whoever waits inside of a transaction of IndexedDB ends it.
      const sealed = await Promise.all(writes.map(async (each) => ('bytes' in each ? await this.#seal(each) : null)))
      await this.#write((store) => {
        store.put(this.#seals.get(id), ['seal', id])
        for (const [i, each] of writes.entries()) {
          if ('remove' in each) store.delete(browser.IDBKeyRange.bound(...each.remove))
          else store.put('pair' in each ? each.pair : sealed[i], each.put)
        }
      })
    })
  }

  /** Removes all of a peer, its keys too. @throws {ConnectoidError} STORAGE */
  async erase(id: string): Promise<void> {
    const kinds: readonly Kind[] = ['peer', 'frame', 'early', 'out', 'in', 'pair', 'seal']
    await stored(() =>
      this.#write((store) => {
        for (const kind of kinds) store.delete(browser.IDBKeyRange.bound(...below([kind, id])))
      }),
    )
    this.#seals.delete(id)
  }

  async #all(kind: Kind, ...of: StoreKey): Promise<(readonly [StoreKey, unknown])[]> {
    const range = browser.IDBKeyRange.bound(...below([kind, ...of]))
    const store = this.#database.transaction(STORE, 'readonly', { durability: 'strict' }).objectStore(STORE)
    const [keys, values] = [store.getAllKeys(range), store.getAll(range)]
    const all = await resultOf(values)
    return keys.result.map((key, i) => [key, all[i]] as const)
  }

  async #write(work: (store: ObjectStore) => void): Promise<void> {
    const transaction = this.#database.transaction(STORE, 'readwrite', {
      durability: 'strict',
    })
    await new Promise<void>((resolve, reject) => {
      transaction.addEventListener('complete', resolve)
      transaction.addEventListener('abort', () => reject(transaction.error ?? new Error('the commit was given up')))
      try {
        work(transaction.objectStore(STORE))
      } catch (error) {
        // Otherwise the writes before this one would be committed.
        transaction.abort()
        reject(error)
      }
    })
  }

  /** The key of the record is sealed with it, so that no record stands in for another. */
  async #seal({ put, bytes }: { readonly put: StoreKey; readonly bytes: Uint8Array }): Promise<Uint8Array> {
    const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES))
    const box = await crypto.subtle.encrypt(algorithm(iv, put), this.#sealOf(put), bytes)
    const whole = new Uint8Array(IV_BYTES + box.byteLength)
    whole.set(iv)
    whole.set(new Uint8Array(box), IV_BYTES)
    return whole
  }

  async #open(key: StoreKey, value: unknown): Promise<Uint8Array> {
    const bytes = value as Uint8Array<ArrayBuffer>
    const how = algorithm(bytes.subarray(0, IV_BYTES), key)
    return new Uint8Array(await crypto.subtle.decrypt(how, this.#sealOf(key), bytes.subarray(IV_BYTES)))
  }

  #sealOf(key: StoreKey): SealKey {
    const seal = this.#seals.get(String(key[1]))
    if (seal === undefined) throw new Error('the key of a peer is gone')
    return seal
  }
}

function algorithm(
  iv: Uint8Array<ArrayBuffer>,
  key: StoreKey,
): {
  name: string
  iv: Uint8Array<ArrayBuffer>
  additionalData: Uint8Array<ArrayBuffer>
} {
  return {
    name: ALGORITHM,
    iv,
    additionalData: encodeUtf8(JSON.stringify(key)) as Uint8Array<ArrayBuffer>,
  }
}

/** All keys that begin with these members. A list comes after every text and number. */
export function below(begin: StoreKey): readonly [StoreKey, StoreKey] {
  return [begin, [...begin, []] as never]
}

/** From the first key of a kind and peer up to a number. */
export function upTo(kind: Kind, id: string, last: number = LAST): readonly [StoreKey, StoreKey] {
  return [
    [kind, id, 0],
    [kind, id, last],
  ]
}

function resultOf<Result>(request: StoreRequest<Result>): Promise<Result> {
  return new Promise((resolve, reject) => {
    request.addEventListener('success', () => resolve(request.result))
    request.addEventListener('error', () => reject(request.error ?? new Error('the request failed')))
  })
}

async function stored<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work()
  } catch (cause) {
    throw new ConnectoidError('STORAGE', 'this browser cannot keep the data of the app', {
      hint: 'check the free space, and whether the window is a private one',
      cause,
    })
  }
}
