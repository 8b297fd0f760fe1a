/** A relay's store in PostgreSQL, for the suite that holds for every store. */
import { Readable } from 'node:stream'
import { Database } from '../../../src/relayd/postgres/database.ts'
import { loadDriver } from '../../../src/relayd/postgres/driver.ts'
import { ObjectParts } from '../../../src/relayd/postgres/object-parts.ts'
import { PostgresRelayStore } from '../../../src/relayd/postgres/postgres-relay-store.ts'
import { prepareSchema } from '../../../src/relayd/postgres/schema.ts'
import type { ObjectStore } from '../../../src/relayd/store/object-store.ts'
import { MINUTE, START, type Subject } from '../relay-stores.ts'
import type { TestPostgres } from './server.ts'

const TABLES = ['record', 'message', 'passing', 'news', 'part']
const ZEROS = 'boxes = 0, messages = 0, cards = 0, inboxes = 0, entries = 0, objects = 0, bytes = 0'
const EMPTY = [...TABLES.map((table) => `DELETE FROM ${table}`), `UPDATE total SET ${ZEROS}`].join('; ')

/** One pool of connections is for all its stores: PostgreSQL starts a process for each connection. @param server is there once a store is opened */
export function postgresSubject(server: () => TestPostgres): Subject {
  const opened: PostgresRelayStore[] = []
  let database: Promise<Database> | null = null
  const prepare = async (): Promise<Database> => {
    const made = new Database(await loadDriver(), server().url())
    await prepareSchema(made)
    return made
  }
  return {
    name: 'PostgreSQL',
    open: async (limits) => {
      for (const store of opened.splice(0)) await store.close()
      const shared = await (database ??= prepare())
      await server().sql(EMPTY)
      const open = async (nowUs: number): Promise<PostgresRelayStore> => {
        const store = await PostgresRelayStore.open(shared, { limits, answerUs: MINUTE, nowUs })
        keepBytes(store.objects, new ObjectParts(shared))
        opened.push(store)
        return store
      }
      const store = await open(START - 2 * MINUTE)
      return { store, reopen: open, setFull: null, second: () => open(START - 2 * MINUTE) }
    },
  }
}

/** The suite keeps no bytes of objects, and this store gives out none without all its bytes. */
function keepBytes(objects: ObjectStore, parts: ObjectParts): void {
  const finish = objects.finish.bind(objects)
  objects.finish = async (place, bytes, nowUs) => {
    await parts.write(place, Readable.from([new Uint8Array(bytes)]))
    return await finish(place, bytes, nowUs)
  }
}
