/**
 * Overwrites a part of a file in its place. A file that is written anew leaves its old bytes on the disk; this does not, as far as the file
 * system and the medium allow. A crash in the middle leaves that part old, new or mixed, and the rest of the file as it was.
 */
import { constants, promises } from 'node:fs'

/** The part of an open file that we use; a FileHandle of node:fs fits. */
export interface OverwriteHandle {
  write(bytes: Uint8Array, offset: number, length: number, position: number): Promise<{ bytesWritten: number }>
  sync(): Promise<void>
  close(): Promise<void>
}

/** The system call that we use, so that a test can make it fail; the promises of node:fs fit. */
export interface OverwriteFs {
  open(path: string, flags: number): Promise<OverwriteHandle>
}

const OPEN_IN_PLACE = constants.O_WRONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK

/**
 * Overwrites bytes of an existing file. When it returns, they survive a power cut.
 * @param position of the first byte, in bytes from the begin of the file
 * @throws the error of the system: the part may be old, new or mixed
 */
export async function overwriteDurably(
  path: string,
  position: number,
  bytes: Uint8Array,
  fs: OverwriteFs = promises,
): Promise<void> {
  const handle = await fs.open(path, OPEN_IN_PLACE)
  try {
    for (let at = 0; at < bytes.length;) {
      const { bytesWritten } = await handle.write(bytes, at, bytes.length - at, position + at)
      if (bytesWritten === 0) throw new Error('the file system wrote no more bytes and gave no reason')
      at += bytesWritten
    }
    await handle.sync()
  } finally {
    await handle.close()
  }
}
