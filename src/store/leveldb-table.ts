/**
 * Verifies a sorted table of LevelDB (doc/table_format.md of LevelDB). LevelDB checks no CRC when it reads a block, and a damaged index or
 * filter hides keys. classic-level has no option to turn the checks on, so we verify all blocks before opening.
 */
import { crc32c, maskCrc } from './crc32c.ts'
import { corruptFile } from './errors.ts'
import { LevelReader } from './leveldb-bytes.ts'

export const TRAILER_BYTES = 5 // type u8 || masked CRC-32C u32 little-endian
const FOOTER_BYTES = 48 // handles of metaindex and index, zeros up to 40 bytes, magic
const MAGIC = [0x57, 0xfb, 0x80, 0x8b, 0x24, 0x75, 0x47, 0xdb]

export interface Handle {
  readonly offset: number
  readonly length: number
}

/**
 * Checks that every byte of the table is covered by a block whose CRC is right.
 * @param bytes whole file; a compressed block counts as damage, since the store is opened without compression
 * @param file path of the file, for messages
 * @throws {StoreError} STORE_CORRUPT
 */
export function checkLevelTable(bytes: Uint8Array, file: string): void {
  const footerAt = bytes.length - FOOTER_BYTES
  const { metaindex, index } = readFooter(bytes, footerAt, file)
  const data = readHandles(checkBlock(bytes, index, file), index, file)
  const filters = readHandles(checkBlock(bytes, metaindex, file), metaindex, file)
  let at = 0
  // The blocks must also fill the file from the first byte to the footer without gaps, so that a changed handle is noticed.
  for (const handle of [...data, ...filters, metaindex, index]) {
    if (handle.offset !== at) throw corruptFile(file, at, 'no block begins here')
    checkBlock(bytes, handle, file)
    at = handle.offset + handle.length + TRAILER_BYTES
  }
  if (at !== footerAt) throw corruptFile(file, at, 'the blocks do not reach the footer')
}

/**
 * The data blocks by the index of a table. The blocks themselves are not checked.
 * @throws {StoreError} STORE_CORRUPT: the footer or the index is damaged
 */
export function blocksOf(bytes: Uint8Array, file: string): Handle[] {
  const { index } = readFooter(bytes, bytes.length - FOOTER_BYTES, file)
  return readHandles(checkBlock(bytes, index, file), index, file)
}

function readFooter(bytes: Uint8Array, at: number, file: string): { metaindex: Handle; index: Handle } {
  if (at < 0) throw corruptFile(file, 0, 'it is shorter than a footer')
  if (MAGIC.some((byte, i) => bytes[at + 40 + i] !== byte))
    throw corruptFile(file, at + 40, 'it does not end like a table')
  try {
    const reader = new LevelReader(bytes.subarray(at, at + 40))
    return { metaindex: readHandle(reader), index: readHandle(reader) }
  } catch (cause) {
    throw corruptFile(file, at, `the footer cannot be read (${String(cause)})`)
  }
}

function readHandle(reader: LevelReader): Handle {
  return { offset: reader.varint(), length: reader.varint() }
}

function checkBlock(bytes: Uint8Array, { offset, length }: Handle, file: string): Uint8Array {
  const end = offset + length
  if (end + TRAILER_BYTES > bytes.length) throw corruptFile(file, offset, 'a block reaches past the end')
  const stored = new LevelReader(bytes.subarray(end + 1, end + TRAILER_BYTES)).u32()
  if (maskCrc(crc32c(bytes, offset, end + 1)) !== stored)
    throw corruptFile(file, offset, 'a block has a wrong checksum')
  if (bytes[end] !== 0) throw corruptFile(file, end, 'a block is compressed, but personad never compresses')
  return bytes.subarray(offset, end)
}

/** Reads the handles of an index or metaindex block. An entry has the shared, own and value length, own key bytes, value; the restarts come last. */
function readHandles(block: Uint8Array, { offset }: Handle, file: string): Handle[] {
  try {
    const restarts = new LevelReader(block.subarray(block.length - 4)).u32()
    const reader = new LevelReader(block.subarray(0, block.length - 4 - 4 * restarts))
    const handles: Handle[] = []
    while (!reader.isAtEnd) {
      reader.varint()
      const keyLength = reader.varint()
      const valueLength = reader.varint()
      reader.bytes(keyLength)
      handles.push(readHandle(new LevelReader(reader.bytes(valueLength))))
    }
    return handles
  } catch (cause) {
    throw corruptFile(file, offset, `an index cannot be read (${String(cause)})`)
  }
}
