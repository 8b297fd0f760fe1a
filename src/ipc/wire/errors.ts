/** Errors of a socket, a frame or a connection, before any method runs (docs/ipc.md, sections 1 and 5). */
import { PersonadError } from '../../errors/personad-error.ts'

/** The stream is not made of frames. The daemon answers one last error and closes the connection. */
export type FrameErrorCode =
  | 'FRAME_TOO_LARGE' // more than MAX_FRAME_BYTES before a form feed
  | 'FRAME_NOT_UTF8'
  | 'FRAME_NOT_JSON'
  | 'FRAME_TOO_DEEP' // nested deeper than MAX_FRAME_DEPTH
  | 'FRAME_TOO_MANY_VALUES' // more members and elements than MAX_FRAME_VALUES
  | 'FRAME_NOT_ENVELOPE' // JSON, but not {"type": text, "data": ...}
  | 'FRAME_TYPE_UNKNOWN' // a type that this side does not accept
  | 'FRAME_TIMEOUT' // a frame that began and did not end in time

/** The place of the socket is unsafe or lost. The server does not start, or it stops. */
export type SocketErrorCode =
  | 'SOCKET_PATH_TOO_LONG'
  | 'SOCKET_DIR_INVALID' // not a directory, or a symbolic link to one
  | 'SOCKET_DIR_FOREIGN' // belongs to another user
  | 'SOCKET_DIR_OPEN' // others have a permission on it
  | 'SOCKET_PATH_TAKEN' // a file that is not a socket is there
  | 'SOCKET_IN_USE' // a live server answers there
  | 'SOCKET_LOST' // removed or replaced while we served on it
  | 'SOCKET_FAILED' // the system refused; see the cause

/** Errors on the side of a client. */
export type ClientErrorCode = 'DAEMON_UNREACHABLE' | 'TIMEOUT' | 'CONNECTION_CLOSED' | 'PROTOCOL' // the other side is not a personad, or a broken one

export type IpcErrorCode = FrameErrorCode | SocketErrorCode | ClientErrorCode

export class IpcError<Code extends IpcErrorCode = IpcErrorCode> extends PersonadError<Code> {
  override readonly name = 'IpcError'
}

/** The text of anything that was thrown, which need not be an Error. */
export function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
