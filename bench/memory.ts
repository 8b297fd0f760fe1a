/** Resident memory of the package's daemon: empty after a minute, and after many new contacts once it is idle again; and its wakeups while idle. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { MadePackage } from '../bundle/package.ts'
import type { CryptoEngine } from '../src/crypto/engine.ts'
import { cpuSec, makeHome, observeAll, removeHome, residentMiB, startDaemon } from './daemon.ts'
import type { Row } from './measure.ts'
import { friend } from './people.ts'

const FRIENDS = 10_000
const MINUTE_SEC = 60
const IDLE_SEC = 110 // longer than twice the time between two looks of src/daemon/give-back.ts

const sleep = (seconds: number): Promise<void> => new Promise((done) => setTimeout(done, seconds * 1000))

/** Times that a thread of the process slept and went on. */
function wakeups(pid: number): number {
  return readdirSync(`/proc/${pid}/task`)
    .map((task) => /^voluntary_ctxt_switches:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/task/${task}/status`, 'utf8')))
    .reduce((sum, match) => sum + Number(match?.[1] ?? 0), 0)
}

/** A quick run waits a second in place of minutes, so it only shows that the part works. */
export async function benchMemory(engine: CryptoEngine, made: MadePackage, isQuick: boolean): Promise<Row[]> {
  const home = makeHome()
  try {
    const daemon = await startDaemon(home, false, join(made.directory, 'src/launch/personad.js'))
    const pid = daemon.process.pid!
    const started = residentMiB(pid)
    await sleep(isQuick ? 1 : MINUTE_SEC)
    const empty = residentMiB(pid)
    const friends = Array.from({ length: isQuick ? 256 : FRIENDS }, (_, i) => friend(engine, i))
    await observeAll(daemon.admin, friends)
    const scanned = residentMiB(pid)
    await sleep(isQuick ? 1 : IDLE_SEC)
    const idle = residentMiB(pid)
    const before = { wakeups: wakeups(pid), cpuSec: cpuSec(pid) }
    await sleep(isQuick ? 1 : MINUTE_SEC)
    const woken = wakeups(pid) - before.wakeups
    const usedMs = (cpuSec(pid) - before.cpuSec) * 1000
    await daemon.stop()
    const mib = (value: number): string => `${Math.round(value)} MiB`
    return [
      { what: 'memory, empty, after a minute', figure: `${mib(empty)}; ${mib(started)} at the start` },
      { what: `memory, idle after ${friends.length} new contacts`, figure: `${mib(idle)}; ${mib(scanned)} at once` },
      { what: 'idle for a minute', figure: `${woken} wakeups, ${usedMs.toFixed(0)} ms` },
    ]
  } finally {
    removeHome(home)
  }
}
