/** How a database is set up, as a relay that opens it finds it. */
import { Database } from './database.ts'
import { loadDriver, type Connection } from './driver.ts'
import { databaseErrorOf } from './errors.ts'
import { SELECT_MARK } from './own-keys.ts'
import { countRelays } from './tables.ts'

export interface HealthFacts {
  /** The version in words, such as "17.6 (Debian 17.6-1)", and as a number, such as 170006. */
  readonly version: string
  readonly versionNumber: number
  readonly takesChanges: boolean
  readonly fsync: string
  readonly fullPageWrites: string
  readonly synchronousCommit: string
  /** The value of synchronous_standby_names. */
  readonly standbyNames: string
  readonly standbys: number
  /** Standbys for which commits wait; null where this user may not see that. */
  readonly synchronousStandbys: number | null
  readonly isRemote: boolean
  /** The version of TLS; null without. */
  readonly tls: string | null
  /** Connections that this user may have at one time. */
  readonly connections: number
  /** The version of the tables; null where there are none. */
  readonly tables: number | null
  readonly mayMakeTables: boolean
  /** Whether a move runs, or did not end. */
  readonly isMoving: boolean
  /** Relays that run on it. */
  readonly relays: number
}

// A limit of -1 is none. The settings that later versions have are null in earlier ones.
const CONNECTIONS = `(SELECT min(most) FROM (VALUES
  (current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
    - coalesce(current_setting('reserved_connections', true)::int, 0)),
  ((SELECT datconnlimit FROM pg_database WHERE datname = current_database())),
  ((SELECT rolconnlimit FROM pg_roles WHERE rolname = current_user))
) AS limits (most) WHERE most >= 0)`

// All addresses below 127 are this machine: its own name is often 127.0.1.1.
const SETUP = `SELECT current_setting('server_version'), current_setting('server_version_num')::int,
  current_setting('transaction_read_only') = 'off', current_setting('fsync'), current_setting('full_page_writes'),
  current_setting('synchronous_commit'), current_setting('synchronous_standby_names'),
  (SELECT count(*)::int FROM pg_stat_replication WHERE state IS DISTINCT FROM 'backup'),
  (SELECT CASE WHEN count(*) > count(sync_state) THEN NULL ELSE count(*) FILTER (WHERE sync_state IN ('sync', 'quorum')) END::int
    FROM pg_stat_replication),
  coalesce(inet_client_addr() <> inet_server_addr() AND NOT inet_server_addr() <<= '127.0.0.0/8', false),
  (SELECT version FROM pg_stat_ssl WHERE pid = pg_backend_pid()), ${CONNECTIONS},
  to_regclass('persona_relay') IS NOT NULL, coalesce(has_schema_privilege(current_schema(), 'CREATE'), false)`

/** Changes nothing in the database. @param url of the database @throws {DatabaseError} */
export async function readHealth(url: string): Promise<HealthFacts> {
  const database = new Database(await loadDriver(), url)
  const connection = database.own(true)
  connection.on('error', () => {})
  try {
    await connection.connect()
    return await read(connection)
  } catch (cause) {
    throw databaseErrorOf(cause)
  } finally {
    await connection.end().catch(() => {})
    await database.close()
  }
}

async function read(connection: Connection): Promise<HealthFacts> {
  const rowsOf = async (query: { readonly text: string }): Promise<readonly (readonly unknown[])[]> =>
    (await connection.query({ ...query, rowMode: 'array' })).rows
  const setup = (await rowsOf({ text: SETUP }))[0]!
  const [hasTables, mayMakeTables] = setup.slice(-2) as [boolean, boolean]
  const isWritten = hasTables && (await rowsOf({ text: "SELECT to_regclass('own_key') IS NOT NULL" }))[0]![0] === true
  return {
    version: setup[0] as string,
    versionNumber: setup[1] as number,
    takesChanges: setup[2] as boolean,
    fsync: setup[3] as string,
    fullPageWrites: setup[4] as string,
    synchronousCommit: setup[5] as string,
    standbyNames: setup[6] as string,
    standbys: setup[7] as number,
    synchronousStandbys: setup[8] as number | null,
    isRemote: setup[9] as boolean,
    tls: setup[10] as string | null,
    connections: setup[11] as number,
    tables: hasTables ? Number((await rowsOf({ text: 'SELECT version FROM persona_relay' }))[0]?.[0] ?? 0) : null,
    mayMakeTables,
    isMoving: isWritten && (await rowsOf(SELECT_MARK)).length > 0,
    relays: isWritten ? ((await rowsOf(countRelays()))[0]![0] as number) : 0,
  }
}
