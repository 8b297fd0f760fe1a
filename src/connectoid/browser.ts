/** The parts of a browser that Node lacks, as far as the library uses them. This project compiles without the DOM, so they are declared here. */

export interface StoreRequest<Result> {
  readonly result: Result
  readonly error: Error | null
  addEventListener(event: 'success' | 'error' | 'upgradeneeded', run: () => void): void
}

/** The parts of a key: a kind, an id, and perhaps further texts or numbers. Keys are ordered part by part. */
export type StoreKey = readonly (string | number)[]
/** A range of keys, as IDBKeyRange makes it. */
export type StoreRange = object

export interface ObjectStore {
  put(value: unknown, key: StoreKey): StoreRequest<unknown>
  delete(key: StoreKey | StoreRange): StoreRequest<unknown>
  getAll(range: StoreRange): StoreRequest<unknown[]>
  getAllKeys(range: StoreRange): StoreRequest<StoreKey[]>
}

export interface Transaction {
  readonly error: Error | null
  objectStore(name: string): ObjectStore
  addEventListener(event: 'complete' | 'abort', run: () => void): void
}

export interface Database {
  createObjectStore(name: string): ObjectStore
  transaction(store: string, mode: 'readonly' | 'readwrite', options: { durability: 'strict' }): Transaction
  close(): void
  addEventListener(event: 'versionchange', run: () => void): void
}

interface Locks {
  request<Result>(
    name: string,
    options: { readonly ifAvailable?: boolean },
    work: (lock: object | null) => Promise<Result> | Result,
  ): Promise<Result>
}

export interface Browser {
  readonly indexedDB: { open(name: string, version: number): StoreRequest<Database> }
  readonly IDBKeyRange: { bound(lower: StoreKey, upper: StoreKey): StoreRange }
  readonly navigator: { readonly locks: Locks }
  readonly location: {
    readonly origin: string
    readonly pathname: string
    readonly hostname: string
  }
  addEventListener(event: 'online', run: () => void): void
  removeEventListener(event: 'online', run: () => void): void
  reportError(error: unknown): void
}

export const browser: Browser = globalThis as unknown as Browser
