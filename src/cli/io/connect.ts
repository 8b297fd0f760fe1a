/** The connection of one command to the daemon, through the owner's socket. */
import { connect, RpcError, type Client } from '../../ipc/client.ts'
import type { Context } from './context.ts'
import { CliError, hasCode } from './errors.ts'
import { takingEnds } from './key-ends.ts'
import { tryPassphrase } from './passphrase.ts'
import { isInteractive } from './prompt.ts'

export { hasCode }

/**
 * Connects, runs, and always closes the connection. At a terminal, a call that the locked signing key refuses asks for the passphrase and
 * goes on. Wherever a call takes a name, it also takes the end of a key.
 * @throws {IpcError} DAEMON_UNREACHABLE, or any code that connect and the calls throw
 * @throws {RpcError} the error that the daemon answered
 */
export async function withDaemon<T>(context: Context, run: (client: Client) => Promise<T>): Promise<T> {
  const client = await connect({ socketPath: context.paths.adminSocket })
  try {
    return await run(takingEnds(isInteractive() ? unlocking(client) : client))
  } finally {
    await client.close()
  }
}

const LOCKED = 'The signing key is locked.\n'

/** The daemon refuses a call with LOCKED or APPS_LOCKED before it changes anything, so the call can be repeated. */
function unlocking(client: Client): Client {
  const call = async (...args: Parameters<Client['call']>): Promise<unknown> => {
    try {
      return await client.call(...args)
    } catch (error) {
      if (!asksForUnlock(error)) throw error
      process.stderr.write(LOCKED)
      await unlockWith(client, null)
      return await client.call(...args)
    }
  }
  return { ...client, call: call as Client['call'] }
}

function asksForUnlock(error: unknown): boolean {
  if (hasCode(error, 'LOCKED')) return true
  return error instanceof RpcError && error.code === 'APPS_LOCKED' && error.details['needsUnlock'] === true
}

/**
 * Makes sure that the signing key is open, before a command writes a file: at a terminal it asks for the passphrase.
 * @throws {CliError} LOCKED
 */
export async function checkUnlocked(client: Client): Promise<void> {
  if (!(await client.call('status')).locked) return
  if (!isInteractive()) throw new CliError('LOCKED', 'the signing key is locked; nothing was written')
  process.stderr.write(LOCKED)
  await unlockWith(client, null)
}

/** Unlocks the signing key with the passphrase in a file, or as typed. */
export async function unlockWith(client: Client, file: string | null): Promise<{ locked: boolean }> {
  const source = { file: file ?? undefined, option: '--passphrase-file' }
  return await tryPassphrase(source, 'Passphrase of the persona: ', 'SEAL_WRONG_PASSPHRASE', (passphrase) =>
    client.call('persona.unlock', { passphrase }),
  )
}

/** Whether the daemon does not run. For commands that also work without it. */
export function isUnreachable(error: unknown): boolean {
  return hasCode(error, 'DAEMON_UNREACHABLE')
}
