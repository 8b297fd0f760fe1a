/** The parts of pg that the relay uses, by its names. The package is optional, so its own types may be missing when this is compiled. */
import type { Socket } from 'node:net'
import { DatabaseError } from './errors.ts'

export interface Query {
  /** The name of a statement that the server prepares once a connection. */
  readonly name?: string
  readonly text: string
  readonly values?: readonly unknown[]
  readonly rowMode?: 'array'
}

export interface QueryResult {
  readonly rows: readonly (readonly unknown[])[]
  readonly rowCount: number | null
  /** The first word of the server's answer, such as COMMIT. */
  readonly command: string
}

export interface Connection {
  query(query: Query): Promise<QueryResult>
}

export interface OwnConnection extends Connection {
  connect(): Promise<void>
  end(): Promise<void>
  on(event: 'error' | 'end' | 'notification', listener: () => void): void
}

export interface PooledConnection extends Connection {
  on(event: 'error', listener: () => void): void
  /** @param isBroken the connection is closed, and not used again */
  release(isBroken: boolean): void
}

export interface Pool {
  connect(): Promise<PooledConnection>
  end(): Promise<void>
  on(event: 'error' | 'connect', listener: (connection: PooledConnection) => void): void
}

export interface ConnectionOptions {
  readonly connectionString: string
  readonly application_name: string
  readonly connectionTimeoutMillis: number
  readonly query_timeout: number
  readonly keepAlive: boolean
  /** Statements are sent without waiting for the answers to those before. */
  readonly pipeline: boolean
  /** Makes the socket of a connection. */
  readonly stream: () => Socket
}

export interface Driver {
  readonly Pool: new (options: ConnectionOptions & { readonly max: number }) => Pool
  readonly Client: new (options: ConnectionOptions) => OwnConnection
}

const LIBRARY = 'pg'

/** @throws {DatabaseError} DATABASE_LIBRARY */
export async function loadDriver(): Promise<Driver> {
  try {
    const loaded = (await import(LIBRARY)) as { readonly default: Driver }
    return loaded.default
  } catch (cause) {
    const message = `the package ${LIBRARY} cannot be loaded; install the relay again with its optional packages`
    throw new DatabaseError('DATABASE_LIBRARY', message, { cause })
  }
}
