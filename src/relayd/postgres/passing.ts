/**
 * Used answers and buckets in the database. All processes share them. A crash of the database empties their table: then the buckets are full, and
 * answers to questions from before are refused, as after a start of a relay on one machine.
 */
import { COUNT_CODEC, dueId, formatMoment } from '../records/records.ts'
import { Collection, type Codec, type Store, type Write } from '../../store/store.ts'
import { fillLevel, waitOf, type Level } from '../store/buckets.ts'
import type { Bucket, UsedAnswer } from '../store/relay-store.ts'
import type { Database } from './database.ts'

const LEVEL_BYTES = 16 // tokens f64 || moment f64
const LEVEL_CODEC: Codec<Level> = {
  version: 1,
  encode: ({ tokens, atUs }) => new Uint8Array(new Float64Array([tokens, atUs]).buffer),
  decode: (bytes) => {
    if (bytes.length !== LEVEL_BYTES) throw new Error(`${bytes.length} bytes are not a bucket`)
    const [tokens, atUs] = new Float64Array(bytes.slice().buffer)
    return { tokens: tokens!, atUs: atUs! }
  },
}

const START = 'answers'
export const START_KEY: string = `start/${START}`

export function answerKey({ id, expiresUs }: UsedAnswer): string {
  return `answer/${dueId(id, expiresUs)}`
}

export function bucketKey({ key }: Bucket): string {
  return `bucket/${key}`
}

/** Takes one token from each bucket, or from none. @returns 0, or the milliseconds until all have one */
export async function spendTokens(store: Store, buckets: readonly Bucket[], nowUs: number): Promise<number> {
  const levels = new Collection(store, 'bucket', LEVEL_CODEC)
  const found = buckets.map(({ key }) => levels.get(key))
  const filled = buckets.map((bucket, i) =>
    fillLevel({ ...(found[i] ?? { tokens: bucket.burst, atUs: nowUs }) }, bucket, nowUs),
  )
  const waitMs = waitOf(buckets, filled)
  const writes: Write[] = []
  for (const [i, { key }] of buckets.entries()) {
    const { tokens, atUs } = filled[i]!
    if (waitMs === 0) writes.push(levels.put(key, { tokens: tokens - 1, atUs }))
    // A refusal costs no write, but a clock that went back fills from there.
    else if (nowUs < (found[i]?.atUs ?? 0)) writes.push(levels.put(key, { tokens, atUs }))
  }
  await store.commit(writes)
  return waitMs
}

/** Notes since when all used answers are known, if nobody did. @returns that moment */
export async function noteStart(store: Store, nowUs: number): Promise<number> {
  const starts = new Collection(store, 'start', COUNT_CODEC)
  const startUs = starts.get(START)
  if (startUs === undefined) await store.commit([starts.put(START, nowUs)])
  return startUs ?? nowUs
}

/** Forgets answers that have expired, and buckets that nobody used for a day, which are full by then. */
export async function forgetPassing(database: Database, nowUs: number): Promise<void> {
  await database.query({
    text: "DELETE FROM passing WHERE key >= 'answer/' AND key < $1",
    values: [`answer/${formatMoment(nowUs)}`],
  })
  await database.query({
    text: "DELETE FROM passing WHERE key >= 'bucket/' AND key < 'bucket0' AND at < now() - interval '1 day'",
  })
}
