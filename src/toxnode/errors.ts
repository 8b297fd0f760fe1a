/** Errors of the Tox node: why it does not run, or why we no longer trust it (docs/tox.md, The companion). */
import { PersonadError } from '../errors/personad-error.ts'
import type { FrameError } from '../process/frame.ts'

export type LiveErrorCode =
  | 'LIVE_LIBRARY_MISSING' // koffi or libtoxcore does not load
  | 'LIVE_LIBRARY_VERSION' // we do not know the functions of this version of libtoxcore
  | 'LIVE_LOOPBACK_UNSUPPORTED' // we can keep only one version of libtoxcore on loopback
  | 'LIVE_PORT_BUSY'
  | 'LIVE_PROXY_BAD'
  | 'LIVE_START_FAILED' // libtoxcore gives another reason, as a number
  | 'LIVE_NODE_FAILED' // the node ended by itself, or libtoxcore failed in it
  | 'LIVE_FRAME_TOO_LARGE'
  | 'LIVE_FRAME_INVALID' // not a message that we know

export class LiveError extends PersonadError<LiveErrorCode> {
  override readonly name = 'LiveError'
}

/** The same error in the words of the Tox node. */
export function liveFrameError({ code, message }: Pick<FrameError, 'code' | 'message'>): LiveError {
  return new LiveError(`LIVE_${code}`, message)
}
