/** The bytes of objects in rows. A row is only made while the record of its object is there, and goes with it. */
import { Readable } from 'node:stream'
import { ObjectFileError, type ByteRange, type ObjectBytes } from '../objects/object-bytes.ts'
import { objectId, type ObjectPlace } from '../store/object-store.ts'
import type { Database } from './database.ts'
import type { Query } from './driver.ts'

/** format: of all rows of an object but its last one. A change of it needs a new version of the tables */
export const PART_BYTES: number = 256 << 10

export function sizeOfParts(object: string): Query {
  return { text: 'SELECT coalesce(sum(length(bytes)), 0) FROM part WHERE object = $1', values: [object] }
}

export function removeParts(objects: readonly string[]): Query {
  return { text: 'DELETE FROM part WHERE object = ANY($1::text[])', values: [objects] }
}

export class ObjectParts implements ObjectBytes {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  /**
   * Each row is a transaction of its own, so that a slow sender holds no lock. It ends early where the record of the object is gone.
   * @throws {DatabaseError}; the error of `parts`, or of `counted`
   */
  async write(
    place: ObjectPlace,
    parts: AsyncIterable<Uint8Array>,
    counted: () => Promise<void> = async () => {},
  ): Promise<void> {
    await counted()
    const object = objectId(place)
    let n = 0
    try {
      for await (const bytes of inParts(parts)) if (!(await this.#put(object, n++, bytes))) return
    } catch (error) {
      await this.#database.query(removeParts([object]))
      throw error
    }
  }

  async read(place: ObjectPlace, _bytes: number, range: ByteRange): Promise<Readable> {
    const object = objectId(place)
    const first = Math.floor(range.first / PART_BYTES)
    const last = Math.floor(range.last / PART_BYTES)
    const take = async (n: number): Promise<Uint8Array> => {
      const { rows } = await this.#database.query({
        name: 'read part',
        text: 'SELECT bytes FROM part WHERE object = $1 AND n = $2',
        values: [object, n],
      })
      const bytes = rows[0]?.[0] as Uint8Array | undefined
      const [from, to] = [range.first - n * PART_BYTES, range.last + 1 - n * PART_BYTES]
      if (bytes === undefined || bytes.length < Math.min(to, PART_BYTES)) throw damaged(object, n)
      return bytes.subarray(Math.max(0, from), to)
    }
    // The first row at once: a caller learns that an object is gone before the answer begins.
    const begin = await take(first)
    return Readable.from(
      (async function* (): AsyncGenerator<Uint8Array, void, void> {
        yield begin
        for (let n = first + 1; n <= last; n++) yield await take(n)
      })(),
      { objectMode: false, highWaterMark: PART_BYTES },
    )
  }

  /** The rows went with the record. */
  async remove(): Promise<void> {}

  /** No row is without a record. */
  async *places(): AsyncGenerator<ObjectPlace, void, void> {}

  /** @returns false if the record of the object is gone */
  async #put(object: string, n: number, bytes: Uint8Array): Promise<boolean> {
    const { rowCount } = await this.#database.query({
      name: 'put part',
      // Whoever removes the record waits for this row, and then removes it too.
      text: `INSERT INTO part (object, n, bytes) SELECT $1, $2, $3
        FROM (SELECT key FROM record WHERE key = $4 FOR KEY SHARE) AS kept ON CONFLICT DO NOTHING`,
      values: [object, n, bytes, `object/${object}`],
    })
    return rowCount === 1
  }
}

/** The same bytes in pieces of one size, but for the last. */
async function* inParts(parts: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, void> {
  let gathered: Uint8Array[] = []
  let size = 0
  for await (const part of parts) {
    let rest = part
    while (size + rest.length >= PART_BYTES) {
      const cut = PART_BYTES - size
      yield Buffer.concat([...gathered, rest.subarray(0, cut)])
      rest = rest.subarray(cut)
      gathered = []
      size = 0
    }
    if (rest.length > 0) gathered.push(rest)
    size += rest.length
  }
  if (size > 0) yield Buffer.concat(gathered)
}

function damaged(object: string, n: number): ObjectFileError {
  const message = `part ${n} of the object ${object} is gone from the database, or is not the one that was kept there; restore it from a backup, or delete the object`
  return new ObjectFileError('OBJECT_DAMAGED', message)
}
