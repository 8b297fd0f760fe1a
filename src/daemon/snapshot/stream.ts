/**
 * A snapshot: the public state as lines of JSON (docs/backup.md). It is made in bounded memory and read strictly, with a count and a hash at
 * the end. It is a stream of bytes: the sizes of its chunks do not matter.
 */
import { SnapshotError } from './errors.ts'
import { createHash, type Hash } from 'node:crypto'
import type * as z from '../../schema/zod.ts'
import { concatBytes, decodeUtf8, encodeUtf8 } from '../../core/encoding/bytes.ts'
import type { Entry, Store } from '../../store/store.ts'
import type { Kind, Purpose } from '../state/kind.ts'
import { withoutElsewhere } from '../state/elsewhere.ts'
import { OWN } from '../state/own-record.ts'
import type { PersonaRecord } from '../state/persona-record.ts'
import type { Records, SnapshotItem, WingItem } from '../state/records.ts'
import { SNAPSHOT_VERSION, snapshotHeader, snapshotItem, type SnapshotEnd, type SnapshotHeader } from './shape.ts'

export const SNAPSHOT_CHUNK_BYTES: number = 48 << 10 // sanity: one chunk in base64 is one Noise message, and far below a frame of the socket
const MAX_LINE_BYTES: number = 256 << 10 // sanity: the largest record is the owner's; with 1024 tombstones it has 90 kB
const HASH_DIGITS = 64 // format: H, the first 32 bytes of SHA-512
const LINE_END = 0x0a

/**
 * Exports the state as it was at the first step, in chunks of SNAPSHOT_CHUNK_BYTES, the last one shorter.
 * One iteration over the store sees one state, even if others write meanwhile.
 * @throws {StoreError}
 */
export async function* exportSnapshot(
  { store, onDisk, nowSec }: { readonly store: Store; readonly onDisk: Records; readonly nowSec: number },
  purpose: Purpose,
): AsyncGenerator<Uint8Array, void, undefined> {
  const itemOf = travelling(onDisk, purpose)
  const cutter = new Cutter()
  const hash = createHash('sha512')
  let items = 0
  const line = (value: SnapshotHeader | SnapshotItem | SnapshotEnd): Uint8Array => {
    const bytes = encodeUtf8(`${JSON.stringify(value)}\n`)
    hash.update(bytes)
    return bytes
  }
  const personaId = onDisk.own.get(OWN)?.personaId ?? null
  cutter.add(line({ kind: 'snapshot', version: SNAPSHOT_VERSION, purpose, personaId, madeAtSec: nowSec }))
  for await (const entry of store.iterate({ prefix: '' })) {
    const item = itemOf(entry)
    if (item === null) continue
    items++
    cutter.add(line(item))
    yield* cutter.full()
  }
  cutter.add(encodeUtf8(`${JSON.stringify({ kind: 'end', items, hash: digest(hash) } satisfies SnapshotEnd)}\n`))
  yield* cutter.full()
  yield* cutter.rest()
}

/** Returns the item for a record of the store; null if the record does not travel. */
function travelling(records: Records, purpose: Purpose): (entry: Entry) => SnapshotItem | null {
  const kinds = records.kinds.filter(({ travels }) => travels === 'always' || travels === purpose)
  const byName = new Map(kinds.map((kind) => [kind.name, kind]))
  return (entry) => {
    const kind = byName.get(entry.key.slice(0, entry.key.indexOf('/')))
    if (kind === undefined) return null
    const [id, value] = records.of(kind).read(entry)
    // A report of another device is a question to the owner here, and does not travel on.
    if (purpose === 'sibling' && kind.name === 'persona')
      return { kind: 'persona', id, value: withoutElsewhere(value as PersonaRecord) }
    if (kind.arrival !== null) return { kind: 'wing', of: kind.name, id, value }
    return { kind: kind.name, id, value } as SnapshotItem
  }
}

/** Cuts bytes into chunks of one size. */
class Cutter {
  #parts: Uint8Array[] = []
  #length = 0

  add(bytes: Uint8Array): void {
    this.#parts.push(bytes)
    this.#length += bytes.length
  }

  *full(): Generator<Uint8Array> {
    if (this.#length < SNAPSHOT_CHUNK_BYTES) return
    const whole = concatBytes(...this.#parts)
    let at = 0
    for (; whole.length - at >= SNAPSHOT_CHUNK_BYTES; at += SNAPSHOT_CHUNK_BYTES) {
      yield whole.slice(at, at + SNAPSHOT_CHUNK_BYTES)
    }
    this.#parts = [whole.slice(at)]
    this.#length = whole.length - at
  }

  *rest(): Generator<Uint8Array> {
    if (this.#length > 0) yield concatBytes(...this.#parts)
  }
}

/** Reads a snapshot as it arrives. Trust nothing of it before {@link end} has returned. */
export class SnapshotReader {
  readonly #ofWings: readonly Kind<unknown>[]
  #header: SnapshotHeader | null = null
  readonly #hash: Hash = createHash('sha512')
  #parts: Uint8Array[] = []
  #length = 0
  #items = 0
  #isEnded = false

  /** @param ofWings the kinds that wings bring */
  constructor(ofWings: readonly Kind<unknown>[]) {
    this.#ofWings = ofWings
  }

  /** The first line; null until it has arrived. */
  get header(): SnapshotHeader | null {
    return this.#header
  }

  /**
   * Reads the next bytes. @returns the items that they complete
   * @throws {SnapshotError} SNAPSHOT_UNKNOWN_VERSION | SNAPSHOT_UNKNOWN_KIND | SNAPSHOT_DAMAGED
   */
  push(chunk: Uint8Array): SnapshotItem[] {
    const items: SnapshotItem[] = []
    let at = 0
    for (let end = chunk.indexOf(LINE_END); end >= 0; end = chunk.indexOf(LINE_END, at)) {
      this.#keep(chunk.subarray(at, end + 1))
      const item = this.#line(concatBytes(...this.#parts))
      if (item !== null) items.push(item)
      this.#parts = []
      this.#length = 0
      at = end + 1
    }
    if (at < chunk.length) this.#keep(chunk.slice(at))
    return items
  }

  /** @throws {SnapshotError} SNAPSHOT_CUT */
  end(): SnapshotHeader {
    if (this.#header !== null && this.#isEnded) return this.#header
    const message = `the snapshot ends after ${this.#items} records, before its last line`
    throw new SnapshotError('SNAPSHOT_CUT', message, 'copy it again from where it was made')
  }

  #keep(bytes: Uint8Array): void {
    if (this.#isEnded) throw damaged('has bytes after its last line')
    this.#length += bytes.length
    if (this.#length > MAX_LINE_BYTES) throw damaged(`has a line of more than ${MAX_LINE_BYTES} bytes`)
    this.#parts.push(bytes)
  }

  #line(line: Uint8Array): SnapshotItem | null {
    const value = parseLine(line)
    if (this.#header === null) {
      this.#header = readHeader(value)
    } else {
      const item = readItem(value, this.#items + 2, this.#ofWings)
      if (item.kind === 'end') {
        this.#isEnded = true
        if (item.items === this.#items && item.hash === digest(this.#hash)) return null
        throw damaged('does not have the records that its last line counts')
      }
      this.#items++
      this.#hash.update(line)
      return item
    }
    this.#hash.update(line)
    return null
  }
}

function digest(hash: Hash): string {
  return hash.copy().digest('hex').slice(0, HASH_DIGITS).toUpperCase()
}

function parseLine(line: Uint8Array): unknown {
  const text = decodeUtf8(line)
  try {
    return JSON.parse(text ?? '') as unknown
  } catch {
    throw damaged('has a line that is not JSON')
  }
}

function readHeader(value: unknown): SnapshotHeader {
  const header = snapshotHeader.safeParse(value)
  if (header.success) return header.data
  const version = fieldOf(value, 'version')
  if (fieldOf(value, 'kind') !== 'snapshot' || typeof version !== 'number') throw damaged('has no valid first line')
  if (version === SNAPSHOT_VERSION) throw invalidLine(1, header.error)
  const message = `the snapshot has version ${version}, this version reads ${SNAPSHOT_VERSION}`
  throw new SnapshotError('SNAPSHOT_UNKNOWN_VERSION', message, 'install the version that made it')
}

function readItem(value: unknown, lineNumber: number, ofWings: readonly Kind<unknown>[]): SnapshotItem | SnapshotEnd {
  const item = snapshotItem.safeParse(value)
  if (item.success) return item.data.kind === 'wing' ? readWingItem(item.data, lineNumber, ofWings) : item.data
  const unknown = item.error.issues.find(({ code }) => code === 'unrecognized_keys' || code === 'invalid_union')
  throw unknown === undefined ? invalidLine(lineNumber, item.error) : unknownKind(lineNumber)
}

function readWingItem(item: WingItem, lineNumber: number, ofWings: readonly Kind<unknown>[]): WingItem {
  const arrival = ofWings.find(({ name }) => name === item.of)?.arrival ?? null
  if (arrival === null) throw unknownKind(lineNumber)
  const value = arrival.read(item.id, item.value)
  if (value === null) throw damaged(`is wrong in line ${lineNumber}, in a record of the kind ${item.of}`)
  return { ...item, value }
}

function unknownKind(lineNumber: number): SnapshotError {
  const message = `line ${lineNumber} of the snapshot is of a kind that this version does not know`
  return new SnapshotError('SNAPSHOT_UNKNOWN_KIND', message, 'install the version that made it')
}

function invalidLine(lineNumber: number, error: z.ZodError): SnapshotError {
  const [issue] = error.issues
  return damaged(`is wrong in line ${lineNumber} at ${JSON.stringify(issue?.path.join('.') ?? '')}`)
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? (value as Record<string, unknown>)[name]
    : undefined
}

function damaged(problem: string): SnapshotError {
  return new SnapshotError('SNAPSHOT_DAMAGED', `the snapshot ${problem}`, 'copy it again from where it was made')
}
