/** The connections of one process to the database. */
import type { Connection, ConnectionOptions, Driver, OwnConnection, Pool, Query, QueryResult } from './driver.ts'
import { databaseErrorOf, urlErrorOf } from './errors.ts'
import { GatheringSocket } from './gathering-socket.ts'

const MAX_CONNECTIONS = 10 // sanity: one more listens, and PostgreSQL as it comes takes 97 of users: eight relays fit
const CONNECT_MS = 10_000 // sanity: a request waits that long for a database that does not answer
const QUERY_MS = 60_000 // sanity: a slice takes milliseconds; a network that swallows all is noticed after this

/**
 * All reads are by key. A plan that was made while the tables were empty reads all rows, and would be kept until the server looks at the tables
 * anew. The cost that the server then sets for the sum of the totals would make it compile that. So no value makes another plan better, and a
 * statement is planned once a connection: to plan the look for news takes longer than the look.
 */
const BY_INDEX = 'SET enable_seqscan = off; SET jit = off; SET plan_cache_mode = force_generic_plan'

/** The connections of one relay: its pool, and the one that listens. */
export const CONNECTIONS: number = MAX_CONNECTIONS + 1

export class Database {
  readonly #options: ConnectionOptions
  readonly #driver: Driver
  readonly #pool: Pool

  /**
   * @param url as PostgreSQL's own programs take it; what it leaves out comes from the environment (PGHOST, PGPASSFILE)
   * @throws {DatabaseError} DATABASE_URL
   */
  constructor(driver: Driver, url: string) {
    this.#driver = driver
    this.#options = {
      connectionString: url,
      application_name: 'persona-relay',
      connectionTimeoutMillis: CONNECT_MS,
      query_timeout: QUERY_MS,
      keepAlive: true,
      pipeline: true,
      stream: () => new GatheringSocket(),
    }
    try {
      // Each connection reads the URL, and the files that it names. This one is never opened.
      this.own(true)
    } catch (cause) {
      throw urlErrorOf(cause)
    }
    this.#pool = new driver.Pool({ ...this.#options, max: MAX_CONNECTIONS })
    // A connection that is lost fails its statements. This only says so once more.
    this.#pool.on('connect', (connection) => {
      connection.on('error', () => {})
      connection.query({ text: BY_INDEX }).catch(() => {})
    })
    this.#pool.on('error', () => {})
  }

  /** A connection of the caller's own, not yet open: without a limit of time for its statements, where these may take long. */
  own(hasLimit: boolean): OwnConnection {
    return new this.#driver.Client({ ...this.#options, query_timeout: hasLimit ? QUERY_MS : 0 })
  }

  /** Works on a connection that nobody else uses meanwhile. After an error it is closed. @throws {DatabaseError}, and what `work` throws */
  async use<Result>(work: (connection: Connection) => Promise<Result>): Promise<Result> {
    const connection = await this.#pool.connect().catch((cause: unknown) => {
      throw databaseErrorOf(cause)
    })
    let isBroken = true
    const query = async (query: Query): Promise<QueryResult> => {
      try {
        return await connection.query({ rowMode: 'array', ...query })
      } catch (cause) {
        throw databaseErrorOf(cause)
      }
    }
    try {
      const result = await work({ query })
      isBroken = false
      return result
    } finally {
      connection.release(isBroken)
    }
  }

  /** Runs one statement. @throws {DatabaseError} */
  async query(query: Query): Promise<QueryResult> {
    return await this.use((connection) => connection.query(query))
  }

  async close(): Promise<void> {
    await this.#pool.end()
  }
}
