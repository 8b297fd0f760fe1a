/**
 * An own edit and an observation of a new contact, each on disk before its answer: their time in bare fdatasyncs, in turn, and how often
 * they sync. Appends of a file that syncs by itself are not counted as syncs.
 */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { CryptoEngine } from '../src/crypto/engine.ts'
import { makeHome, removeHome, startDaemon } from './daemon.ts'
import { BareSyncs } from './durable.ts'
import { formatRatio, formatUs, quantile, timedMs, type Row } from './measure.ts'
import { begin } from './own-devices.ts'
import { friend } from './people.ts'

const CALLS = 40
const WARM_UP = 20
const AFTER_MS = 500 // work that follows an answer has ended by then

/** Syncs of a process while something runs, and half a second after; null without strace. */
async function syncsOf(pid: number, home: string, run: () => Promise<void>): Promise<number | null> {
  if (spawnSync('strace', ['-V']).error !== undefined) return null
  const file = join(home, 'syncs')
  const trace = spawn('strace', ['-f', '-e', 'trace=fsync,fdatasync', '-o', file, '-p', String(pid)])
  await once(trace.stderr, 'data') // it is attached
  await run()
  await sleep(AFTER_MS)
  const ended = once(trace, 'exit')
  trace.kill('SIGINT')
  await ended
  return readFileSync(file, 'utf8').match(/\b(?:fsync|fdatasync)\(/g)?.length ?? 0
}

export async function benchSyncs(engine: CryptoEngine, isQuick: boolean): Promise<Row[]> {
  const home = makeHome()
  const disk = new BareSyncs()
  try {
    const daemon = await startDaemon(home)
    const { admin } = daemon
    await begin(admin)
    const names = ['laptop', 'desktop']
    const rounds = isQuick ? 5 : 200
    const friends = Array.from({ length: WARM_UP + rounds + CALLS }, (_, i) => friend(engine, i))
    const operations = {
      'own edit': async () => {
        names.reverse()
        await admin.call('device.rename', { device: names[1]!, name: names[0]! })
      },
      'observe of a new contact': async () => void (await admin.call('observe', friends.pop()!)),
    }
    const rows: Row[] = []
    for (const [what, run] of Object.entries(operations)) {
      const times = { ours: [] as number[], bare: [] as number[] }
      for (let i = -WARM_UP; i < rounds; i++) {
        const ours = await timedMs(run)
        await sleep(5) // what follows an answer disturbs no bare sync
        const bare = disk.timeMs(1)
        if (i < 0) continue
        times.ours.push(ours)
        times.bare.push(bare)
      }
      const syncs = await syncsOf(daemon.process.pid!, home, async () => {
        for (let i = 0; i < CALLS; i++) await run()
      })
      const [oursMs, bareMs] = [quantile(times.ours, 0.5), quantile(times.bare, 0.5)]
      const counted = syncs === null ? 'not counted without strace' : `${formatRatio(syncs / CALLS)} syncs`
      const time = `${formatUs(oursMs * 1000)}, ${formatRatio(oursMs / bareMs)} times a bare fdatasync (${formatUs(bareMs * 1000)})`
      rows.push({ what: `${what}, durable`, figure: `${counted}; ${time}` })
    }
    await daemon.stop()
    return rows
  } finally {
    disk.close()
    removeHome(home)
  }
}
