/** What goes wrong with a socket, a frame or a connection, before any method is reached (docs/ipc.md, sections 1 and 5). */
import { PersonadError } from '../../errors/personad-error.ts'

/** The stream is not frames: answered with one last error, then this connection is closed. */
export type FrameErrorCode =
  | 'FRAME_TOO_LARGE' // more than MAX_FRAME_BYTES before a form feed
  | 'FRAME_NOT_UTF8'
  | 'FRAME_NOT_JSON'
  | 'FRAME_TOO_DEEP' // nested deeper than MAX_FRAME_DEPTH
  | 'FRAME_NOT_ENVELOPE' // JSON, but not {"type": text, "data": ...}
  | 'FRAME_TYPE_UNKNOWN' // a type that this side does not take
  | 'FRAME_TIMEOUT' // begun, and not ended within the time for one frame

/** The place of the socket is not as it must be: the server does not start, or stops. */
export type SocketErrorCode =
  | 'SOCKET_PATH_TOO_LONG'
  | 'SOCKET_DIR_INVALID' // no directory, or a symbolic link to one
  | 'SOCKET_DIR_FOREIGN' // owned by another user
  | 'SOCKET_DIR_OPEN' // others have a permission on it
  | 'SOCKET_PATH_TAKEN' // something that is no socket lies there
  | 'SOCKET_IN_USE' // a live server answers there
  | 'SOCKET_LOST' // removed or replaced while we served it
  | 'SOCKET_FAILED' // the system refused; the cause tells

/** Seen by a client. */
export type ClientErrorCode = 'DAEMON_UNREACHABLE' | 'TIMEOUT' | 'CONNECTION_CLOSED' | 'PROTOCOL' // the other side is no personad, or a broken one

export type IpcErrorCode = FrameErrorCode | SocketErrorCode | ClientErrorCode

export class IpcError<Code extends IpcErrorCode = IpcErrorCode> extends PersonadError<Code> {
  override readonly name = 'IpcError'
}

/** An error made in words: what is thrown need not be an Error. */
export function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
