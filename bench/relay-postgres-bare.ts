/** The rows of a send, put into the database without any rule: what a store with rules costs beside it. Batches go as those of the store do. */
import { encodeUtf8 } from '../src/core/encoding/bytes.ts'
import { Database } from '../src/relayd/postgres/database.ts'
import { loadDriver } from '../src/relayd/postgres/driver.ts'
import { putRecords } from '../src/relayd/postgres/tables.ts'
import { messageId } from '../src/relayd/records/records.ts'
import { DATA } from './relay-filled.ts'

const LANES = 2
const MAX_ROWS = 256
const MESSAGE = encodeUtf8(`\u0001${DATA}`)
const BOX = new Uint8Array(130) // the record of a box with two messages

interface Waiting {
  readonly box: string
  readonly atUs: number
  readonly done: () => void
}

export class BareRows {
  readonly #database: Database
  #waiting: Waiting[] = []
  #running = 0

  private constructor(database: Database) {
    this.#database = database
  }

  static async open(url: string): Promise<BareRows> {
    return new BareRows(new Database(await loadDriver(), url))
  }

  async insert(box: string, atUs: number): Promise<void> {
    await new Promise<void>((done) => {
      this.#waiting.push({ box, atUs, done })
      setImmediate(() => void this.#next())
    })
  }

  async #next(): Promise<void> {
    const rows = this.#running < LANES ? this.#waiting.splice(0, MAX_ROWS) : []
    if (rows.length === 0) return
    this.#running++
    // No row twice in a statement, and the boxes in their order.
    const boxes = [...new Set(rows.map(({ box }) => `box/bare ${box}`))].toSorted()
    const messages = new Map(rows.map(({ box, atUs }) => [`msg/bare ${messageId(box, atUs)}`, MESSAGE]))
    await this.#database.use(async (connection) => {
      const puts = [
        putRecords(
          'record',
          boxes.map((key) => [key, BOX] as const),
        ),
        putRecords('message', [...messages]),
      ]
      await Promise.all([{ text: 'BEGIN' }, ...puts, { text: 'COMMIT' }].map((each) => connection.query(each)))
    })
    this.#running--
    for (const { done } of rows) done()
    await this.#next()
  }
}
