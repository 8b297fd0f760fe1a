/**
 * `node bench/hostile.ts`: what hostile clients, kills, full disks and flipped bits do to the real daemon, in one run (about ten minutes).
 * `--quick` runs everything once, so that it cannot rot; `--only crowd|kill|disk|flip` runs one part. Exits with 1 if something was lost,
 * failed, or differed in silence.
 */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { loadEngine } from '../src/crypto/load.ts'
import { NO_SMALL_DISK, type Scarce } from '../test/support/small-disk.ts'
import { crowds } from './hostile/crowd.ts'
import { bitFlips } from './hostile/flips.ts'
import { killLoops } from './hostile/kills.ts'
import type { Row } from './measure.ts'

const { quick: isQuick, only } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, only: { type: 'string' } },
}).values
const engine = await loadEngine('sodium')

function diskRow(scarce: Scarce): Row {
  const what = `a disk without free ${scarce}`
  if (NO_SMALL_DISK !== '') return { what, figure: `not run: it ${NO_SMALL_DISK}` }
  const args = ['--mount', '--propagation', 'private', process.execPath]
  const program = join(import.meta.dirname, 'hostile/disk.ts')
  const { status, stdout, stderr } = spawnSync('unshare', [...args, program, scarce], { encoding: 'utf8' })
  if (status !== 0) throw new Error(`${program} ended with ${status}: ${stderr}`)
  const { writes, missingWhileFull, lost } = JSON.parse(stdout) as Record<string, number>
  return { what, figure: `${writes} acknowledged writes, ${missingWhileFull} missing while it was full, ${lost} lost` }
}

const PARTS: Readonly<Record<string, () => Promise<Row[]>>> = {
  crowd: () => crowds(engine, isQuick ? 300 : 5000),
  kill: () => killLoops(isQuick ? 2 : 60, isQuick ? 200 : 20_000),
  disk: () => Promise.resolve(isQuick ? [diskRow('bytes')] : [diskRow('bytes'), diskRow('inodes')]),
  flip: () => bitFlips(engine, isQuick ? 40 : 3500),
}

console.log(`node ${process.version}, ${process.arch}${isQuick ? ', quick: figures from few runs' : ''}`)
const rows: Row[] = []
for (const [name, run] of Object.entries(PARTS)) {
  if (only !== undefined && only !== name) continue
  for (const row of await run()) {
    rows.push(row)
    console.log(`${row.what.padEnd(56)} ${row.figure}`)
  }
}
// Ratios are for people to judge: a busy machine changes them. A loss or a failed call is a fault anywhere.
const isFault = ({ figure }: Row): boolean =>
  /\b[1-9]\d* (?:of \d+ calls failed|lost|missing|silent|with a loss)/.test(figure)
if (rows.length === 0 || rows.some(isFault)) process.exitCode = 1
