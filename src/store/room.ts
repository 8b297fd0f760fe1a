/** Room on the disk: whether a full disk has room again, and the room that is set aside for a start on a full disk. */
import { randomBytes } from 'node:crypto'
import { mkdir, rm, stat, statfs, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { writeFileDurably } from '../durable/file.ts'

const TRIAL_BYTES = 6 << 20 // sanity: LevelDB opens by writing its log of up to 4 MiB into a table, beside a new log and manifest
const FREE_BYTES = 8 << 20 // sanity: less is not worth the trial, which would wear a flash disk every few seconds

class Enough extends Error {}

/** Writes a file of some megabytes into the directory and removes it: free blocks alone say nothing of quotas and limits. */
export async function hasRoom(directory: string): Promise<boolean> {
  try {
    const { bavail, bsize } = await statfs(directory)
    if (bavail * bsize < FREE_BYTES) return false
    // Random, since a file system may compress zeros. A killed trial is removed with the other leftovers.
    await writeFileDurably(join(directory, 'room'), randomBytes(TRIAL_BYTES), {
      mode: 0o600,
      beforeRename: () => Promise.reject(new Enough()),
    })
    return false
  } catch (cause) {
    return cause instanceof Enough
  }
}

/*
 * Room for a start on a full disk. LevelDB writes files before it can be read, so such a start would fail. The daemon keeps some megabytes
 * and some entries of the file system aside while there is enough, frees them for that start, and takes them again afterwards.
 */

const FILES = 16 // sanity: a start makes some ten files, in the store, the lock, the witness and the sockets
const FILE_BYTES = 512 << 10 // sanity: 8 MiB in all; LevelDB writes its log of up to 4 MiB into a table, beside a new log and manifest

export const RESERVE_BYTES: number = FILES * FILE_BYTES

/**
 * Sets the room aside, as far as there is some. It never throws: without it only a start on a full disk has to wait.
 * @param directory of the reserve, which nothing else uses
 * @param leaveBytes stays free for others
 */
export async function keepReserve(directory: string, leaveBytes: number): Promise<void> {
  try {
    const missing = await missingFiles(directory)
    if (missing.length === 0) return
    await mkdir(directory, { recursive: true, mode: 0o700 })
    // Random, since a file system may compress zeros. No sync: after a power cut the next start looks at the sizes.
    const bytes = randomBytes(FILE_BYTES)
    for (const file of missing) {
      const { bavail, bsize } = await statfs(directory)
      if (bavail * bsize < FILE_BYTES + leaveBytes) return
      await writeFile(file, bytes, { mode: 0o600 })
    }
  } catch {
    // A full disk, a quota or a limit: what was written stays.
  }
}

/** Frees the room. @returns false if none was set aside */
export async function freeReserve(directory: string): Promise<boolean> {
  if ((await missingFiles(directory)).length === FILES) return false
  await rm(directory, { recursive: true, force: true })
  return true
}

/** The files that are not there, or not whole. */
async function missingFiles(directory: string): Promise<string[]> {
  const files = Array.from({ length: FILES }, (_, n) => join(directory, String(n).padStart(2, '0')))
  const sizes = await Promise.all(
    files.map((file) =>
      stat(file).then(
        ({ size }) => size,
        () => 0,
      ),
    ),
  )
  return files.filter((_, n) => sizes[n] !== FILE_BYTES)
}
