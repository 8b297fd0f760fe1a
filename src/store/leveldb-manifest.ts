/** Reads LevelDB's MANIFEST, a log of edits that says which tables and logs are live (db/version_edit.cc of LevelDB). */
import { corruptFile } from './errors.ts'
import { LevelReader } from './leveldb-bytes.ts'
import { readLevelLog } from './leveldb-log.ts'

export interface LevelManifest {
  /** Logs of this number and above are live. */
  readonly logNumber: number
  /** Number of LevelDB's last write when the last edit was made. */
  readonly lastSequence: number
  /** Live tables by number. */
  readonly tables: ReadonlyMap<number, { readonly size: number }>
}

interface Edit {
  logNumber?: number
  lastSequence?: number
  readonly deleted: number[]
  readonly added: { readonly number: number; readonly size: number }[]
}

/**
 * Reads a MANIFEST and applies its edits.
 * @param bytes whole MANIFEST
 * @param file path of the file, for messages
 * @throws {StoreError} STORE_CORRUPT
 */
export function readManifest(bytes: Uint8Array, file: string): LevelManifest {
  const tables = new Map<number, { size: number }>()
  let logNumber: number | undefined
  let lastSequence: number | undefined
  for (const [i, record] of readLevelLog(bytes, file).entries()) {
    const edit = readEdit(record, file, i)
    logNumber = edit.logNumber ?? logNumber
    lastSequence = edit.lastSequence ?? lastSequence
    // One edit can delete and add the same table, to move it to another level. Deleting first keeps it.
    for (const number of edit.deleted) tables.delete(number)
    for (const { number, size } of edit.added) tables.set(number, { size })
  }
  if (logNumber === undefined || lastSequence === undefined)
    throw corruptFile(file, bytes.length, 'it ends before its first whole edit')
  return { logNumber, lastSequence, tables }
}

function readEdit(record: Uint8Array, file: string, index: number): Edit {
  try {
    const reader = new LevelReader(record)
    const edit: Edit = { deleted: [], added: [] }
    while (!reader.isAtEnd) readField(reader, edit)
    return edit
  } catch (cause) {
    throw corruptFile(file, 0, `edit ${index} cannot be read (${String(cause)})`)
  }
}

function readField(reader: LevelReader, edit: Edit): void {
  const tag = reader.varint()
  switch (tag) {
    case 1: // comparator
      reader.slice()
      return
    case 2:
      edit.logNumber = reader.varint()
      return
    case 3: // next file number
    case 9: // previous log number, unused since LevelDB 1.2
      reader.varint()
      return
    case 4:
      edit.lastSequence = reader.varint()
      return
    case 5: // compaction pointer: level, key
      reader.varint()
      reader.slice()
      return
    case 6: // level, number
      reader.varint()
      edit.deleted.push(reader.varint())
      return
    case 7: // level, number, size, smallest key, largest key
      reader.varint()
      edit.added.push({ number: reader.varint(), size: reader.varint() })
      reader.slice()
      reader.slice()
      return
    default:
      throw new RangeError(`unknown tag ${tag}`)
  }
}
