/** 64 clients that write, each of which waits for its answer, in turn with 64 writers of bare LevelDB in a process of their own. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { connect, type Client } from '../src/ipc/client.ts'
import type { CryptoEngine } from '../src/crypto/engine.ts'
import type { ObservationParams } from '../src/ipc/shapes/judged.ts'
import { makeHome, removeHome, startDaemon } from './daemon.ts'
import { formatRatio, quantile, type Row } from './measure.ts'
import { begin, newKey } from './own-devices.ts'
import { friend } from './people.ts'

export const WRITERS = 64
const DEVICES = 8 // that the edits rename

/** Runs the works, each writer one after another. @returns works a second */
export async function perSec(works: number, one: (work: number, writer: number) => Promise<unknown>): Promise<number> {
  let next = 0
  const started = performance.now()
  const writer = async (_: unknown, number: number): Promise<void> => {
    while (next < works) await one(next++, number)
  }
  await Promise.all(Array.from({ length: WRITERS }, writer))
  return (works * 1000) / (performance.now() - started)
}

export async function benchWriters(engine: CryptoEngine, isQuick: boolean): Promise<Row[]> {
  const [rounds, works] = isQuick ? [1, 256] : [7, 2048]
  const home = makeHome()
  const child = spawn(process.execPath, [join(import.meta.dirname, 'bare-writers.ts'), join(home, 'bare')], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  const bare = async (): Promise<number> => {
    child.send(works)
    return ((await once(child, 'message')) as [number])[0]
  }
  try {
    const daemon = await startDaemon(home)
    await begin(daemon.admin)
    for (let i = 1; i < DEVICES; i++) await daemon.admin.call('device.add', { name: `device ${i}`, key: newKey() })
    const socketPath = join(home, 'run/admin/admin.sock')
    const clients = await Promise.all(Array.from({ length: WRITERS }, () => connect({ socketPath })))
    const rates = { observe: [] as number[], edit: [] as number[], bare: [] as number[] }
    let made = 0
    // The first round warms all up.
    for (let round = 0; round <= rounds; round++) {
      const friends = Array.from({ length: works }, () => friend(engine, made++))
      const observe = await perSec(works, (work, writer) => observed(clients[writer]!, friends[work]!))
      const edit = await perSec(works, (_, writer) => edited(clients[writer]!))
      const beside = await bare()
      if (round === 0) continue
      rates.observe.push(observe)
      rates.edit.push(edit)
      rates.bare.push(beside)
    }
    for (const client of clients) await client.close()
    await daemon.stop()
    const bareRate = quantile(rates.bare, 0.5)
    return (['observe', 'edit'] as const).map((name) => ({
      what: `${WRITERS} writers, ${name === 'observe' ? 'observe of a new contact' : 'own edit'}`,
      figure: `${Math.round(quantile(rates[name], 0.5))} a second; ${formatRatio(quantile(rates[name], 0.5) / bareRate)} of bare LevelDB (${Math.round(bareRate)})`,
    }))
  } finally {
    child.kill('SIGKILL')
    removeHome(home)
  }
}

async function observed(client: Client, params: ObservationParams): Promise<void> {
  await client.call('observe', params)
}

async function edited(client: Client): Promise<void> {
  await client.call('device.activate', { device: `device ${1 + Math.floor(Math.random() * (DEVICES - 1))}` })
}
