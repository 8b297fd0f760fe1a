/** Turns our errors into answers to the caller (docs/ipc.md, section 5). */
import { RpcError } from '../../ipc/wire/rpc.ts'
import { isOwnError } from '../../process/describe-error.ts'

export const HINTS: ReadonlyMap<string, string> = new Map([
  ['TABLE_TOO_LARGE', 'remove a device, or shorten nicknames'],
  ['DEVICE_TOMBSTONED', 'confirm that you want it back'],
  ['DEVICE_COMPANION', 'choose a device that you chat on'],
  ['DEVICE_LISTED', 'choose another name or key'],
  ['NICKNAME_TWICE', 'choose another nickname'],
  ['LINK_UNKNOWN', 'ask the contact for a new one'],
  ['LINK_DAMAGED', 'copy the whole link again, or ask for it in another way'],
  ['LINK_UNKNOWN_VERSION', 'install a newer version'],
  ['SEAL_WRONG_PASSPHRASE', 'try again; each wrong passphrase makes the next one wait longer'],
  ['STORE_DISK_FULL', 'free some disk space; the daemon then writes again: everything that it acknowledged is saved'],
  ['STORE_IO', 'the daemon stops now; see its log, then start it again: everything that it acknowledged is saved'],
  ['STORE_STOPPED', 'the daemon stops now; start it again'],
])

/** Returns the answer for one of our errors; null for any other error, which must not reach the caller. */
export function toRpcError(error: unknown): RpcError | null {
  if (!isOwnError(error)) return null
  const hint = HINTS.get(error.code) ?? error.hint
  return new RpcError(error.code, error.message, {
    ...(hint === null ? {} : { hint }),
    details: error.details,
    cause: error,
  })
}
