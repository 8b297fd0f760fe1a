/** Time from start to ready, memory and idle CPU, with few and with many contacts. */
import type { CryptoEngine } from '../src/crypto/engine.ts'
import { cpuSec, makeHome, observeAll, removeHome, residentMiB, startDaemon } from './daemon.ts'
import { formatRatio, quantile, type Row } from './measure.ts'
import { friend } from './people.ts'
import { nodeStartMs } from './processes.ts'

const IDLE_SEC = 5
const STARTS = 3

/** Fills a home, then starts a daemon in it several times. */
export async function benchStart(engine: CryptoEngine, contacts: number, isQuick: boolean): Promise<Row[]> {
  const home = makeHome()
  try {
    const filling = await startDaemon(home)
    let key = ''
    for (let done = 0; done < contacts; done += 5120) {
      const some = Array.from({ length: Math.min(5120, contacts - done) }, (_, i) => friend(engine, done + i))
      key = some[0]!.from
      await observeAll(filling.admin, some)
    }
    await filling.stop()
    const startsMs: number[] = []
    const rests: number[] = []
    let idle = 0
    for (let i = 0; i < (isQuick ? 1 : STARTS); i++) {
      const daemon = await startDaemon(home)
      startsMs.push(daemon.startMs)
      if (key !== '') await daemon.admin.call('lookup', { query: key })
      rests.push(residentMiB(daemon.process.pid!))
      if (i === 0) idle = await idleCpuSec(daemon.process.pid!)
      await daemon.stop()
    }
    const start = quantile(startsMs, 0.5)
    const bare = nodeStartMs()
    return [
      {
        what: `${contacts} contacts: start to ready`,
        figure: `${Math.round(start)} ms; ${formatRatio(start / bare)} times "node -e 0" (${Math.round(bare)} ms)`,
      },
      { what: `${contacts} contacts: resident memory`, figure: `${Math.round(quantile(rests, 0.5))} MiB` },
      { what: `${contacts} contacts: CPU while idle`, figure: `${idle.toFixed(2)} s in ${IDLE_SEC} s` },
    ]
  } finally {
    removeHome(home)
  }
}

async function idleCpuSec(pid: number): Promise<number> {
  // The garbage collector may still be busy after the start.
  await new Promise((done) => setTimeout(done, 2000))
  const before = cpuSec(pid)
  await new Promise((done) => setTimeout(done, IDLE_SEC * 1000))
  return cpuSec(pid) - before
}
