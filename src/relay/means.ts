/** The client of a relay needs these of its surroundings. A browser, Node and personad-net each hand in their own. */

/** The part of the standard `fetch` that is used. `globalThis.fetch` fits. */
export type RelayFetch<Body = string> = (url: string, request: RelayRequest<Body>) => Promise<RelayResponse>

/** A `fetch` that takes bodies in parts. `globalThis.fetch` fits, in Node and in some browsers. */
export type ObjectFetch = RelayFetch<ReadableStream<Uint8Array>>

export interface RelayRequest<Body = string> {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE'
  /** `content-type`, `authorization` and `if-none-match`, which personad-net sends; calls of objects have `range` too. */
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Body
  /** Beside a body in parts: the answer comes after it. */
  readonly duplex?: 'half'
  /** Beside a body in parts: its length. personad-net needs it; other ways leave it out. */
  readonly bodyBytes?: number
  /** The longest answer that is read, where that may be above 2 MiB. personad-net wants to know it; whoever calls checks the length in any case. */
  readonly maxBytes?: number
  readonly signal: AbortSignal
  /** An address leads to one relay, and nowhere else. */
  readonly redirect: 'error'
  readonly credentials: 'omit'
  readonly cache: 'no-store'
  readonly referrerPolicy: 'no-referrer'
}

export interface RelayResponse {
  readonly status: number
  readonly headers: { get(name: string): string | null }
  readonly body: ReadableStream<Uint8Array> | null
}

export interface RelayClock {
  /** Unix milliseconds. */
  nowMs(): number
  /** @returns a function that cancels it */
  after(ms: number, run: () => void): () => void
}

export interface RelayMeans {
  readonly fetch: RelayFetch
  readonly clock: RelayClock
  /** 0 up to 1, for the jitter of repeats. */
  readonly random: () => number
}

/** Waits. @throws the reason of the signal */
export function pause(clock: RelayClock, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) return reject(signal.reason as Error)
    const abort = (): void => {
      cancel()
      reject(signal!.reason as Error)
    }
    const cancel = clock.after(ms, () => {
      signal?.removeEventListener('abort', abort)
      resolve()
    })
    signal?.addEventListener('abort', abort, { once: true })
  })
}
