/** Reads every record of a LevelDB table that can be read (doc/table_format.md of LevelDB). Damage costs the records that it touches. */
import { concatBytes } from '../../core/encoding/bytes.ts'
import { crc32c, maskCrc } from '../crc32c.ts'
import { LevelReader } from '../leveldb-bytes.ts'
import { blocksOf, TRAILER_BYTES, type Handle } from '../leveldb-table.ts'
import { verifies, type Versions } from './versions.ts'

const SEQUENCE_BYTES = 8 // the number of the write, and in the lowest byte whether it put or removed the record
const MAX_BLOCK_BYTES = 2 << 20 // sanity: a block ends after 4 KiB, but a record of 1 MiB is one block

/** Reads one table. */
export function salvageTable(bytes: Uint8Array, file: string, versions: Versions): void {
  for (const handle of dataBlocks(bytes, file, versions)) {
    const end = handle.offset + handle.length
    const block = bytes.subarray(handle.offset, Math.min(end, bytes.length))
    const isSure = hasChecksum(bytes, handle)
    readBlock(block, isSure, file, handle.offset, versions)
    if (!isSure) versions.noteUnsure(file, handle.offset)
  }
}

/** The data blocks by the index. Without an index, those that have a right checksum, one after the other. */
function dataBlocks(bytes: Uint8Array, file: string, versions: Versions): Handle[] {
  try {
    return blocksOf(bytes, file)
  } catch {
    const found: Handle[] = []
    let at = 0
    for (;;) {
      const length = blockLength(bytes, at)
      if (length === null) break
      found.push({ offset: at, length })
      at += length + TRAILER_BYTES
    }
    // The filter, the indexes and the footer are not records; only a reader who finds them all can tell them from records.
    versions.damage.push({ file, at, key: null })
    return found
  }
}

/** The length of the block that begins here, found by its checksum; null if there is none. */
function blockLength(bytes: Uint8Array, at: number): number | null {
  const last = Math.min(bytes.length - TRAILER_BYTES, at + MAX_BLOCK_BYTES)
  let crc = 0
  for (let end = at; end <= last; end++) {
    // Blocks are not compressed: the byte of the type, after the block, is 0.
    if (bytes[end] === 0 && maskCrc(crc32c(bytes, end, end + 1, crc)) === storedCrc(bytes, end)) return end - at
    crc = crc32c(bytes, end, end + 1, crc)
  }
  return null
}

function hasChecksum(bytes: Uint8Array, { offset, length }: Handle): boolean {
  const end = offset + length
  if (end + TRAILER_BYTES > bytes.length || bytes[end] !== 0) return false
  return maskCrc(crc32c(bytes, offset, end + 1)) === storedCrc(bytes, end)
}

function storedCrc(bytes: Uint8Array, blockEnd: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset + blockEnd + 1, 4).getUint32(0, true)
}

/** The entries of a block, in order. In a damaged one the reader goes on at the next restart, where a key is written in full. */
function readBlock(block: Uint8Array, isSure: boolean, file: string, offset: number, versions: Versions): void {
  const { starts, end } = restartsOf(block)
  const entries = block.subarray(0, end)
  let key: Uint8Array = new Uint8Array(0)
  for (let at = 0; at < end;) {
    const entry = readEntry(entries, at, key)
    const isWhole = entry !== null && versions.add(entry, isSure, file, offset + at)
    // The damage may be in a length, so that the next entry does not begin at the end of this one.
    if (entry !== null && (isWhole || readsOn(entries, entry))) {
      key = entry.internalKey
      at = entry.end
      continue
    }
    versions.damage.push({ file, at: offset + at, key: null })
    key = new Uint8Array(0)
    at = starts.find((start) => start > at) ?? end
  }
}

/** The places of whole keys, and the end of the entries. A damaged list of restarts is left out. */
function restartsOf(block: Uint8Array): { readonly starts: readonly number[]; readonly end: number } {
  const view = new DataView(block.buffer, block.byteOffset, block.length)
  const count = block.length < 4 ? 0 : view.getUint32(block.length - 4, true)
  const end = block.length - 4 - 4 * count
  if (count === 0 || end < 0) return { starts: [], end: block.length }
  const starts = Array.from({ length: count }, (_, i) => view.getUint32(end + 4 * i, true))
  return { starts: starts.filter((start) => start < end), end }
}

interface Entry {
  readonly key: Uint8Array
  readonly internalKey: Uint8Array
  readonly sequence: number
  readonly record: Uint8Array | null
  readonly end: number
}

/** Shared, own and value length, own bytes of the key, value. @returns null if there is no entry here */
function readEntry(block: Uint8Array, at: number, before: Uint8Array): Entry | null {
  try {
    const reader = new LevelReader(block.subarray(at))
    const [shared, own, valueBytes] = [reader.varint(), reader.varint(), reader.varint()]
    if (shared > before.length) return null
    const internalKey = concatBytes(before.subarray(0, shared), reader.bytes(own))
    const value = reader.bytes(valueBytes)
    const keyEnd = internalKey.length - SEQUENCE_BYTES
    if (keyEnd < 0) return null
    const tail = new DataView(internalKey.buffer, internalKey.byteOffset + keyEnd, SEQUENCE_BYTES)
    return {
      key: internalKey.slice(0, keyEnd),
      internalKey,
      sequence: Number(tail.getBigUint64(0, true) >> 8n),
      // A removal has no value. The byte that says so may be the damaged one.
      record: value.length === 0 && tail.getUint8(0) === 0 ? null : value,
      end: at + reader.at,
    }
  } catch {
    return null
  }
}

/** Whether the entry after this one is a record that verifies by itself, or there is none. */
function readsOn(block: Uint8Array, { end, internalKey }: Entry): boolean {
  if (end === block.length) return true
  const next = readEntry(block, end, internalKey)
  return next !== null && verifies(next)
}
