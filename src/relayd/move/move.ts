/** Moves all that a relay keeps from one side to the other, and compares both afterwards. The side that it came from stays as it is. */
import { createHash } from 'node:crypto'
import { equalBytes } from '../../core/encoding/bytes.ts'
import { PersonadError } from '../../errors/personad-error.ts'
import { recordsOf } from '../records/records.ts'
import { parseObjectId, type ObjectPlace } from '../store/object-store.ts'
import { openMemoryStore } from '../../store/memory-store.ts'
import type { Entry } from '../../store/store.ts'
import type { MoveSide } from './side.ts'

export type MoveErrorCode =
  | 'MOVE_IN_USE' // a relay runs on it
  | 'MOVE_NOT_EMPTY' // there is something already
  | 'MOVE_EMPTY' // there is nothing to move
  | 'MOVE_DIFFERS' // the copy is not the same

export class MoveError extends PersonadError<MoveErrorCode> {
  override readonly name = 'MoveError'
}

export interface Moved {
  readonly records: number
  readonly objects: number
}

const SLICE_BYTES: number = 1 << 20 // sanity: one commit or transaction, far below what each side takes
const SLICE_RECORDS = 2000
const TOTAL = 'total'

/** @throws {MoveError} MOVE_DIFFERS; the errors of both sides */
export async function moveAll(from: MoveSide, to: MoveSide): Promise<Moved> {
  const reader = recordsOf(openMemoryStore())
  const kinds = Object.values(reader)
    .map(({ name }) => name)
    .filter((name) => name !== TOTAL)
  let records = 0
  for (const kind of kinds)
    for await (const slice of slicesOf(from.records(kind))) {
      await to.put(slice)
      records += slice.length
    }
  let objects = 0
  for await (const entry of from.records(reader.objects.name)) {
    const [id, { isComing, bytes, hash }] = reader.objects.read(entry)
    // Its sender sends it again: nobody reads a part of one.
    if (isComing) continue
    const place = parseObjectId(id)
    await to.files.write(place, await from.files.read(place, bytes, { first: 0, last: bytes - 1 }))
    if (!equalBytes(await hashOf(to, place, bytes), hash)) throw differs(`the object ${id}`)
    objects++
  }
  for (const kind of kinds)
    if ((await digestOf(from.records(kind))) !== (await digestOf(to.records(kind))))
      throw differs(`the records ${kind}`)
  await to.finish(await from.totals(), await from.key())
  return { records, objects }
}

async function* slicesOf(records: AsyncIterable<Entry>): AsyncGenerator<readonly Entry[], void, void> {
  let slice: Entry[] = []
  let bytes = 0
  for await (const entry of records) {
    slice.push(entry)
    bytes += entry.key.length + entry.value.length
    if (slice.length < SLICE_RECORDS && bytes < SLICE_BYTES) continue
    yield slice
    slice = []
    bytes = 0
  }
  if (slice.length > 0) yield slice
}

async function hashOf({ files }: MoveSide, place: ObjectPlace, bytes: number): Promise<Uint8Array> {
  const hash = createHash('sha256')
  for await (const part of await files.read(place, bytes, { first: 0, last: bytes - 1 }))
    hash.update(part as Uint8Array)
  return hash.digest()
}

/** A text that two sides share only if they have the same records. */
async function digestOf(records: AsyncIterable<Entry>): Promise<string> {
  const hash = createHash('sha256')
  for await (const { key, value } of records) hash.update(`${key} ${value.length}\n`).update(value)
  return hash.digest('hex')
}

function differs(what: string): MoveError {
  return new MoveError(
    'MOVE_DIFFERS',
    `${what} differ after the move: the copy is not used, and what it came from is as it was; move again`,
  )
}
