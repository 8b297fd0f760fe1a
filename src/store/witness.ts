/**
 * The witness: an empty file whose name, number and time of making stand in the store. It shows that the store was not put back.
 *
 * A copy that is written over the old files (`cp -a backup/. state/`) keeps the number and the times of every file that is there. So the
 * witness is made anew, under another name, at each start and after each change of the own table, and the one before it is removed. An
 * older store names a witness that is gone. Writing it back makes a file with another number, or with the same number and another time.
 * Crash after a new witness was made, before the store has it: the old one is still there, and is right. Crash after that, before the old
 * one was removed: the next start removes it. A removal is not synced, so a power cut may do the same.
 */
import { randomBytes } from 'node:crypto'
import { lstat, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { storeErrorOf } from './errors.ts'
import { isErrno, syncDirectory } from './state-dir.ts'

const NAME = /^[0-9a-f]{32}$/

/** @returns number of a file, and when it was made, in nanoseconds (0 where the file system does not say); null without a file */
export async function identityOf(path: string): Promise<string | null> {
  try {
    const { ino, birthtimeNs } = await lstat(path, { bigint: true })
    return `${ino} ${birthtimeNs}`
  } catch (cause) {
    if (isErrno(cause, 'ENOENT') || isErrno(cause, 'ENOTDIR')) return null
    throw storeErrorOf(cause, 'look at', path)
  }
}

/**
 * Makes a new witness beside the present one.
 * @returns its mark, for the store
 * @throws {StoreError} STORE_DISK_FULL | STORE_IO
 */
export async function makeWitness(directory: string): Promise<string> {
  const name = randomBytes(16).toString('hex')
  const path = join(directory, name)
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 })
    await writeFile(path, '', { flag: 'wx', mode: 0o600 })
    // It is empty, so its name and its number are all that must be on disk, and both go there with the directory.
    await syncDirectory(directory)
    return `${name} ${await identityOf(path)}`
  } catch (cause) {
    throw storeErrorOf(cause, 'write', path)
  }
}

/** Whether the witness with this mark is here, and is the file that was made then. */
export async function hasWitness(directory: string, mark: string): Promise<boolean> {
  const [name = '', ...identity] = mark.split(' ')
  return NAME.test(name) && (await identityOf(join(directory, name))) === identity.join(' ')
}

/** Removes all witnesses but the one with this mark. @throws {StoreError} STORE_IO */
export async function keepOnlyWitness(directory: string, mark: string): Promise<void> {
  const [current] = mark.split(' ')
  try {
    // Also what a killed writer left.
    for (const name of await readdir(directory)) if (name !== current) await rm(join(directory, name), { force: true })
  } catch (cause) {
    throw storeErrorOf(cause, 'remove an old file of', directory)
  }
}

/** How often the store with this random id got a new witness, told by a file outside of the state directory. */
export interface OutsideWitness {
  readonly store: string
  readonly times: number
}

export function outsidePath(runDir: string): string {
  return join(runDir, 'witness')
}

/** @returns null if there is none, or none that can be read: it only adds to the witness inside */
export async function readOutside(path: string): Promise<OutsideWitness | null> {
  const text = await readFile(path, 'latin1').catch(() => '')
  const [, store, times] = /^([0-9a-f]{32}) (\d{1,15})\n$/.exec(text) ?? []
  return store === undefined ? null : { store, times: Number(times) }
}

/** Without a sync: a power cut may leave an older one or none, and both say less, never anything wrong. @throws {StoreError} STORE_DISK_FULL | STORE_IO */
export async function writeOutside(path: string, { store, times }: OutsideWitness): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 })
    await writeFile(`${path}.new`, `${store} ${times}\n`, { mode: 0o600 })
    await rename(`${path}.new`, path)
  } catch (cause) {
    throw storeErrorOf(cause, 'write', path)
  }
}
