/** The limits of the server and of each connection, so that no client can use up the daemon (docs/ipc.md, section 1). */
import { MAX_FRAME_BYTES } from '../wire/frame.ts'

export interface Limits {
  /** Connections of one socket at a time; one more gets TOO_MANY_CONNECTIONS and is closed. */
  readonly maxConnections: number
  /** Bytes of one frame from a client. */
  readonly maxFrameBytes: number
  /** Calls of one connection that run at a time; at this many the daemon stops reading the socket. */
  readonly maxInFlight: number
  /** UTF-16 units that were written and not read by the client. Above it the daemon stops reading its calls and drops its events. */
  readonly maxPending: number
  /** Time for one frame from its first byte to its form feed. */
  readonly frameTimeoutMs: number
  /** After this time without a call, an answer or a frame, a connection may have to give up its place for a new one. */
  readonly idleMs: number
  /** Time for running calls to end when the server closes. */
  readonly drainMs: number
  /** Time for a client to read the last bytes before its connection is cut. */
  readonly lingerMs: number
}

export const DEFAULT_LIMITS: Limits = {
  maxConnections: 100, // sanity: a person's apps are a dozen
  maxFrameBytes: MAX_FRAME_BYTES,
  maxInFlight: 32, // sanity: the keeper is one writer; waiting calls cost nothing while they are in the kernel's buffer
  maxPending: 1_048_576, // sanity: 1000 events of 1 kB; a reader that is further behind has to read the state again anyway
  frameTimeoutMs: 300_000, // sanity: a whole frame takes milliseconds, but a stopped client may be continued; Room bounds what it holds
  idleMs: 1_000, // sanity: a client that makes several calls pauses for less
  drainMs: 5_000, // sanity: below the 90 s after which systemd kills, above any single call
  lingerMs: 1_000, // sanity: a client that has not read by then is not going to
}
