/** Reads a file of a damaged store as far as the disk gives it. */
import { constants } from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'
import type { Damage } from './versions.ts'

const PIECE_BYTES = 4096 // sanity: a sector of most disks, and all that an unreadable one costs
const MAX_FILE_BYTES = 256 << 20 // sanity: LevelDB begins a new file after 4 MiB; one commit has at most 8 MiB

/** Opens a file to read. Tests pass one of a failing disk. */
export type OpenToRead = (path: string, flags: number) => Promise<Pick<FileHandle, 'stat' | 'read' | 'close'>>

/**
 * Bytes that the disk does not give are zeros, and noted as damage. So is a whole file that cannot be opened, or is none: a pipe would keep the reader
 * waiting for ever.
 * @returns no bytes for such a file
 */
export async function readDamaged(file: string, damage: Damage[], openFile: OpenToRead = open): Promise<Uint8Array> {
  const none = (): Uint8Array => {
    damage.push({ file, at: 0, key: null })
    return new Uint8Array(0)
  }
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK
  const handle = await openFile(file, flags).catch(() => null)
  if (handle === null) return none()
  try {
    const found = await handle.stat()
    if (!found.isFile() || found.size > MAX_FILE_BYTES) return none()
    const bytes = new Uint8Array(found.size)
    for (const at of await readPart(handle, bytes, 0, bytes.length)) damage.push({ file, at, key: null })
    return bytes
  } catch {
    return none()
  } finally {
    await handle.close()
  }
}

/** Reads a part whole, or else its halves. @returns where pieces begin that cannot be read */
async function readPart(
  handle: Pick<FileHandle, 'read'>,
  bytes: Uint8Array,
  start: number,
  end: number,
): Promise<number[]> {
  try {
    for (let at = start; at < end;) {
      const { bytesRead } = await handle.read(bytes, at, end - at, at)
      if (bytesRead === 0) throw new Error('the file became shorter')
      at += bytesRead
    }
    return []
  } catch {
    bytes.fill(0, start, end)
    const pieces = Math.ceil((end - start) / PIECE_BYTES)
    if (pieces <= 1) return [start]
    const middle = start + Math.ceil(pieces / 2) * PIECE_BYTES
    const first = await readPart(handle, bytes, start, middle)
    return [...first, ...(await readPart(handle, bytes, middle, end))]
  }
}
