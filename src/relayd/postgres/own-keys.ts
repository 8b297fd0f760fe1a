/** Keys that all processes of a relay have, and the mark of a database into which or out of which somebody moves a relay. */
import type { Database } from './database.ts'
import type { Query } from './driver.ts'
import { DatabaseError } from './errors.ts'

const KEY_BYTES = 32
const KEY = 'relay'
const MOVING = 'moving'

/** Which way a move goes. */
export type Way = 'into' | 'out'

/** @returns a row where the database is marked */
export const SELECT_MARK: Query = { text: `SELECT FROM own_key WHERE name = '${MOVING}'` }

/** Takes the mark away. */
export const UNMARK: Query = { text: `DELETE FROM own_key WHERE name = '${MOVING}'` }

/** @returns null where there is no key yet */
export async function readKey(database: Database): Promise<Uint8Array | null> {
  const { rows } = await database.query({ text: `SELECT bytes FROM own_key WHERE name = '${KEY}'` })
  return rows[0] === undefined ? null : new Uint8Array(rows[0][0] as Uint8Array)
}

export function putKey(key: Uint8Array): Query {
  const text = `INSERT INTO own_key (name, bytes) VALUES ('${KEY}', $1) ON CONFLICT (name) DO UPDATE SET bytes = excluded.bytes`
  return { text, values: [key] }
}

/** Reads a key, or makes it. One of several processes that start at once makes it for all. @throws {DatabaseError} DATABASE_MOVING */
export async function openKey(database: Database, random: (bytes: number) => Uint8Array): Promise<Uint8Array> {
  const { rows } = await database.query(SELECT_MARK)
  if (rows.length > 0) {
    const message = 'somebody moves a relay into or out of the database, or a move did not end: run that move again'
    throw new DatabaseError('DATABASE_MOVING', message)
  }
  const text = `INSERT INTO own_key (name, bytes) VALUES ('${KEY}', $1) ON CONFLICT DO NOTHING`
  await database.query({ text, values: [random(KEY_BYTES)] })
  return (await readKey(database))!
}

/** @returns the way of a move that runs, or that did not end; null where there is none */
export async function readMark(database: Database): Promise<Way | null> {
  const { rows } = await database.query({
    text: `SELECT encode(bytes, 'escape') FROM own_key WHERE name = '${MOVING}'`,
  })
  if (rows[0] === undefined) return null
  return rows[0][0] === 'out' ? 'out' : 'into'
}

/** Keeps relays from opening the database. */
export async function markMoving(database: Database, way: Way): Promise<void> {
  const text = `INSERT INTO own_key (name, bytes) VALUES ('${MOVING}', decode($1, 'escape'))
    ON CONFLICT (name) DO UPDATE SET bytes = excluded.bytes`
  await database.query({ text, values: [way] })
}
