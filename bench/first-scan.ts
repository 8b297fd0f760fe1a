/** `persona tox scan` as a whole process: of new friends, against a process that reads and verifies all, and once more, against one that hashes the file. */
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { CryptoEngine } from '../src/crypto/engine.ts'
import { cpuSec, makeHome, removeHome, startDaemon } from './daemon.ts'
import { formatRatio, quantile, type Row } from './measure.ts'
import { friendsOf, profileOf } from './watch.ts'

const BARE = join(import.meta.dirname, 'scan-bare.ts')
const HASH = `console.log(crypto.createHash('sha256').update(fs.readFileSync(process.argv[1])).digest('hex'))`
const PERSONA = join(import.meta.dirname, '../src/launch/persona.js')

interface Run {
  readonly ms: number
  readonly output: string
}

function run(args: readonly string[]): Run {
  const started = performance.now()
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', maxBuffer: Infinity })
  if (status !== 0) throw new Error(`node ${args.join(' ')} ended with ${status}: ${stderr}`)
  return { ms: performance.now() - started, output: stdout }
}

async function benchOf(engine: CryptoEngine, count: number, rounds: number): Promise<Row[]> {
  const times = { first: [] as number[], again: [] as number[], verify: [] as number[], hash: [] as number[] }
  const daemonMs: number[] = []
  const profile = profileOf(engine, friendsOf(engine, count))
  for (let round = 0; round < rounds; round++) {
    const home = makeHome()
    const file = join(home, 'many.tox')
    writeFileSync(file, profile, { mode: 0o600 })
    const daemon = await startDaemon(home)
    const scan = [PERSONA, 'tox', 'scan', file, '--home', home]
    const verified = run([BARE, file])
    if (Number(verified.output) !== count) throw new Error(`${verified.output} of ${count} texts were verified`)
    times.verify.push(verified.ms)
    const before = cpuSec(daemon.process.pid!)
    times.first.push(run(scan).ms)
    daemonMs.push((cpuSec(daemon.process.pid!) - before) * 1000)
    times.hash.push(run(['-e', HASH, file]).ms)
    times.again.push(run(scan).ms)
    await daemon.stop()
    removeHome(home)
  }
  const [first, again, verify, hash, ofDaemon] = [times.first, times.again, times.verify, times.hash, daemonMs].map(
    (each) => quantile(each, 0.5),
  ) as [number, number, number, number, number]
  const ms = (value: number): string => `${Math.round(value)} ms`
  return [
    {
      what: `first scan of ${count} friends, whole process`,
      figure: `${ms(first)}, the daemon's CPU ${ms(ofDaemon)}; ${formatRatio(first / verify)} times reading and verifying them (${ms(verify)})`,
    },
    {
      what: `scan of ${count} unchanged friends, whole process`,
      figure: `${ms(again)}; ${formatRatio(again / hash)} times reading and hashing the file (${ms(hash)})`,
    },
  ]
}

export async function benchFirstScan(engine: CryptoEngine, isQuick: boolean): Promise<Row[]> {
  const rows = await benchOf(engine, 500, isQuick ? 1 : 5)
  return isQuick ? rows : [...rows, ...(await benchOf(engine, 10_000, 3))]
}
