/** Figures that hold on a noisy machine: medians of alternating rounds, and ratios within one run. */

const WARM_UP_CALLS = 3000 // until the optimising compiler has seen everything; a daemon that scans is just as warm

/** Runs the functions in turn for many rounds. @returns the median time of one call of each, in microseconds */
export function medianUs(
  rounds: number,
  calls: number,
  functions: readonly (() => unknown)[],
  warmUpCalls: number = WARM_UP_CALLS,
): number[] {
  const times: number[][] = functions.map(() => [])
  for (const run of functions) for (let i = 0; i < warmUpCalls; i++) run()
  for (let round = 0; round < rounds; round++) {
    for (const [i, run] of functions.entries()) {
      const started = performance.now()
      for (let call = 0; call < calls; call++) run()
      times[i]!.push(((performance.now() - started) * 1000) / calls)
    }
  }
  return times.map((list) => quantile(list, 0.5))
}

/** Milliseconds until a call has its answer. */
export async function timedMs(run: () => Promise<unknown>): Promise<number> {
  const started = performance.now()
  await run()
  return performance.now() - started
}

export function quantile(values: readonly number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? Number.NaN
}

/** One line of the report: what was measured, and the figure beside its target. */
export interface Row {
  readonly what: string
  readonly figure: string
}

export function formatUs(us: number): string {
  return us < 10 ? `${us.toFixed(1)} us` : us < 10_000 ? `${us.toFixed(0)} us` : `${(us / 1000).toFixed(0)} ms`
}

export function formatRatio(ratio: number): string {
  return ratio.toFixed(2)
}
