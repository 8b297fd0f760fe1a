/** Whole commands against the least that a Node process costs. */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { formatRatio, quantile, type Row } from './measure.ts'

const ROOT = join(import.meta.dirname, '..')

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

/** `persona lookup` as a whole process, run from the sources and, when it was built, from dist. */
export function benchProcesses(home: string, query: string, isQuick: boolean): Row[] {
  const programs = [
    { from: 'sources', main: join(ROOT, 'src/cli/main.ts') },
    { from: 'dist', main: join(ROOT, 'dist/cli/main.js') },
  ].filter(({ main }) => existsSync(main))
  return programs.map(({ from, main }) => {
    const times = { lookup: [] as number[], bare: [] as number[] }
    for (let i = 0; i < (isQuick ? 3 : 15); i++) {
      times.lookup.push(runMs([main, 'lookup', query, '--home', home]))
      times.bare.push(runMs(['-e', '0']))
    }
    const [lookup, bare] = [quantile(times.lookup, 0.5), quantile(times.bare, 0.5)]
    return {
      what: `persona lookup, whole process, ${from}`,
      figure: `${Math.round(lookup)} ms; ${formatRatio(lookup / bare)} times "node -e 0" (${Math.round(bare)} ms)`,
    }
  })
}
