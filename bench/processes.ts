/** Whole commands, against the start of an empty Node process. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import type { MadePackage } from '../bundle/package.ts'
import { formatRatio, quantile, type Row } from './measure.ts'

const CHECKOUT = join(import.meta.dirname, '..')
const LAUNCHER = 'src/launch/persona.js'

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

/** A start of an empty Node process. */
export interface NodeStart {
  readonly ms: number
  /** User and system, as the process itself reports it. */
  readonly cpuMs: number
}

export function nodeStart(): NodeStart {
  const report = 'const { user, system } = process.cpuUsage(); console.log((user + system) / 1000)'
  const cpuMs = Number(spawnSync(process.execPath, ['-e', report], { encoding: 'utf8' }).stdout)
  return { ms: runMs(['-e', '0']), cpuMs }
}

/** `persona lookup` as a whole process, run by its launcher: from the sources of a checkout, and from the package. */
export function benchProcesses(home: string, query: string, made: MadePackage, isQuick: boolean): Row[] {
  const commandOf = (root: string): string[] => [join(root, LAUNCHER), 'lookup', query, '--home', home]
  const [sources, installed] = [commandOf(CHECKOUT), commandOf(made.directory)]
  const times = { sources: [] as number[], installed: [] as number[], bare: [] as number[] }
  // The first runs fill the compile cache.
  for (const command of [sources, installed]) runMs(command)
  for (let i = 0; i < (isQuick ? 3 : 15); i++) {
    times.sources.push(runMs(sources))
    times.installed.push(runMs(installed))
    times.bare.push(runMs(['-e', '0']))
  }
  const bareMs = quantile(times.bare, 0.5)
  return (['sources', 'installed'] as const).map((form) => {
    const ms = quantile(times[form], 0.5)
    return {
      what: `persona lookup, whole process, ${form === 'installed' ? 'package' : form}`,
      figure: `${Math.round(ms)} ms; ${formatRatio(ms / bareMs)} times "node -e 0" (${Math.round(bareMs)} ms)`,
    }
  })
}
