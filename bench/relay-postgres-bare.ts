/**
 * The rows of a send, put into the database without any rule, and those of a receive, read without one: what a store with rules costs beside it. The rows are as many and as long as those of
 * the store, in the same tables, and as many transactions bring them. With a lock first, a transaction reads what the store cannot do without: the
 * records of its boxes, locked, and the totals, in a round trip before that of its rows.
 */
import { randomBytes, randomInt } from 'node:crypto'
import { encodeUtf8 } from '../src/core/encoding/bytes.ts'
import { Database } from '../src/relayd/postgres/database.ts'
import { loadDriver, type Query } from '../src/relayd/postgres/driver.ts'
import { News } from '../src/relayd/postgres/news.ts'
import { Lanes } from '../src/relayd/postgres/lanes.ts'
import { lockByKeys, messagesAfter, putRecords, selectByKeys, selectMessages } from '../src/relayd/postgres/tables.ts'
import { addTotals, selectTotals, SLOTS } from '../src/relayd/postgres/totals.ts'
import { messageId } from '../src/relayd/records/records.ts'
import { UsedAnswers } from '../src/relayd/postgres/used-answers.ts'
import { NOTHING } from '../src/relayd/records/tally.ts'
import type { UsedAnswer } from '../src/relayd/store/relay-store.ts'
import { MESSAGE_COST_BYTES } from '../src/relayd/store/rules.ts'

const LANES = 2
const MAX_ROWS = 256
const BOX_BYTES = 43 // the record of a box that was claimed, without messages
const LISTED_BYTES = 36 // a message in it
const PROCESSES = 2 // which store as many messages into a box
/** Records of boxes are parts of it. Bytes that are the same as before would not be logged anew, and those of a box never are. */
const BYTES: Uint8Array = randomBytes(1 << 20)

interface Waiting {
  readonly isLocked: boolean
  readonly box: string
  readonly data: string
  readonly atUs: number
  readonly done: () => void
}

export class BareRows {
  readonly reads: BareReads
  readonly #database: Database
  readonly #news: News
  readonly #sizes = new Map<string, number>()
  #waiting: Waiting[] = []
  #running = 0
  #isBeginning = false

  private constructor(database: Database, origin: string) {
    this.#database = database
    this.reads = new BareReads(database)
    this.#news = new News(database, origin, () => {})
  }

  /** @param origin tells this process from others */
  static async open(url: string, origin: string): Promise<BareRows> {
    const bare = new BareRows(new Database(await loadDriver(), url), origin)
    await bare.#news.open()
    return bare
  }

  /** @param isLocked its box is locked and read first */
  async insert(box: string, data: string, atUs: number, isLocked: boolean): Promise<void> {
    await new Promise<void>((done) => {
      this.#waiting.push({ isLocked, box, data, atUs, done })
      this.#beginSoon()
    })
  }

  /** Deletes what {@link insert} left, but for the boxes. */
  async clear(): Promise<void> {
    this.#sizes.clear()
    await this.#database.query({ text: `DELETE FROM message WHERE key ~ '^msg/bare'` })
  }

  #beginSoon(): void {
    if (this.#isBeginning || this.#running >= LANES) return
    this.#isBeginning = true
    setImmediate(() => {
      this.#isBeginning = false
      void this.#begin()
    })
  }

  async #begin(): Promise<void> {
    const rows = this.#waiting.splice(0, MAX_ROWS)
    if (rows.length === 0) return
    this.#running++
    await this.#put(rows)
    this.#running--
    for (const { done } of rows) done()
    if (this.#waiting.length > 0) this.#beginSoon()
  }

  async #put(rows: readonly Waiting[]): Promise<void> {
    for (const { box } of rows) this.#sizes.set(box, (this.#sizes.get(box) ?? BOX_BYTES) + PROCESSES * LISTED_BYTES)
    // No row twice in a statement, and the boxes in their order.
    const boxes = [...new Set(rows.map(({ box }) => box))].toSorted()
    const keys = boxes.map((box) => `box/bare ${box}`)
    const isLocked = rows.some((row) => row.isLocked)
    const reads = isLocked ? [lockByKeys('record', keys), selectTotals(false)] : []
    const puts = [
      putRecords(
        'record',
        boxes.map((box, i) => [keys[i]!, anyBytes(this.#sizes.get(box)!)] as const),
      ),
      putRecords(
        'message',
        rows.map(({ box, data, atUs }) => [`msg/bare ${messageId(box, atUs)}`, encodeUtf8(`\u0001${data}`)] as const),
      ),
      this.#news.queryOf(keys),
      addTotals({ before: NOTHING, after: this.#added(rows) }, Math.floor(Math.random() * SLOTS)),
    ]
    await this.#database.use(async (connection) => {
      const ask = (queries: readonly Query[]): Promise<unknown> =>
        Promise.all(queries.map((query) => connection.query(query)))
      const read = ask([{ text: 'BEGIN' }, ...reads])
      if (isLocked) await read
      await Promise.all([read, ask([...puts, { text: 'COMMIT' }])])
    })
    this.#news.wake()
  }

  #added(rows: readonly Waiting[]): typeof NOTHING {
    const bytes = rows.reduce((sum, { data }) => sum + data.length + MESSAGE_COST_BYTES, 0)
    return { ...NOTHING, messages: rows.length, bytes }
  }
}

interface Reading {
  readonly box: string
  readonly done: () => void
}

export class BareReads {
  readonly #answers: UsedAnswers
  readonly #looks: Lanes<Reading>

  constructor(database: Database) {
    this.#answers = new UsedAnswers(database, 0, (nowUs) => Promise.resolve(nowUs))
    const serve = async (waiting: readonly Reading[]): Promise<void> => {
      const keys = [...new Set(waiting.map(({ box }) => `box/${box}`))]
      const ranges = waiting.map(({ box }) => messagesAfter(messageId(box, 0), 1))
      await database.use((connection) =>
        Promise.all([selectByKeys('record', keys), selectMessages(ranges)].map((query) => connection.query(query))),
      )
      for (const { done } of waiting) done()
    }
    this.#looks = new Lanes({ lanes: LANES, maxItems: MAX_ROWS, serve })
  }

  /** Uses an answer, and reads a box with its first message. */
  async read(box: string, answer: UsedAnswer, nowUs: number): Promise<void> {
    await Promise.all([this.#answers.use(answer, nowUs), new Promise<void>((done) => this.#looks.add({ box, done }))])
  }
}

function anyBytes(length: number): Uint8Array {
  const start = randomInt(BYTES.length - length)
  return BYTES.subarray(start, start + length)
}
