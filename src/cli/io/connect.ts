/** The connection of one command to the daemon, through the owner's socket. */
import { connect, type Client } from '../../ipc/client.ts'
import type { Context } from './context.ts'

/**
 * Connects, runs, and always closes the connection.
 * @throws {IpcError} DAEMON_UNREACHABLE, or any code that connect and the calls throw
 * @throws {RpcError} the error that the daemon answered
 */
export async function withDaemon<T>(context: Context, run: (client: Client) => Promise<T>): Promise<T> {
  const client = await connect({ socketPath: context.paths.adminSocket })
  try {
    return await run(client)
  } finally {
    await client.close()
  }
}

/** Whether the daemon does not run. For commands that also work without it. */
export function isUnreachable(error: unknown): boolean {
  return hasCode(error, 'DAEMON_UNREACHABLE')
}

export function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}
