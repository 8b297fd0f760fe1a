/** One process a state directory: the lock that is taken before anything in it is read or changed. */
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { Level } from 'level'
import { StoreError, storeErrorOf } from './errors.ts'
import { statePaths } from './state-dir.ts'
import type { StatePaths } from './state-dir.ts'

/**
 * Proof that this process holds the state directory.
 *
 * Node has no file locks. A file with a process number in it outlives a crash, and two that find it stale can both take it; a listening
 * socket can be unlinked. LevelDB takes a lock of the kernel (fcntl) on its directory, which ends with the process however
 * that ends. The store's own LevelDB cannot be it: its files are verified before it is opened, and no other process may write meanwhile; and
 * `persona doctor` needs the lock while that one does not open at all. So an empty LevelDB beside it is opened for its lock alone.
 *
 * Mind that such a lock ends as soon as this process closes any descriptor of `lock/LOCK`: never read it, nor copy the directory.
 */
export class StateLock {
  readonly paths: StatePaths
  readonly #level: Level

  constructor(paths: StatePaths, level: Level) {
    this.paths = paths
    this.#level = level
  }

  /** Gives the state directory free. Everything opened under the lock is closed before. */
  async release(): Promise<void> {
    await rm(this.paths.pid, { force: true })
    await this.#level.close()
  }

  /** {@link release}, with nothing left of the lock: for a state directory that was erased. */
  async remove(): Promise<void> {
    await rm(this.paths.pid, { force: true })
    // While it is held: who comes next makes a lock of his own, and nothing here is touched by this process any more.
    await rm(this.paths.lock, { recursive: true, force: true })
    await this.#level.close()
  }
}

/**
 * Takes the lock of a state directory, which was checked by checkStateDir.
 * @throws {StoreError} STORE_LOCKED | STORE_CORRUPT | STORE_DISK_FULL | STORE_IO
 */
export async function lockStateDir(stateDir: string): Promise<StateLock> {
  const paths = statePaths(stateDir)
  let level: Level
  try {
    await mkdir(paths.lock, { mode: 0o700, recursive: true })
    level = new Level(paths.lock)
    await level.open()
  } catch (cause) {
    throw await lockError(cause, stateDir, paths)
  }
  const lock = new StateLock(paths, level)
  try {
    // For people and messages only: nothing is decided by it.
    await writeFile(paths.pid, `${process.pid}\n`, { mode: 0o600 })
  } catch (cause) {
    await lock.release()
    throw storeErrorOf(cause, 'write', paths.pid)
  }
  return lock
}

async function lockError(cause: unknown, stateDir: string, paths: StatePaths): Promise<StoreError> {
  if (levelCodeOf(cause) === 'LEVEL_LOCKED') {
    const pid = await readPid(paths.pid)
    const who = pid === null ? 'another process' : `process ${pid}`
    return new StoreError('STORE_LOCKED', `${who} already uses ${stateDir}; stop it, or use it`, { cause })
  }
  const error = storeErrorOf(cause, 'lock', paths.lock)
  if (error.code !== 'STORE_CORRUPT') return error
  const message = `the lock ${paths.lock} is damaged; it holds no data: see that no daemon runs, remove that directory, and start again`
  return new StoreError('STORE_CORRUPT', message, { cause })
}

async function readPid(path: string): Promise<number | null> {
  const text = await readFile(path, 'latin1').catch(() => '')
  const pid = /^[1-9][0-9]{0,9}\n$/.test(text) ? Number(text) : null
  return pid !== null && isRunning(pid) ? pid : null
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

function levelCodeOf(cause: unknown): unknown {
  const inner = cause instanceof Error ? cause.cause : undefined
  return inner instanceof Error && 'code' in inner ? inner.code : undefined
}
