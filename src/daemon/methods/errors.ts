/** How every error of ours reaches the caller (docs/ipc.md, section 5). */
import { RpcError } from '../../ipc/wire/rpc.ts'
import { isOwnError } from '../../process/describe-error.ts'

export const HINTS: ReadonlyMap<string, string> = new Map([
  ['TABLE_TOO_LARGE', 'remove a device, or shorten nicknames'],
  ['DEVICE_TOMBSTONED', 'confirm that you want it back'],
  ['DEVICE_COMPANION', 'choose a device that you chat on'],
  ['DEVICE_LISTED', 'choose another name or key'],
  ['NICKNAME_TWICE', 'choose another nickname'],
  ['LINK_UNKNOWN', 'ask the contact for a new one'],
  ['LINK_DAMAGED', 'copy the link once more, whole; or have it sent another way'],
  ['LINK_UNKNOWN_VERSION', 'install a newer version'],
  ['SEAL_WRONG_PASSPHRASE', 'try again; each wrong passphrase makes the next one wait longer'],
  [
    'STORE_DISK_FULL',
    'make room on the disk; the daemon stops, and what it acknowledged is there when it starts again',
  ],
  ['STORE_IO', 'the daemon stops; its log says why, and what it acknowledged is there when it starts again'],
  ['STORE_STOPPED', 'the daemon stops; start it again'],
])

/** Turns an error of ours into the answer to the caller; null for any other error, which is not the caller's business. */
export function toRpcError(error: unknown): RpcError | null {
  if (!isOwnError(error)) return null
  const hint = HINTS.get(error.code) ?? error.hint
  return new RpcError(error.code, error.message, {
    ...(hint === null ? {} : { hint }),
    details: error.details,
    cause: error,
  })
}
