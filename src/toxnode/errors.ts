/** Why the Tox node does not run, or is no longer trusted (docs/tox.md, The companion). */
import { PersonadError } from '../errors/personad-error.ts'

export type LiveErrorCode =
  | 'LIVE_LIBRARY_MISSING' // koffi or libtoxcore does not load
  | 'LIVE_LIBRARY_VERSION' // a libtoxcore whose functions are not the ones known here
  | 'LIVE_LOOPBACK_UNSUPPORTED' // only one version of libtoxcore can be kept to loopback
  | 'LIVE_PORT_BUSY'
  | 'LIVE_PROXY_BAD'
  | 'LIVE_START_FAILED' // libtoxcore gives another reason, by its number
  | 'LIVE_NODE_FAILED' // it ended by itself, or libtoxcore failed in it
  | 'LIVE_FRAME_TOO_LARGE'
  | 'LIVE_FRAME_INVALID' // no message that is known

export class LiveError extends PersonadError<LiveErrorCode> {
  override readonly name = 'LiveError'
}
