/** Times of something that goes over a relay, beside durable POSTs to the same relay in turn. */
import { formatRatio, quantile, type Row } from './measure.ts'
import { Bodies, load, type Running } from './relay-load.ts'

export interface BesidePosts {
  readonly what: string
  /** How many times a POST it may take. */
  readonly goal: number
  readonly rounds: number
  /** How many in a round, and as many posts after them. */
  readonly aRound: number
  /** @returns milliseconds of each */
  readonly timesMs: (count: number) => Promise<number[]>
}

export async function rowBesidePosts(
  { what, goal, rounds, aRound, timesMs }: BesidePosts,
  relay: Running,
): Promise<Row> {
  // The key of the relay is for receiving alone.
  const bodies = new Bodies(new Uint8Array(32))
  const [times, postsMs]: [number[], number[]] = [[], []]
  for (let round = 0; round < rounds; round++) {
    times.push(...(await timesMs(aRound)))
    postsMs.push(...(await load(relay, aRound, bodies.send, 1)).latenciesMs)
  }
  const [median, post] = [quantile(times, 0.5), quantile(postsMs, 0.5)]
  const spread = `p50 ${median.toFixed(1)} ms, p95 ${quantile(times, 0.95).toFixed(1)} ms`
  const ratio = `${formatRatio(median / post)} times a durable POST of ${post.toFixed(1)} ms (goal: ${goal} at most)`
  return { what, figure: `${spread}; ${ratio}` }
}
