/** Ways to a child program: the pipes of a process that we started, or the socket of one that the service manager starts. */
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import type { Writable } from 'node:stream'

/** A running child, as its parent sees it. */
export interface Link {
  readonly input: Writable
  /** Ends without an error when the child is gone. */
  readonly output: AsyncIterable<Buffer>
  /** Resolves when the child is gone. Rejects if it could not be started. */
  readonly ended: Promise<unknown>
  /** Cuts the child off at once, whatever it does. */
  kill(): void
}

/** @param child a process with pipes for its standard input and output */
export function processLink(child: ChildProcess): Link {
  const ended = once(child, 'exit')
  return {
    input: child.stdin!,
    output: child.stdout as AsyncIterable<Buffer>,
    ended,
    kill: () => void child.kill('SIGKILL'),
  }
}

/**
 * Connects to the socket of a unit. The service manager starts the program at the first connection.
 * @throws the error of the system, such as ENOENT where no unit is installed
 */
export async function socketLink(path: string): Promise<Link> {
  const socket = connect({ path })
  await once(socket, 'connect')
  socket.on('error', () => {})
  const ended = new Promise((done) => socket.once('close', done))
  return { input: socket, output: piecesOf(socket), ended, kill: () => socket.destroy() }
}

/** A broken connection is an end, as it is with the pipes of a process that crashes. */
async function* piecesOf(socket: Socket): AsyncGenerator<Buffer> {
  try {
    yield* socket as AsyncIterable<Buffer>
  } catch {
    // The socket is closed by then.
  }
}
