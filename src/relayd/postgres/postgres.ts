/** All that a relay keeps in a database. */
import type { ObjectBytes } from '../objects/object-bytes.ts'
import type { StoreOptions } from '../records/record-relay-store.ts'
import type { RelayStore } from '../store/relay-store.ts'
import { Database } from './database.ts'
import { loadDriver } from './driver.ts'
import { ObjectParts } from './object-parts.ts'
import { PostgresRelayStore } from './postgres-relay-store.ts'
import { prepareSchema } from './schema.ts'

export interface OpenedPostgres {
  /** Closes the connections too. */
  readonly store: RelayStore
  readonly files: ObjectBytes
  /** The key of the relay, which all its processes have. */
  readonly key: Uint8Array
}

const KEY_BYTES = 32
const KEY_NAME = 'relay'

/**
 * Opens the store in a database, and makes its tables if there are none.
 * @param url such as postgres://relay@db.example/relay
 * @throws {DatabaseError}
 */
export async function openPostgres(
  url: string,
  options: StoreOptions,
  random: (bytes: number) => Uint8Array,
): Promise<OpenedPostgres> {
  const database = new Database(await loadDriver(), url)
  try {
    await prepareSchema(database)
    const key = await openKey(database, random)
    const store = await PostgresRelayStore.open(database, options, () => database.close())
    return { store, files: new ObjectParts(database), key }
  } catch (error) {
    await database.close()
    throw error
  }
}

/** Reads a key, or makes it. Of processes that start at once, one makes it for all. */
async function openKey(database: Database, random: (bytes: number) => Uint8Array): Promise<Uint8Array> {
  await database.query({
    text: 'INSERT INTO own_key (name, bytes) VALUES ($1, $2) ON CONFLICT DO NOTHING',
    values: [KEY_NAME, Buffer.from(random(KEY_BYTES))],
  })
  const { rows } = await database.query({ text: 'SELECT bytes FROM own_key WHERE name = $1', values: [KEY_NAME] })
  return new Uint8Array(rows[0]![0] as Uint8Array)
}
