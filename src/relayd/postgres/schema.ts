/** The tables of a relay's database, and the steps from each version of them to the next. */
import type { Database } from './database.ts'
import type { Connection } from './driver.ts'
import { DatabaseError, databaseErrorOf } from './errors.ts'

/** Each step brings the tables to the version that is its place in the list, and is never changed again. */
const STEPS: readonly (readonly string[])[] = [
  [
    // All that src/relayd/records keeps, under the same keys, but for the data of messages and the totals.
    'CREATE TABLE record (key text COLLATE "C" PRIMARY KEY, value bytea NOT NULL) WITH (fillfactor = 70)',
    'CREATE TABLE message (key text COLLATE "C" PRIMARY KEY, value bytea NOT NULL)',
    // Sealed data does not get smaller.
    'ALTER TABLE record ALTER value SET STORAGE EXTERNAL',
    'ALTER TABLE message ALTER value SET STORAGE EXTERNAL',
    `CREATE TABLE total (
      boxes bigint NOT NULL, messages bigint NOT NULL, cards bigint NOT NULL, inboxes bigint NOT NULL,
      entries bigint NOT NULL, objects bigint NOT NULL, bytes bigint NOT NULL
    )`,
    'INSERT INTO total VALUES (0, 0, 0, 0, 0, 0, 0)',
    // Used answers and buckets. They live for a minute or a day, and a crash of the database empties the table.
    `CREATE UNLOGGED TABLE passing (
      key text COLLATE "C" PRIMARY KEY, value bytea NOT NULL, at timestamptz NOT NULL DEFAULT now()
    ) WITH (fillfactor = 50)`,
    // The boxes and inboxes that each transaction put something into, for the other processes.
    `CREATE TABLE news (
      xid xid8 PRIMARY KEY DEFAULT pg_current_xact_id(), at timestamptz NOT NULL DEFAULT now(),
      origin text NOT NULL, ids text[] NOT NULL
    )`,
    'CREATE TABLE part (object text COLLATE "C", n integer, bytes bytea NOT NULL, PRIMARY KEY (object, n))',
    'ALTER TABLE part ALTER bytes SET STORAGE EXTERNAL',
  ],
  // Keys that all processes have.
  ['CREATE TABLE own_key (name text PRIMARY KEY, bytes bytea NOT NULL)'],
  // The totals are the sum of these rows.
  [
    'ALTER TABLE total ADD COLUMN slot integer NOT NULL DEFAULT 0, ADD PRIMARY KEY (slot)',
    'ALTER TABLE total SET (fillfactor = 50)',
    'INSERT INTO total SELECT 0, 0, 0, 0, 0, 0, 0, slot FROM generate_series(1, 31) AS slot',
  ],
]

/** The version of the tables that this program knows. */
export const TABLES_VERSION: number = STEPS.length

const LOCK = 0x7065_7273 // the lock of whoever changes tables: "pers"

/** Makes the tables, or brings them to this version. Processes that start at once take turns. @throws {DatabaseError} */
export async function prepareSchema(database: Database): Promise<void> {
  const connection = database.own(false)
  connection.on('error', () => {})
  try {
    await connection.connect()
    await prepare(connection)
  } catch (cause) {
    throw databaseErrorOf(cause)
  } finally {
    await connection.end().catch(() => {})
  }
}

/** @returns the version of the tables; null where there are none @throws {DatabaseError} */
export async function readTablesVersion(database: Database): Promise<number | null> {
  const { rows } = await database.query({ text: "SELECT to_regclass('persona_relay') IS NOT NULL" })
  if (rows[0]![0] !== true) return null
  return Number((await database.query({ text: 'SELECT version FROM persona_relay' })).rows[0]?.[0] ?? 0)
}

async function prepare(connection: Connection): Promise<void> {
  const run = async (text: string): Promise<readonly (readonly unknown[])[]> =>
    (await connection.query({ text, rowMode: 'array' })).rows
  await run('BEGIN')
  await run(`SELECT pg_advisory_xact_lock(${LOCK})`)
  await run('CREATE TABLE IF NOT EXISTS persona_relay (version integer NOT NULL)')
  const [row] = await run('SELECT version FROM persona_relay')
  const version = Number(row?.[0] ?? 0)
  if (version > STEPS.length) {
    const message = `the tables have version ${version}, and this relay knows ${STEPS.length}: install the later relay that made them`
    throw new DatabaseError('DATABASE_NEWER', message)
  }
  for (const step of STEPS.slice(version)) for (const text of step) await run(text)
  await run('DELETE FROM persona_relay')
  await run(`INSERT INTO persona_relay VALUES (${STEPS.length})`)
  await run('COMMIT')
}
