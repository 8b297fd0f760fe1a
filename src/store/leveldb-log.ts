/**
 * A strict reader of LevelDB's log format (doc/log_format.md of LevelDB): blocks of 32 KiB with records of a masked CRC-32C, a length, a
 * type and data. LevelDB skips unreadable data and opens with the rest. This reader forgives only the trace of a crash: a torn end.
 */
import { concatBytes } from '../core/encoding/bytes.ts'
import { crc32c, maskCrc } from './crc32c.ts'
import { corruptFile } from './errors.ts'

const BLOCK_BYTES = 32_768
const HEADER_BYTES = 7 // masked CRC-32C u32, length u16, type u8; little-endian
const FULL = 1
const FIRST = 2
const LAST = 4 // 3 is a middle piece

interface Fragment {
  readonly type: number
  readonly data: Uint8Array
  readonly end: number
  /** False if its checksum is wrong. */
  readonly isSure?: boolean
}

/**
 * Reads all records of a log or MANIFEST, one for each write, as views where a record lies in one piece. A write during a power cut leaves
 * an unreadable end, whatever it looks like (cut off, zeros, old sectors). This reader drops such an end if nothing readable follows. All
 * bytes before a readable record were synced before it, so damage there is never a crash.
 * @param bytes whole file; not changed
 * @param file path of the file, for messages
 * @throws {StoreError} STORE_CORRUPT
 */
export function readLevelLog(bytes: Uint8Array, file: string): Uint8Array[] {
  const records: Uint8Array[] = []
  let open: Uint8Array[] | null = null
  for (let at = 0; at < bytes.length;) {
    const fragment = readFragment(bytes, at)
    if (fragment === null) {
      const readableAt = findFragment(bytes, at + 1)
      if (readableAt === null) break
      throw corruptFile(file, at, `this record cannot be read, but a later one at byte ${readableAt} can`)
    }
    const begins = fragment.type === FULL || fragment.type === FIRST
    if (begins !== (open === null)) throw corruptFile(file, at, 'pieces of two records are mixed')
    open = [...(open ?? []), fragment.data]
    if (fragment.type === FULL || fragment.type === LAST) {
      records.push(open.length === 1 ? fragment.data : concatBytes(...open))
      open = null
    }
    at = skipTrailer(fragment.end)
  }
  return records
}

/** A piece of a record, for a reader that takes what is left of a damaged log. */
export interface Piece {
  readonly at: number
  /** Null for bytes that are no piece. */
  readonly data: Uint8Array | null
  /** Its checksum is right. */
  readonly isSure: boolean
  readonly isFirst: boolean
  readonly isLast: boolean
  /** Nothing readable follows. */
  readonly isTail: boolean
}

/**
 * Reads all pieces, also those with a wrong checksum if a readable piece follows where they end. Then their header is right, and only some of
 * their data is not.
 */
export function readPieces(bytes: Uint8Array): Piece[] {
  const pieces: Piece[] = []
  for (let at = 0; at < bytes.length;) {
    const fragment = readFragment(bytes, at) ?? readDamaged(bytes, at)
    if (fragment !== null) {
      const { type, data, end, isSure = true } = fragment
      const [isFirst, isLast] = [type === FULL || type === FIRST, type === FULL || type === LAST]
      pieces.push({ at, data, isSure, isFirst, isLast, isTail: false })
      at = skipTrailer(end)
      continue
    }
    const next = findFragment(bytes, at + 1)
    pieces.push({ at, data: null, isSure: false, isFirst: false, isLast: false, isTail: next === null })
    if (next === null) break
    at = next
  }
  return pieces
}

function readDamaged(bytes: Uint8Array, at: number): Fragment | null {
  const fragment = readFragment(bytes, at, false)
  if (fragment === null) return null
  const after = skipTrailer(fragment.end)
  const isLast = after >= bytes.length
  return isLast || readFragment(bytes, after) !== null ? { ...fragment, isSure: false } : null
}

/** Skips up to 6 bytes at the end of a block, too few for a header. LevelDB fills them with zeros and never reads them. */
function skipTrailer(at: number): number {
  const left = BLOCK_BYTES - (at % BLOCK_BYTES)
  return left < HEADER_BYTES ? at + left : at
}

function readFragment(bytes: Uint8Array, at: number, mustVerify = true): Fragment | null {
  const start = at + HEADER_BYTES
  const blockEnd = at - (at % BLOCK_BYTES) + BLOCK_BYTES
  if (start > Math.min(blockEnd, bytes.length)) return null
  const end = start + (bytes[at + 4]! | (bytes[at + 5]! << 8))
  const type = bytes[at + 6]!
  // LevelDB treats type 0 with length 0 as unwritten space and skips the block. Here it just counts as unreadable.
  if (type < FULL || type > LAST || end > blockEnd || end > bytes.length) return null
  const stored = new DataView(bytes.buffer, bytes.byteOffset + at, 4).getUint32(0, true)
  if (mustVerify && maskCrc(crc32c(bytes, at + 6, end)) !== stored) return null
  return { type, data: bytes.subarray(start, end), end }
}

// Tries every byte, not only where the next record should begin: the damage may be in the length of the damaged record.
function findFragment(bytes: Uint8Array, from: number): number | null {
  for (let at = from; at + HEADER_BYTES <= bytes.length; at++) {
    if (readFragment(bytes, at) !== null) return at
  }
  return null
}
