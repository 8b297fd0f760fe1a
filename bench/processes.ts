/** Whole commands, against the start of an empty Node process. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { formatRatio, quantile, type Row } from './measure.ts'

const PERSONA = join(import.meta.dirname, '../src/launch/persona.js')

function runMs(args: readonly string[]): number {
  const started = performance.now()
  const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`node ${args.join(' ')} ended with ${status}: ${stderr}`)
  return performance.now() - started
}

/** Median wall time of `node -e 0`, in ms. */
export function nodeStartMs(): number {
  return quantile(
    Array.from({ length: 5 }, () => runMs(['-e', '0'])),
    0.5,
  )
}

/** `persona lookup` as a whole process, run by its launcher from the sources of a checkout. */
export function benchProcesses(home: string, query: string, isQuick: boolean): Row[] {
  const times = { lookup: [] as number[], bare: [] as number[] }
  const lookup = [PERSONA, 'lookup', query, '--home', home]
  // The first run fills the compile cache.
  runMs(lookup)
  for (let i = 0; i < (isQuick ? 3 : 15); i++) {
    times.lookup.push(runMs(lookup))
    times.bare.push(runMs(['-e', '0']))
  }
  const [lookupMs, bareMs] = [quantile(times.lookup, 0.5), quantile(times.bare, 0.5)]
  return [
    {
      what: 'persona lookup, whole process',
      figure: `${Math.round(lookupMs)} ms; ${formatRatio(lookupMs / bareMs)} times "node -e 0" (${Math.round(bareMs)} ms)`,
    },
  ]
}
