/** Reads every write of a LevelDB log that can be read (doc/log_format.md of LevelDB). Damage costs the records that it touches. */
import { concatBytes, decodeUtf8 } from '../../core/encoding/bytes.ts'
import { decodeMark, MARK_BYTES, MARK_KEY } from '../commit-mark.ts'
import { LevelReader } from '../leveldb-bytes.ts'
import { readPieces, type Piece } from '../leveldb-log.ts'
import { decodeRecord } from '../record.ts'
import { verifies, type Found, type Versions } from './versions.ts'

const PUT = 1
const REMOVE = 0
const HEADER_BYTES = 12 // sequence u64, count u32

/** One write, which may be put together from pieces. */
interface Batch {
  readonly bytes: Uint8Array
  readonly isSure: boolean
  /** Offset of its first piece. */
  readonly at: number
}

/** Reads one log. @returns the numbers of the commits whose marks verify, in their order */
export function salvageLog(bytes: Uint8Array, file: string, versions: Versions): number[] {
  const commits: number[] = []
  const batches = batchesOf(bytes, file, versions).map((batch) => ({ ...batch, ...readBatch(batch, file, versions) }))
  const sequences = sequencesOf(batches)
  for (const [i, { writes, isSure, at }] of batches.entries()) {
    for (const [n, write] of writes.entries()) {
      const commit = commitOf(write)
      if (commit !== null) commits.push(commit)
      versions.add({ ...write, sequence: sequences[i]! + n }, isSure, file, at)
    }
    if (!isSure) versions.noteUnsure(file, at)
  }
  return commits
}

/** LevelDB numbers all writes in order. The number in a damaged batch may be wrong, so its neighbours count. */
function sequencesOf(batches: readonly ReadBatch[]): number[] {
  const sequences: number[] = []
  const firstSure = batches.findIndex(({ isSure }) => isSure)
  for (let i = firstSure, before = batches[firstSure]?.sequence ?? 0; i-- > 0;) {
    before = Math.max(0, before - batches[i]!.count)
    sequences[i] = before
  }
  for (let i = Math.max(0, firstSure); i < batches.length; i++) {
    const { isSure, sequence } = batches[i]!
    sequences[i] = isSure || i === 0 ? sequence : sequences[i - 1]! + batches[i - 1]!.count
  }
  return sequences
}

/** Puts pieces together. A piece whose beginning or end is missing is damage. */
function batchesOf(bytes: Uint8Array, file: string, versions: Versions): Batch[] {
  const batches: Batch[] = []
  let open: Piece[] = []
  const drop = (): void => {
    if (open.length > 0) versions.damage.push({ file, at: open[0]!.at, key: null })
    open = []
  }
  for (const piece of readPieces(bytes)) {
    if (piece.data === null) {
      // Nothing readable follows: the trace of a crash, or the damage of the last commit, which the numbers of the commits show.
      if (!piece.isTail) versions.damage.push({ file, at: piece.at, key: null })
      continue
    }
    if (piece.isFirst) drop()
    else if (open.length === 0) {
      versions.damage.push({ file, at: piece.at, key: null })
      continue
    }
    open.push(piece)
    if (!piece.isLast) continue
    const isSure = open.every((each) => each.isSure)
    batches.push({ bytes: concatBytes(...open.map(({ data }) => data!)), isSure, at: open[0]!.at })
    open = []
  }
  drop()
  return batches
}

interface ReadBatch {
  readonly isSure: boolean
  readonly sequence: number
  /** Number of its writes, of which some may be unreadable. */
  readonly count: number
  readonly writes: readonly Omit<Found, 'sequence'>[]
}

function readBatch({ bytes, isSure, at }: Batch, file: string, versions: Versions): Omit<ReadBatch, 'isSure'> {
  const writes: Omit<Found, 'sequence'>[] = []
  if (bytes.length < HEADER_BYTES) return { sequence: 0, count: 0, writes }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const [sequence, count] = [Number(view.getBigUint64(0, true)), view.getUint32(8, true)]
  const reader = new LevelReader(bytes.subarray(HEADER_BYTES))
  let isWhole = true
  try {
    while (!reader.isAtEnd) {
      const tag = reader.bytes(1)[0]
      if (tag !== PUT && tag !== REMOVE) throw new RangeError(`a write of the kind ${tag}`)
      const key = reader.slice()
      writes.push({ key, record: tag === PUT ? reader.slice() : null })
    }
  } catch {
    isWhole = false
    versions.damage.push({ file, at, key: null })
  }
  if (isSure || (isWhole && writes.length === count)) return { sequence, count: writes.length, writes }
  // A put whose tag is damaged looks like a removal, and what follows makes no sense. So only what verifies by itself counts.
  return { sequence, count: Math.max(writes.length, 1), writes: writes.filter(verifies) }
}

function commitOf(write: Omit<Found, 'sequence'>): number | null {
  if (write.record === null || decodeUtf8(write.key) !== MARK_KEY || !verifies(write)) return null
  const mark = decodeRecord(MARK_KEY, write.record)
  return mark.length === MARK_BYTES ? decodeMark(mark).number : null
}
