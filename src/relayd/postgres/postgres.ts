/** All that a relay keeps in a database. */
import type { ObjectBytes } from '../objects/object-bytes.ts'
import type { StoreOptions } from '../records/record-relay-store.ts'
import type { RelayStore } from '../store/relay-store.ts'
import { Database } from './database.ts'
import { loadDriver } from './driver.ts'
import { ObjectParts } from './object-parts.ts'
import { openKey } from './own-keys.ts'
import { PostgresRelayStore } from './postgres-relay-store.ts'
import { prepareSchema } from './schema.ts'

export interface OpenedPostgres {
  /** Closes the connections too. */
  readonly store: RelayStore
  readonly files: ObjectBytes
  /** The key of the relay, which all its processes have. */
  readonly key: Uint8Array
}

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
