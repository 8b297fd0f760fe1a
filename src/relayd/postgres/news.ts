/**
 * Tells this process what others stored. Each transaction leaves a row with its number, and a NOTIFY after it wakes the others, who read the rows. A
 * NOTIFY that is lost costs a second at most: they read then anyway. A reader goes on from the oldest transaction that was still running when it
 * read last, so it never misses one that commits late.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { KEY_RANGE_END } from '../../store/store.ts'
import type { Database } from './database.ts'
import type { OwnConnection, Query } from './driver.ts'
import { lockInUse } from './tables.ts'

const POLL_MS = 1000 // sanity: how late a stream may be where a NOTIFY is lost
const PAUSE_MS = 25 // sanity: under load one NOTIFY and one look then stand for many transactions; both pauses are half of 100 ms
const RETRY_MS = 1000 // sanity: a database that starts again takes some seconds
const KEPT = '1 minute' // sanity: sixty polls

export class News {
  readonly #database: Database
  readonly #told: (ids: readonly string[]) => void
  /** Tells the transactions of this process from those of others. */
  readonly #origin: string
  #channel = ''
  #listening: OwnConnection | null = null
  #isClosed = false
  #timers = new Set<NodeJS.Timeout>()
  /** Rows of older transactions have been read. */
  #from = '0'
  /** The later ones that have been read. */
  #seen = new Set<string>()
  #reading: Promise<void> | null = null
  #isMore = false
  #waking: Promise<unknown> | null = null
  #isAwakeSoon = false

  /** @param told gets what other processes stored */
  constructor(database: Database, origin: string, told: (ids: readonly string[]) => void) {
    this.#database = database
    this.#origin = origin
    this.#told = told
  }

  /** Begins with what is stored from now on. @throws {DatabaseError} */
  async open(): Promise<void> {
    const { rows } = await this.#database.query({
      text: `SELECT 'persona_relay_' || 'news'::regclass::oid, pg_snapshot_xmin(pg_current_snapshot())::text`,
    })
    const [channel, from] = rows[0]!
    this.#channel = channel as string
    this.#from = from as string
    await this.#listen()
    this.#after(POLL_MS, () => this.#poll())
  }

  /** The statement that leaves a row. */
  queryOf(ids: readonly string[]): Query {
    return { name: 'news', text: 'INSERT INTO news (origin, ids) VALUES ($1, $2)', values: [this.#origin, ids] }
  }

  /** Wakes the others, after a commit. In the transaction itself a NOTIFY would make all transactions that have one wait for each other's disk. */
  wake(): void {
    if (this.#waking !== null) {
      this.#isAwakeSoon = true
      return
    }
    if (this.#listening === null) return
    this.#waking = this.#listening
      .query({ text: `NOTIFY ${this.#channel}` })
      .catch(() => {})
      .then(() => this.#pause())
      .then(() => {
        this.#waking = null
        if (!this.#isAwakeSoon) return
        this.#isAwakeSoon = false
        this.wake()
      })
  }

  /** Deletes rows that everybody has read. */
  async forget(): Promise<void> {
    await this.#database.query({ text: `DELETE FROM news WHERE at < now() - interval '${KEPT}'` })
  }

  async close(): Promise<void> {
    this.#isClosed = true
    for (const timer of this.#timers) clearTimeout(timer)
    await this.#reading
    await this.#listening?.end().catch(() => {})
  }

  async #listen(): Promise<void> {
    if (this.#isClosed) return
    const connection = this.#database.own(true)
    let isOver = false
    const over = (): void => {
      if (isOver) return
      isOver = true
      if (this.#listening === connection) this.#listening = null
      this.#after(RETRY_MS, () => void this.#listen())
    }
    connection.on('error', over)
    connection.on('end', over)
    connection.on('notification', () => this.#readSoon())
    try {
      await connection.connect()
      // A NOTIFY keeps nothing, so it waits for no disk.
      await connection.query({ text: 'SET synchronous_commit = off' })
      await connection.query(lockInUse())
      await connection.query({ text: `LISTEN ${this.#channel}` })
      if (this.#isClosed) return await connection.end()
      this.#listening = connection
      this.#readSoon()
    } catch {
      over()
      await connection.end().catch(() => {})
    }
  }

  #poll(): void {
    this.#readSoon()
    this.#after(POLL_MS, () => this.#poll())
  }

  #readSoon(): void {
    if (this.#isClosed) return
    if (this.#reading !== null) {
      this.#isMore = true
      return
    }
    this.#reading = this.#read()
      // Without a database there is no news. The next poll tries again.
      .catch(() => {})
      .then(() => this.#pause())
      .finally(() => {
        this.#reading = null
        if (!this.#isMore) return
        this.#isMore = false
        this.#readSoon()
      })
  }

  async #read(): Promise<void> {
    const { rows } = await this.#database.query({
      name: 'read news',
      // The driver reads an array one character at a time. No id contains the separator.
      text: `SELECT pg_snapshot_xmin(pg_current_snapshot())::text, xid::text, array_to_string(ids, $3)
        FROM (VALUES (1)) AS one LEFT JOIN news ON xid >= $1::xid8 AND origin <> $2`,
      values: [this.#from, this.#origin, KEY_RANGE_END],
    })
    const ids: string[] = []
    const seen = new Set<string>()
    for (const [from, xid, stored] of rows) {
      this.#from = from as string
      if (xid === null) continue
      seen.add(xid as string)
      if (!this.#seen.has(xid as string)) ids.push(...(stored as string).split(KEY_RANGE_END))
    }
    this.#seen = seen
    if (ids.length > 0) this.#told(ids)
  }

  async #pause(): Promise<void> {
    if (!this.#isClosed) await sleep(PAUSE_MS)
  }

  #after(ms: number, run: () => void): void {
    if (this.#isClosed) return
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      run()
    }, ms)
    timer.unref()
    this.#timers.add(timer)
  }
}
