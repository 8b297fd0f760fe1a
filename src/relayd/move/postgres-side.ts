/** A database as a side of a move. */
import { Database } from '../postgres/database.ts'
import type { OwnConnection } from '../postgres/driver.ts'
import { loadDriver } from '../postgres/driver.ts'
import { DatabaseError, databaseErrorOf } from '../postgres/errors.ts'
import { ObjectParts } from '../postgres/object-parts.ts'
import { markMoving, putKey, readKey, readMark, UNMARK } from '../postgres/own-keys.ts'
import { prepareSchema, readTablesVersion } from '../postgres/schema.ts'
import { lockUnused, putRecords, selectRange, tableOf, type RecordTable } from '../postgres/tables.ts'
import { readTotals, selectTotals, setTotals } from '../postgres/totals.ts'
import type { Totals } from '../records/records.ts'
import { KEY_RANGE_END, type Entry } from '../../store/store.ts'
import { MoveError } from './move.ts'
import type { MoveSide } from './side.ts'

const PAGE = 1000 // records read at a time: some 2 MB

/**
 * Opens a database from which all is moved. No table is made there; those of an earlier version are brought to this one, as a relay does at its start.
 * @throws {MoveError} MOVE_EMPTY | MOVE_IN_USE; {DatabaseError}
 */
export async function openSource(url: string): Promise<MoveSide> {
  return await openDatabase(url, false, async (database) => {
    // A part of what a directory has is no relay.
    if ((await readMark(database)) === 'into')
      throw new DatabaseError(
        'DATABASE_MOVING',
        'a move into the database did not end, so a part is missing there: run that move again',
      )
    await markMoving(database, 'out')
  })
}

/**
 * Opens a database into which all is moved, and makes its tables if there are none.
 * @throws {MoveError} MOVE_NOT_EMPTY | MOVE_IN_USE; {DatabaseError}
 */
export async function openTarget(url: string): Promise<MoveSide> {
  return await openDatabase(url, true, async (database) => {
    const isAgain = (await readMark(database)) === 'into'
    // Keeps relays out meanwhile. The database is whole until a move into it begins.
    if (!isAgain) await markMoving(database, 'out')
    const { rows } = await database.query({ text: 'SELECT EXISTS (SELECT FROM record)' })
    const isEmpty = rows[0]?.[0] !== true
    if (!isEmpty && !isAgain) {
      await database.query(UNMARK)
      throw new MoveError('MOVE_NOT_EMPTY', 'a relay has kept something in the database: name one that is empty')
    }
    await markMoving(database, 'into')
    if (!isEmpty) await database.query({ text: 'TRUNCATE record, message, part, passing, news' })
  })
}

async function openDatabase(
  url: string,
  isTarget: boolean,
  take: (database: Database) => Promise<void>,
): Promise<MoveSide> {
  const database = new Database(await loadDriver(), url)
  try {
    if (!isTarget && (await readTablesVersion(database)) === null)
      throw new MoveError('MOVE_EMPTY', 'no relay has kept anything in the database: name the one to move with --from')
    await prepareSchema(database)
    const alone = await takeAlone(database)
    try {
      await take(database)
      return new PostgresSide(database, alone, isTarget)
    } catch (error) {
      await alone.end().catch(() => {})
      throw error
    }
  } catch (error) {
    await database.close()
    throw error
  }
}

/** Relays hold the lock that this takes, and it is free once they end. */
async function takeAlone(database: Database): Promise<OwnConnection> {
  const connection = database.own(true)
  connection.on('error', () => {})
  try {
    await connection.connect()
    const { rows } = await connection.query({ ...lockUnused(), rowMode: 'array' })
    if (rows[0]?.[0] === true) return connection
    throw new MoveError('MOVE_IN_USE', 'a relay runs on the database: stop all relays that have it, and move again')
  } catch (cause) {
    await connection.end().catch(() => {})
    throw cause instanceof MoveError ? cause : databaseErrorOf(cause)
  }
}

class PostgresSide implements MoveSide {
  readonly files: ObjectParts
  readonly #database: Database
  readonly #alone: OwnConnection
  readonly #isTarget: boolean

  constructor(database: Database, alone: OwnConnection, isTarget: boolean) {
    this.#database = database
    this.#alone = alone
    this.#isTarget = isTarget
    this.files = new ObjectParts(database)
  }

  async *records(kind: string): AsyncGenerator<Entry, void, void> {
    const table = tableOf(`${kind}/`)
    for (let after = `${kind}/`; ;) {
      const { rows } = await this.#database.query(selectRange(after, `${kind}/${KEY_RANGE_END}`, PAGE, table))
      for (const [key, value] of rows) yield { key: key as string, value: value as Uint8Array }
      if (rows.length < PAGE) return
      after = rows.at(-1)![0] as string
    }
  }

  async totals(): Promise<Totals> {
    return readTotals((await this.#database.query(selectTotals(false))).rows[0])
  }

  async key(): Promise<Uint8Array | null> {
    return await readKey(this.#database)
  }

  async put(records: readonly Entry[]): Promise<void> {
    for (const [table, some] of Map.groupBy(records, ({ key }): RecordTable => tableOf(key)))
      await this.#database.query(
        putRecords(
          table,
          some.map(({ key, value }) => [key, value] as const),
        ),
      )
  }

  async finish(totals: Totals, key: Uint8Array | null): Promise<void> {
    await this.#database.query(setTotals(totals))
    if (key !== null) await this.#database.query(putKey(key))
    await this.#database.query(UNMARK)
  }

  /** A database into which a move did not end stays marked, and no relay opens it. */
  async close(): Promise<void> {
    if (!this.#isTarget) await this.#database.query(UNMARK)
    await this.#alone.end().catch(() => {})
    await this.#database.close()
  }
}
