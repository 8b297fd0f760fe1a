/** Whether a full disk has room again. */
import { randomBytes } from 'node:crypto'
import { statfs } from 'node:fs/promises'
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
