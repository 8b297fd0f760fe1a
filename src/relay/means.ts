/** The client of a relay needs these of its surroundings. A browser, Node and personad-net each hand in their own. */

/** The part of the standard `fetch` that is used. `globalThis.fetch` fits. */
export type RelayFetch = (url: string, request: RelayRequest) => Promise<RelayResponse>

export interface RelayRequest {
  readonly method: 'GET' | 'POST' | 'PUT'
  /** `content-type`, `authorization` and `if-none-match` alone: personad-net sends no others. */
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
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
