/** Answers in the database, each of which is used once over all processes. One statement uses many. */
import { COUNT_CODEC } from '../records/records.ts'
import type { UsedAnswer } from '../store/relay-store.ts'
import type { Database } from './database.ts'
import type { Query } from './driver.ts'
import { Lanes } from './lanes.ts'
import { answerKey, START_KEY } from './passing.ts'

interface Waiting {
  readonly answer: UsedAnswer
  readonly nowUs: number
  readonly resolve: (isGood: boolean) => void
  readonly reject: (error: unknown) => void
}

const LANES = 2 // sanity: one batch is on its way while the other is decided
const MAX_ANSWERS = 256 // sanity: as many as turns go together

export class UsedAnswers {
  readonly #database: Database
  readonly #answerUs: number
  readonly #noteStart: (nowUs: number) => Promise<number>
  readonly #lanes: Lanes<Waiting>

  /**
   * @param answerUs how long after its question an answer is good
   * @param noteStart notes since when all used answers are known, where the database forgot it, and returns it
   */
  constructor(database: Database, answerUs: number, noteStart: (nowUs: number) => Promise<number>) {
    this.#database = database
    this.#answerUs = answerUs
    this.#noteStart = noteStart
    this.#lanes = new Lanes({ lanes: LANES, maxItems: MAX_ANSWERS, serve: (answers) => this.#serve(answers) })
  }

  /** Uses an answer. @returns false if it is not good, or not any more @throws {DatabaseError} */
  async use(answer: UsedAnswer, nowUs: number): Promise<boolean> {
    if (answer.expiresUs <= nowUs) return false
    const { promise, resolve, reject } = Promise.withResolvers<boolean>()
    this.#lanes.add({ answer, nowUs, resolve, reject })
    return await promise
  }

  async close(): Promise<void> {
    await this.#lanes.close()
  }

  async #serve(waiting: readonly Waiting[]): Promise<void> {
    try {
      const { rows } = await this.#database.query(useAnswers(waiting.map(({ answer }) => answerKey(answer))))
      const used = new Map(rows.map(([key, value]) => [key as string, value as Uint8Array | null]))
      const start = used.get(START_KEY)
      const startUs =
        start == null
          ? await this.#noteStart(Math.max(...waiting.map(({ nowUs }) => nowUs)))
          : COUNT_CODEC.decode(start.subarray(1))
      for (const { answer, resolve } of waiting)
        // The same answer twice in a batch is one row.
        resolve(used.delete(answerKey(answer)) && answer.expiresUs - this.#answerUs >= startUs)
    } catch (error) {
      for (const { reject } of waiting) reject(error)
    }
  }
}

/** Returns a row for each key that was not there, and one for the start. Two processes wait for each other in the order of the keys. */
function useAnswers(keys: readonly string[]): Query {
  return {
    name: 'use answers',
    text: `WITH used AS (
        INSERT INTO passing (key, value) SELECT key, '\\x01' FROM unnest($1::text[]) AS key
        ON CONFLICT (key) DO NOTHING RETURNING key
      )
      SELECT key, NULL::bytea FROM used UNION ALL SELECT key, value FROM passing WHERE key = '${START_KEY}'`,
    values: [keys.toSorted()],
  }
}
