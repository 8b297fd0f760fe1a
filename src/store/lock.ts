/** The lock of a state directory. Only one process holds it, and takes it before reading or changing anything there. */
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Level } from 'level'
import { StoreError, storeErrorOf } from './errors.ts'
import { statePaths } from './state-dir.ts'
import type { StatePaths } from './state-dir.ts'

/**
 * Proof that this process holds the state directory.
 *
 * Node has no file locks. A file with a process number outlives a crash, and two processes that find it stale can both take it. A listening
 * socket can be unlinked. LevelDB takes a kernel lock (fcntl) on its directory, which ends with the process in any case. The store's own
 * LevelDB cannot serve as the lock: we verify its files before opening it, and no other process may write meanwhile. Also, `persona doctor`
 * needs the lock when that LevelDB does not open. So we open a second, empty LevelDB only for its lock.
 *
 * Such a lock ends as soon as this process closes any descriptor of `lock/LOCK`. So never read that file and never copy the directory.
 */
export class StateLock {
  readonly paths: StatePaths
  readonly #level: Level

  constructor(paths: StatePaths, level: Level) {
    this.paths = paths
    this.#level = level
  }

  /** Releases the lock. The caller has closed everything that it opened under the lock. */
  async release(): Promise<void> {
    await rm(this.paths.pid, { force: true })
    await this.#level.close()
  }

  /** Releases the lock and removes its files, for an erased state directory. */
  async remove(): Promise<void> {
    await rm(this.paths.pid, { force: true })
    // Removed while the lock is held. The next process makes its own lock, and this process touches nothing there any more.
    await rm(this.paths.lock, { recursive: true, force: true })
    await this.#level.close()
  }
}

/**
 * Takes the lock of a state directory. The caller has called checkStateDir.
 * @throws {StoreError} STORE_LOCKED | STORE_CORRUPT | STORE_DISK_FULL | STORE_IO
 */
export async function lockStateDir(stateDir: string): Promise<StateLock> {
  const paths = statePaths(stateDir)
  let level: Level
  try {
    level = await openLock(paths.lock)
  } catch (cause) {
    throw await lockError(cause, stateDir, paths)
  }
  const lock = new StateLock(paths, level)
  try {
    // Only for people and messages; no decision depends on it.
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
    return new StoreError('STORE_LOCKED', `${who} already uses ${stateDir}; use that one, or stop it first`, { cause })
  }
  return storeErrorOf(cause, 'lock', paths.lock)
}

/** Opens the LevelDB of the lock. If it is damaged, makes it anew: it holds no data. */
async function openLock(directory: string): Promise<Level> {
  try {
    return await openLevel(directory)
  } catch (cause) {
    if (levelCodeOf(cause) === 'LEVEL_LOCKED') throw cause
    // LOCK stays. If another process has taken the lock since, the second try finds it held, and nothing that it needs is gone.
    for (const name of await readdir(directory))
      if (name !== 'LOCK') await rm(join(directory, name), { recursive: true, force: true })
    return await openLevel(directory)
  }
}

async function openLevel(directory: string): Promise<Level> {
  await mkdir(directory, { mode: 0o700, recursive: true })
  const level = new Level(directory)
  await level.open()
  return level
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
