/** One connection to the daemon for the length of one command, through the owner's socket. */
import { connect, type Client } from '../../ipc/client.ts'
import type { Context } from './context.ts'

/**
 * Connects, runs, and closes whatever happens.
 * @throws {IpcError} DAEMON_UNREACHABLE and what else connect and the calls throw
 * @throws {RpcError} what the daemon answered
 */
export async function withDaemon<T>(context: Context, run: (client: Client) => Promise<T>): Promise<T> {
  const client = await connect({ socketPath: context.paths.adminSocket })
  try {
    return await run(client)
  } finally {
    await client.close()
  }
}

/** Whether an error says that no daemon runs, for the commands that can do without. */
export function isUnreachable(error: unknown): boolean {
  return hasCode(error, 'DAEMON_UNREACHABLE')
}

export function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}
