/** The surroundings that sending and reading need: the daemon and a web page each hand in their own. */
import type { Carrier } from './carrier.ts'

export interface CarryMeans {
  readonly ways: {
    /** The carrier of an intake; null for one of a later version. */
    of(url: string): Carrier | null
  }
  readonly clock: {
    /** @returns a function that cancels it */
    after(ms: number, run: () => void): () => void
  }
  /** A try has failed, and is made again later. @param what a name such as `channel.send` */
  noteFailure(what: string, error: unknown): void
}
