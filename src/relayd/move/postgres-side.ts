/** A database as a side of a move. */
import { Database } from '../postgres/database.ts'
import type { OwnConnection } from '../postgres/driver.ts'
import { loadDriver } from '../postgres/driver.ts'
import { databaseErrorOf } from '../postgres/errors.ts'
import { ObjectParts } from '../postgres/object-parts.ts'
import { markMoving, putKey, readKey, UNMARK } from '../postgres/own-keys.ts'
import { prepareSchema } from '../postgres/schema.ts'
import { lockUnused, putRecords, selectRange, tableOf, type RecordTable } from '../postgres/tables.ts'
import { readTotals, selectTotals, setTotals } from '../postgres/totals.ts'
import type { Totals } from '../records/records.ts'
import { KEY_RANGE_END, type Entry } from '../../store/store.ts'
import { MoveError } from './move.ts'
import type { MoveSide } from './side.ts'

const PAGE = 1000 // records read at a time: some 2 MB

/** @param isTarget all is moved into it, so it has to be empty @throws {MoveError} MOVE_IN_USE | MOVE_NOT_EMPTY; {DatabaseError} */
export async function openDatabase(url: string, isTarget: boolean): Promise<MoveSide> {
  const database = new Database(await loadDriver(), url)
  const alone = database.own(true)
  alone.on('error', () => {})
  try {
    await prepareSchema(database)
    await takeAlone(alone)
    const isAgain = await markMoving(database)
    if (isTarget) await empty(database, isAgain)
    return new PostgresSide(database, alone, isTarget)
  } catch (error) {
    await alone.end().catch(() => {})
    await database.close()
    throw error
  }
}

/** Relays hold the lock that this takes, and it is free once they end. */
async function takeAlone(connection: OwnConnection): Promise<void> {
  try {
    await connection.connect()
    const { rows } = await connection.query({ ...lockUnused(), rowMode: 'array' })
    if (rows[0]?.[0] === true) return
  } catch (cause) {
    throw databaseErrorOf(cause)
  }
  throw new MoveError('MOVE_IN_USE', 'a relay runs on the database: stop all relays that have it, and move again')
}

/** @param isAgain what is there is of a move that did not end */
async function empty(database: Database, isAgain: boolean): Promise<void> {
  const { rows } = await database.query({ text: 'SELECT EXISTS (SELECT FROM record)' })
  if (rows[0]?.[0] !== true) return
  if (!isAgain) {
    await database.query(UNMARK)
    throw new MoveError('MOVE_NOT_EMPTY', 'a relay has kept something in the database: name one that is empty')
  }
  await database.query({ text: 'TRUNCATE record, message, part, passing, news' })
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
