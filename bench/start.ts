/** Time from start to ready, memory and idle CPU, with few and with many contacts: of the sources, as `npm start` runs them, and of the package. */
import { join } from 'node:path'
import type { MadePackage } from '../bundle/package.ts'
import type { CryptoEngine } from '../src/crypto/engine.ts'
import { cpuSec, makeHome, observeAll, removeHome, residentMiB, startDaemon } from './daemon.ts'
import { formatRatio, quantile, type Row } from './measure.ts'
import { friend } from './people.ts'
import { nodeStart, type NodeStart } from './processes.ts'

const CHECKOUT = join(import.meta.dirname, '..')
const LAUNCHER = 'src/launch/personad.js'
const STARTS = 5
const FILL_AT_A_TIME = 5120

/** Figures of one form of the program. */
interface Form {
  readonly what: string
  readonly main: string
  readonly startMs: number[]
  readonly cpuMs: number[]
  readonly residentMiB: number[]
}

/** Fills a home, then starts a daemon in it several times, from the sources and from the package in turn. */
export async function benchStart(
  engine: CryptoEngine,
  contacts: number,
  made: MadePackage,
  isQuick: boolean,
): Promise<Row[]> {
  const home = makeHome()
  try {
    const key = await fill(home, engine, contacts)
    const forms: readonly Form[] = [
      { what: 'sources', main: join(CHECKOUT, LAUNCHER), startMs: [], cpuMs: [], residentMiB: [] },
      { what: 'package', main: join(made.directory, LAUNCHER), startMs: [], cpuMs: [], residentMiB: [] },
    ]
    const bare: NodeStart[] = []
    const [rounds, idleSec] = isQuick ? [1, 1] : [STARTS, 5]
    let idle = 0
    for (let round = 0; round < rounds; round++) {
      bare.push(nodeStart())
      for (const form of forms) {
        const daemon = await startDaemon(home, false, form.main)
        const pid = daemon.process.pid!
        form.cpuMs.push(cpuSec(pid) * 1000)
        form.startMs.push(daemon.startMs)
        if (key !== null) await daemon.admin.call('lookup', { query: key })
        form.residentMiB.push(residentMiB(pid))
        if (round === 0) idle = await idleCpuSec(pid, idleSec)
        await daemon.stop()
      }
    }
    return [
      ...forms.flatMap((form) => rowsOf(form, bare, contacts)),
      { what: `${contacts} contacts: CPU while idle`, figure: `${idle.toFixed(2)} s in ${idleSec} s` },
    ]
  } finally {
    removeHome(home)
  }
}

/** @returns the key of a contact; null without any */
async function fill(home: string, engine: CryptoEngine, contacts: number): Promise<string | null> {
  const daemon = await startDaemon(home)
  let key: string | null = null
  for (let done = 0; done < contacts; done += FILL_AT_A_TIME) {
    const count = Math.min(FILL_AT_A_TIME, contacts - done)
    const some = Array.from({ length: count }, (_, i) => friend(engine, done + i))
    key = some[0]!.from
    await observeAll(daemon.admin, some)
  }
  await daemon.stop()
  return key
}

function rowsOf(
  { what, startMs, cpuMs, residentMiB: resident }: Form,
  bare: readonly NodeStart[],
  contacts: number,
): Row[] {
  const of = (values: readonly number[], beside: readonly number[]): string => {
    const [value, node] = [quantile(values, 0.5), quantile(beside, 0.5)]
    return `${Math.round(value)} ms, ${formatRatio(value / node)} times "node -e 0" (${Math.round(node)} ms)`
  }
  const [byClock, byCpu] = [
    of(
      startMs,
      bare.map(({ ms }) => ms),
    ),
    of(
      cpuMs,
      bare.map(({ cpuMs: node }) => node),
    ),
  ]
  return [
    { what: `${contacts} contacts: start to ready, ${what}`, figure: `${byClock}; CPU ${byCpu}` },
    { what: `${contacts} contacts: resident memory, ${what}`, figure: `${Math.round(quantile(resident, 0.5))} MiB` },
  ]
}

async function idleCpuSec(pid: number, sec: number): Promise<number> {
  // The garbage collector may still be busy after the start.
  await new Promise((done) => setTimeout(done, 2000))
  const before = cpuSec(pid)
  await new Promise((done) => setTimeout(done, sec * 1000))
  return cpuSec(pid) - before
}
