/** Notices a state directory that was removed or replaced under the running daemon, as a replaced socket is noticed. */
import { lstatSync } from 'node:fs'
import { watchSocket } from '../ipc/socket-file.ts'
import { StoreError, stateLost } from '../store/errors.ts'

/**
 * The store itself looks at each commit, before it acknowledges it (store/level-store.ts). This watch notices it while nothing is written.
 * @param lost gets the StoreError STORE_MISSING, once
 */
export function watchState(stateDir: string, lost: (error: unknown) => void): { readonly close: () => void } {
  const { dev, ino } = lstatSync(stateDir, { bigint: true })
  const watcher = watchSocket({ path: stateDir, dev, ino }, () => lost(stateLost(stateDir)))
  return { close: () => watcher.close() }
}

export function isStateLost(error: unknown): boolean {
  return error instanceof StoreError && error.code === 'STORE_MISSING'
}
