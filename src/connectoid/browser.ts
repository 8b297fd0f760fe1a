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
  abort(): void
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

/** A STUN or TURN server, as RTCPeerConnection takes it. */
export interface IceServer {
  readonly urls: string | readonly string[]
  readonly username?: string
  readonly credential?: string
}

interface Description {
  readonly type: string
  readonly sdp: string
}

/** RTCDataChannel. */
export interface RtcChannel {
  binaryType: string
  readonly readyState: string
  readonly bufferedAmount: number
  send(message: Uint8Array): void
  close(): void
  addEventListener(event: 'open' | 'close' | 'error', run: () => void): void
  addEventListener(event: 'message', run: (event: { readonly data: string | ArrayBuffer }) => void): void
}

/** RTCPeerConnection. */
export interface RtcConnection {
  readonly connectionState: string
  readonly iceGatheringState: string
  readonly localDescription: Description | null
  readonly remoteDescription: Description | null
  readonly sctp: { readonly transport: { getRemoteCertificates?(): readonly ArrayBuffer[] } } | null
  createDataChannel(label: string): RtcChannel
  /** Makes the offer or answer that is due, without an argument. */
  setLocalDescription(): Promise<void>
  setRemoteDescription(description: Description): Promise<void>
  close(): void
  addEventListener(event: 'connectionstatechange' | 'icegatheringstatechange', run: () => void): void
  addEventListener(event: 'datachannel', run: (event: { readonly channel: RtcChannel }) => void): void
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
  /** Some browsers, and some settings of a browser, lack it. */
  readonly RTCPeerConnection?: new (settings: { readonly iceServers: readonly IceServer[] }) => RtcConnection
  reportError(error: unknown): void
}

export const browser: Browser = globalThis as unknown as Browser
