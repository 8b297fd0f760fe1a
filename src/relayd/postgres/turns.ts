/**
 * Work on the records of the database, in turns. Those that come while others are under way go together: one transaction for many boxes takes
 * one sync of the disk, as one commit of LevelDB does.
 */
import { randomInt } from 'node:crypto'
import type { StoreLimits } from '../store/rules.ts'
import type { Database } from './database.ts'
import type { Connection, Query } from './driver.ts'
import { DatabaseError, sqlState } from './errors.ts'
import { Lanes } from './lanes.ts'
import { partsOf, type Parts } from './parts.ts'
import { Snapshot, type Mode } from './snapshot.ts'
import type { KeyRange } from './tables.ts'
import { addTotals, isNear, SLOTS } from './totals.ts'

export interface TurnsOptions {
  readonly database: Database
  readonly limits: StoreLimits
  readonly mode: Mode
  /** Transactions at one time. */
  readonly lanes: number
  /** The statement that tells the other processes what was stored. */
  readonly newsOf: (ids: readonly string[]) => Query
  /** Gets what was stored, once it can be read. */
  readonly told: (ids: readonly string[]) => void
}

interface Turn {
  readonly keys: readonly string[]
  readonly likely: readonly KeyRange[]
  readonly run: (parts: Parts) => Promise<unknown>
  readonly resolve: (result: unknown) => void
  readonly reject: (error: unknown) => void
}

type Outcome = { readonly result: unknown } | { readonly error: unknown }

const MAX_TURNS = 256 // sanity: 4 MiB of the largest messages
const MAX_TRIES = 6 // sanity: a transaction meets another one in a wrong order, and not time after time
/** SQLSTATE of a transaction that has to be run again. */
const AGAIN = new Set(['40001', '40P01'])
const BEGIN: Query = { text: 'BEGIN' }
const COMMIT: Query = { text: 'COMMIT' }

export class Turns {
  readonly #options: TurnsOptions
  readonly #lanes: Lanes<Turn>

  constructor(options: TurnsOptions) {
    this.#options = options
    this.#lanes = new Lanes({ lanes: options.lanes, maxItems: MAX_TURNS, serve: (turns) => this.#serve(turns) })
  }

  /**
   * @param keys of the records that the turn surely reads: first those that it locks for all others
   * @param run may run several times, and touches nothing but the parts
   * @param likely messages that the turn likely reads
   * @throws {DatabaseError}; {@link WantsToWrite} if it only looks; what `run` throws
   */
  async take<Result>(
    keys: readonly string[],
    run: (parts: Parts) => Promise<Result>,
    likely: readonly KeyRange[] = [],
  ): Promise<Result> {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>()
    this.#lanes.add({ keys, likely, run, resolve, reject })
    return (await promise) as Result
  }

  /** Waits until nothing is under way. */
  async close(): Promise<void> {
    await this.#lanes.close()
  }

  async #serve(turns: readonly Turn[]): Promise<void> {
    for (let tries = 1; ; tries++) {
      try {
        const told: string[] = []
        const outcomes = await this.#options.database.use((connection) => this.#run(connection, turns, told))
        if (told.length > 0) this.#options.told(told)
        for (const [turn, outcome] of outcomes)
          if ('error' in outcome) turn.reject(outcome.error)
          else turn.resolve(outcome.result)
        return
      } catch (cause) {
        if (tries < MAX_TRIES && AGAIN.has(sqlState(cause) ?? '')) continue
        for (const turn of turns) turn.reject(cause)
        return
      }
    }
  }

  async #run(connection: Connection, turns: readonly Turn[], told: string[]): Promise<Map<Turn, Outcome>> {
    const { limits, mode, newsOf } = this.#options
    const snapshot = new Snapshot(connection, mode)
    const isChange = mode === 'change'
    const keys = turns.flatMap((turn) => turn.keys)
    const likely = turns.flatMap((turn) => turn.likely)
    await Promise.all([isChange ? connection.query(BEGIN) : null, snapshot.load(keys, likely)])
    let outcomes = await this.#attempt(snapshot, turns, told)
    if (!isChange) return outcomes
    if (snapshot.totals !== null && isNear(snapshot.totals, limits.maxDiskBytes) && (await snapshot.lockTotals())) {
      told.length = 0
      outcomes = await this.#attempt(snapshot, turns, told)
    }
    const { totals } = snapshot
    const queries = snapshot.flush()
    if (told.length > 0) queries.push(newsOf(told))
    // The last step: the row is held only while the transaction commits.
    if (totals !== null) queries.push(addTotals(totals, randomInt(SLOTS)))
    const answers = await Promise.all([...queries, COMMIT].map((query) => connection.query(query)))
    // The answer to a COMMIT after a failed statement is ROLLBACK. That statement has failed before.
    if (answers.at(-1)!.command !== 'COMMIT')
      throw new DatabaseError('DATABASE_FAILED', 'the database rolled a transaction back')
    return outcomes
  }

  /** Runs each turn until all that it reads is there. */
  async #attempt(snapshot: Snapshot, turns: readonly Turn[], told: string[]): Promise<Map<Turn, Outcome>> {
    const outcomes = new Map<Turn, Outcome>()
    let ofTurn: string[] = []
    const parts = partsOf(snapshot, this.#options.limits, (id) => void ofTurn.push(id))
    for (let waiting = turns; waiting.length > 0;) {
      const again: Turn[] = []
      const unread: string[] = []
      for (const turn of waiting) {
        ofTurn = []
        try {
          const done = await snapshot.attempt(() => turn.run(parts))
          if (done === null) {
            again.push(turn)
            unread.push(...snapshot.unread)
            continue
          }
          outcomes.set(turn, done)
          told.push(...ofTurn)
        } catch (error) {
          // An error of the database ends the turns of all.
          if (error instanceof DatabaseError) throw error
          outcomes.set(turn, { error })
        }
      }
      if (unread.length > 0) await snapshot.load(unread)
      waiting = again
    }
    return outcomes
  }
}
