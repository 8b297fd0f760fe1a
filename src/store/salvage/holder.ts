/** Finds out whether a process uses a state directory, without touching it: taking the lock itself would write there. */
import { lstat, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { StoreError, storeErrorOf } from '../errors.ts'
import { isErrno, type StatePaths } from '../state-dir.ts'

/**
 * Refuses a state directory whose lock a process holds, by the kernel's list of locks (proc_locks(5)).
 * @throws {StoreError} STORE_LOCKED, also where there is no such list | STORE_IO
 */
export async function checkUnused(paths: StatePaths): Promise<void> {
  const file = join(paths.lock, 'LOCK')
  const inode = await inodeOf(file)
  if (inode === null) return
  const locks = await readFile('/proc/locks', 'latin1').catch((cause: unknown) => {
    const message = `nothing shows whether a daemon uses ${file}; stop the daemon, and copy the state directory to a machine with Linux`
    throw new StoreError('STORE_LOCKED', message, { cause })
  })
  for (const line of locks.split('\n')) {
    // "1: POSIX  ADVISORY  WRITE 4242 fd:00:1573 0 EOF"; the number of the file system may differ from that of lstat, so it is left out.
    const [, pid, held] = / (\d+) [0-9a-f]+:[0-9a-f]+:(\d+) /.exec(line) ?? []
    if (held === undefined || BigInt(held) !== inode) continue
    throw new StoreError('STORE_LOCKED', `process ${pid} uses ${file}; stop the daemon first`)
  }
}

async function inodeOf(file: string): Promise<bigint | null> {
  try {
    return (await lstat(file, { bigint: true })).ino
  } catch (cause) {
    if (isErrno(cause, 'ENOENT') || isErrno(cause, 'ENOTDIR')) return null
    throw storeErrorOf(cause, 'look at', file)
  }
}
