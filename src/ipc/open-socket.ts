/** Connects to the daemon's socket, but only in a directory that no other user controls (docs/ipc.md, section 1). */
import { connect, type Socket } from 'node:net'
import { dirname } from 'node:path'
import { errorText, IpcError } from './wire/errors.ts'
import { checkSocketDirectory, checkSocketPath, codeOf } from './socket-file.ts'

/** @throws {IpcError} DAEMON_UNREACHABLE | TIMEOUT | SOCKET_PATH_TOO_LONG | SOCKET_DIR_INVALID | SOCKET_DIR_FOREIGN | SOCKET_DIR_OPEN */
export function openSocket(path: string, timeoutMs: number): Promise<Socket> {
  checkSocketPath(path)
  try {
    // A call may carry a passphrase, so refuse a directory where another user could have put a socket.
    checkSocketDirectory(dirname(path))
  } catch (cause) {
    throw cause instanceof IpcError ? cause : unreachable(path, cause)
  }
  return new Promise((resolve, reject) => {
    const socket = connect(path)
    const timer = setTimeout(() => {
      socket.destroy()
      reject(new IpcError('TIMEOUT', `no connection to ${path} within ${timeoutMs} ms`))
    }, timeoutMs)
    function refuse(cause: Error): void {
      clearTimeout(timer)
      reject(unreachable(path, cause))
    }
    socket.once('error', refuse)
    socket.once('connect', () => {
      clearTimeout(timer)
      socket.off('error', refuse)
      resolve(socket)
    })
  })
}

function unreachable(path: string, cause: unknown): IpcError {
  const isAbsent = codeOf(cause) === 'ENOENT' || codeOf(cause) === 'ECONNREFUSED'
  const message = isAbsent ? `no daemon answers at ${path}` : `cannot reach the daemon at ${path}: ${errorText(cause)}`
  return new IpcError('DAEMON_UNREACHABLE', message, { cause, hint: 'start it with "personad"' })
}
