/** Honest clients beside each kind of hostile ones: no honest call fails, and none waits much longer than in a quiet hour. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface, type Interface } from 'node:readline'
import type { CryptoEngine } from '../../src/crypto/engine.ts'
import { makeHome, observeAll, removeHome, startDaemon, type RunningDaemon } from '../daemon.ts'
import { formatRatio, type Row } from '../measure.ts'
import { friend } from '../people.ts'
import { ATTACKS } from './attacks.ts'

const HONEST = 64
const CONTACTS = 500
const SETTLE_MS = 500 // sanity: the hostile clients are connected and busy by then

interface Figures {
  readonly calls: number
  readonly failures: readonly string[]
  readonly p99Ms: number
}

interface Started {
  readonly child: ChildProcess
  readonly lines: Interface
}

function start(program: string, args: readonly string[]): Started {
  const child = spawn(process.execPath, [join(import.meta.dirname, program), ...args], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  return { child, lines: createInterface({ input: child.stdout }) }
}

/** @param attack null for a quiet run */
async function measure(
  { appSocket }: RunningDaemon,
  known: string,
  attack: string | null,
  durationMs: number,
): Promise<Figures> {
  const honest = start('honest.ts', [appSocket, known, String(HONEST), String(durationMs)])
  await once(honest.lines, 'line')
  const hostile = attack === null ? null : start('attacks.ts', [appSocket, attack, known])
  if (hostile !== null) {
    await once(hostile.lines, 'line')
    await new Promise((done) => setTimeout(done, SETTLE_MS))
  }
  const answer = once(honest.lines, 'line')
  honest.child.stdin!.write('begin\n')
  try {
    const [line] = (await answer) as [string]
    return JSON.parse(line) as Figures
  } finally {
    honest.child.kill('SIGKILL')
    hostile?.child.kill('SIGKILL')
    // The rest of the attack in the queues must not count as quiet.
    if (hostile !== null) await new Promise((done) => setTimeout(done, 3 * SETTLE_MS))
  }
}

/** Quiet before and after each attack, so that the ratio is of one moment of the machine. */
export async function crowds(engine: CryptoEngine, durationMs: number): Promise<Row[]> {
  const home = makeHome()
  const rows: Row[] = []
  try {
    const daemon = await startDaemon(home)
    const friends = Array.from({ length: CONTACTS }, (_, n) => friend(engine, n))
    await observeAll(daemon.admin, friends)
    const known = friends[0]!.from
    let quiet = await measure(daemon, known, null, durationMs)
    for (const attack of ATTACKS) {
      const loud = await measure(daemon, known, attack, durationMs)
      const after = await measure(daemon, known, null, durationMs)
      const quietMs = (quiet.p99Ms + after.p99Ms) / 2
      const failed = loud.failures.length + after.failures.length
      for (const failure of loud.failures.slice(0, 3)) console.log(`FAILED beside ${attack}: ${failure}`)
      rows.push({
        what: `${HONEST} honest beside ${attack}`,
        figure: `${failed} of ${loud.calls} calls failed; p99 ${loud.p99Ms.toFixed(1)} ms, ${formatRatio(loud.p99Ms / quietMs)} times the quiet one (${quietMs.toFixed(1)} ms)`,
      })
      quiet = after
    }
    await daemon.stop()
  } finally {
    removeHome(home)
  }
  return rows
}
